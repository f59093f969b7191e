//! Letters, and their form on the wire (RFC 5322, MIME).

use bytes::Bytes;
use lettre::address::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment as Part, Body, Mailbox, Message, MultiPart, SinglePart};

use super::Limits;

/// Most characters of a subject.
const SUBJECT_CHARS_MAX: usize = 998;
/// Most characters of the name of an attachment.
const NAME_CHARS_MAX: usize = 255;

/// A letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// Whom it comes from, when not the connection's sender: `Name <name@example.com>` or the address alone.
    pub from: Option<String>,
    /// Whom it goes to.
    pub to: Vec<String>,
    /// Who gets a copy.
    pub cc: Vec<String>,
    /// Who gets a copy that the others do not know of.
    pub bcc: Vec<String>,
    /// Whom answers go to.
    pub reply_to: Option<String>,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: Option<String>,
    /// The text in HTML.
    pub html: Option<String>,
    /// The `Message-ID` that it answers.
    pub in_reply_to: Option<String>,
    /// What comes with it.
    pub attachments: Vec<Attachment>,
}

/// A file that comes with a letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its media type; bytes of no known kind when empty.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// The identifier by which the HTML shows it (`cid:…`); without one it is a file beside the text.
    pub id: Option<String>,
}

/// A letter ready to be sent.
pub(super) struct Ready {
    pub(super) id: String,
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    pub(super) bytes: Vec<u8>,
}

impl Letter {
    /// Checks a letter and writes it out. An error says what of it cannot be sent.
    pub(super) fn ready(&self, sender: &str, limits: &Limits) -> Result<Ready, String> {
        let from = mailbox(self.from.as_deref().unwrap_or(sender), "from")?;
        let lists = [("to", &self.to), ("cc", &self.cc), ("bcc", &self.bcc)];
        let count: usize = lists.iter().map(|(_, list)| list.len()).sum();
        if count == 0 {
            return Err("it goes to nobody".to_owned());
        }
        if count > limits.recipients {
            return Err(format!("it goes to {count} people, and {} are the most", limits.recipients));
        }
        line(&self.subject, "subject")?;
        if self.subject.chars().count() > SUBJECT_CHARS_MAX {
            return Err(format!("the subject has more than {SUBJECT_CHARS_MAX} characters"));
        }
        let id = format!("<{}@{}>", uuid::Uuid::new_v4(), from.email.domain());
        let mut builder =
            Message::builder().from(from.clone()).subject(self.subject.as_str()).message_id(Some(id.clone()));
        let mut to: Vec<Address> = Vec::new();
        for (field, list) in lists {
            for text in list {
                let mailbox = mailbox(text, field)?;
                if !to.contains(&mailbox.email) {
                    to.push(mailbox.email.clone());
                }
                builder = match field {
                    "to" => builder.to(mailbox),
                    "cc" => builder.cc(mailbox),
                    // Not in the letter: the server alone is told.
                    _ => builder,
                };
            }
        }
        if let Some(text) = &self.reply_to {
            builder = builder.reply_to(mailbox(text, "replyTo")?);
        }
        if let Some(text) = &self.in_reply_to {
            message_id(text)?;
            builder = builder.in_reply_to(text.clone()).references(text.clone());
        }
        let envelope =
            lettre::address::Envelope::new(Some(from.email.clone()), to.clone()).map_err(|e| e.to_string())?;
        let message = self.body(limits)?.finish(builder.envelope(envelope)).map_err(|error| error.to_string())?;
        Ok(Ready { id, from: from.email, to, bytes: message.formatted() })
    }

