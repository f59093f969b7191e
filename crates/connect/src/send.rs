//! Messages to people: Slack, letters by SMTP, short messages by an API like Twilio's.
//!
//! Nothing of a message becomes a header, a command or a path without having been checked for what it is.

mod letter;
mod slack;
mod smtp;
mod twilio;

use crate::{Error, ErrorKind};

pub use letter::{Attachment, Letter};
pub use slack::{Post, Posted, Slack, SlackSettings};
pub use smtp::{Security, Sent, Smtp, SmtpSettings};
pub use twilio::{Sms, Texted, Twilio, TwilioSettings, segments};

/// Bounds of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most people that one letter goes to, copies among them.
    pub recipients: usize,
    /// Most attachments of a letter.
    pub attachments: usize,
    /// Most bytes of all attachments of a letter.
    pub attachment_bytes: usize,
    /// Most bytes of a text.
    pub text_bytes: usize,
    /// Most segments of a short message; each is paid for.
    pub segments: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { recipients: 50, attachments: 20, attachment_bytes: 10 << 20, text_bytes: 1 << 20, segments: 10 }
    }
}

/// Most characters of an upstream's own words in an error.
const WORDS: usize = 300;

fn fault(connection: &str, kind: ErrorKind, attempted: &'static str, message: impl Into<String>) -> Error {
    let (connection, message) = (connection.to_owned(), message.into());
    Error { kind, connection, attempted, message, code: None, position: None, hint: None }
}

/// An upstream's words, cut and on one line.
fn words(text: &str) -> String {
    text.chars().take(WORDS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