    fn body(&self, limits: &Limits) -> Result<Whole, String> {
        let length = self.text.as_ref().map_or(0, String::len) + self.html.as_ref().map_or(0, String::len);
        if length > limits.text_bytes {
            return Err(format!("its text has more than {} bytes", limits.text_bytes));
        }
        if self.attachments.len() > limits.attachments {
            return Err(format!("it has more than {} attachments", limits.attachments));
        }
        let total: usize = self.attachments.iter().map(|file| file.bytes.len()).sum();
        if total > limits.attachment_bytes {
            return Err(format!("its attachments have {total} bytes, and {} are the most", limits.attachment_bytes));
        }
        let (shown, beside): (Vec<_>, Vec<_>) = self.attachments.iter().partition(|file| file.id.is_some());
        let plain = |text: &String| SinglePart::plain(text.clone());
        let html = |text: &String| SinglePart::html(text.clone());
        let mut whole = match (&self.text, &self.html) {
            (None, None) => return Err("it has neither a text nor HTML".to_owned()),
            (Some(text), None) => Whole::Single(plain(text)),
            (None, Some(text)) => Whole::Single(html(text)),
            (Some(text), Some(other)) => {
                Whole::Multi(MultiPart::alternative().singlepart(plain(text)).singlepart(html(other)))
            }
        };
        if !shown.is_empty() {
            whole = whole.with(MultiPart::related().build(), &shown)?;
        }
        if !beside.is_empty() {
            whole = whole.with(MultiPart::mixed().build(), &beside)?;
        }
        Ok(whole)
    }
}

/// What a letter consists of.
enum Whole {
    Single(SinglePart),
    Multi(MultiPart),
}

impl Whole {
    fn with(self, outer: MultiPart, files: &[&Attachment]) -> Result<Self, String> {
        let mut outer = match self {
            Self::Single(part) => outer.singlepart(part),
            Self::Multi(part) => outer.multipart(part),
        };
        for file in files {
            outer = outer.singlepart(file.part()?);
        }
        Ok(Self::Multi(outer))
    }

    fn finish(self, builder: lettre::message::MessageBuilder) -> Result<Message, lettre::error::Error> {
        match self {
            Self::Single(part) => builder.singlepart(part),
            Self::Multi(part) => builder.multipart(part),
        }
    }
}

impl Attachment {
    fn part(&self) -> Result<SinglePart, String> {
        line(&self.name, "name of an attachment")?;
        if self.name.is_empty() || self.name.chars().count() > NAME_CHARS_MAX || self.name.contains(['/', '\\']) {
            return Err(format!("`{}` is no name of a file", self.name.escape_debug()));
        }
        let kind = if self.media_type.is_empty() { "application/octet-stream" } else { &self.media_type };
        line(kind, "media type of an attachment")?;
        let parsed = ContentType::parse(kind).map_err(|_| format!("`{kind}` is no media type"))?;
        let body = Body::new_with_encoding(self.bytes.to_vec(), ContentTransferEncoding::Base64);
        let body = body.map_err(|_| format!("the attachment `{}` cannot be encoded", self.name))?;
        Ok(match &self.id {
            None => Part::new(self.name.clone()).body(body, parsed),
            Some(id) => {
                message_id(&format!("<{id}>"))?;
                Part::new_inline_with_name(id.clone(), self.name.clone()).body(body, parsed)
            }
        })
    }
}

/// Reads `Name <address>` or an address.
pub(super) fn mailbox(text: &str, field: &str) -> Result<Mailbox, String> {
    line(text, field)?;
    let shown: String = text.chars().take(100).collect();
    text.parse()
        .map_err(|_| format!("`{shown}` in `{field}` is no address; write name@example.com or Name <name@example.com>"))
}

/// Refuses line breaks: what follows one would be a header of its own.
fn line(text: &str, what: &str) -> Result<(), String> {
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}')) {
        return Err(format!("the {what} holds a line break or another control character"));
    }
    Ok(())
}

fn message_id(text: &str) -> Result<(), String> {
    let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or_default();
    if inner.is_empty()
        || inner.len() > 200
        || !inner.bytes().all(|b| b.is_ascii_graphic() && !b"<>(),;:\\\"[]".contains(&b))
    {
        return Err(format!("`{}` is no identifier of a letter", text.escape_debug()));
    }
    Ok(())
}
