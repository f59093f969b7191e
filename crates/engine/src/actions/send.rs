//! The `send` action: a message from a call's arguments.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect::send::{Attachment, Letter, Post, Slack, Sms, Smtp, Twilio};
use connect::{Error, Job};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use spec::expression::Tree;
use spec::model::Send;

use super::{Fault, files, part, scope};
use crate::connections::Link;
use crate::context::CallContext;
use crate::errors;
use crate::outcome::{Failure, Outcome};
use crate::toolset::{Tool, Toolset};

type Attempt<T> = Result<T, Box<Failure>>;

/// A way to people.
pub enum Messenger {
    /// Slack.
    Slack(Slack),
    /// A mail server.
    Smtp(Box<Smtp>),
    /// Short messages.
    Twilio(Twilio),
}

/// A message whose values are templates.
pub(crate) struct SendAction {
    connection: Box<str>,
    messenger: Link<Messenger>,
    message: Tree,
}

impl std::fmt::Debug for SendAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendAction").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// The message of a call.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Given {
    to: Option<Value>,
    text: Option<String>,
    cc: Option<Value>,
    bcc: Option<Value>,
    from: Option<String>,
    reply_to: Option<String>,
    subject: Option<String>,
    html: Option<String>,
    in_reply_to: Option<String>,
    attachments: Vec<GivenFile>,
    blocks: Option<Value>,
    thread: Option<String>,
    broadcast: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GivenFile {
    name: String,
    #[serde(default)]
    media_type: String,
    base64: Option<String>,
    text: Option<String>,
    id: Option<String>,
}

impl SendAction {
    /// Compiles a message.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(connection: &str, messenger: Link<Messenger>, action: &Send) -> Result<Self, Fault> {
        let message = serde_json::to_value(action).map_err(|error| error.to_string())?;
        Ok(Self { connection: connection.into(), messenger, message: part::tree(&message)? })
    }
}

impl Toolset {
    pub(crate) async fn run_send(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &SendAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        let way = action.messenger.as_ref().map_err(|why| errors::no_connection(tool, &action.connection, why))?;
        let message = part::value(tool, "send", &action.message, &scope(context, &arguments))?;
        let given: Given = files::given(tool, message.unwrap_or_else(|| json!({})))?;
        let turn = self.turn(context, tool, started).await?;
        let job = Job { deadline: turn.deadline.into(), cancel: context.cancel.clone() };
        let receipt = deliver(way, given, &job).await.map_err(|undone| match undone {
            Undone::Message(why) => errors::value(tool, &why),
            Undone::Refused(error) => errors::of_files(tool, &error, started.elapsed()),
        })?;
        self.told(tool, &receipt)
    }
}

/// Why a message was not sent.
pub(crate) enum Undone {
    /// It is none.
    Message(String),
    /// The way refused it, or did not answer.
    Refused(Box<Error>),
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Refused(Box::new(error))
    }
}

/// Sends a message; gives the receipt.
pub(crate) async fn deliver(way: &Messenger, given: Given, job: &Job) -> Result<Value, Undone> {
    let receipt = match way {
        Messenger::Slack(slack) => json!(slack.post(&post(given), job).await?),
        Messenger::Smtp(smtp) => json!(smtp.send(&letter(given).map_err(Undone::Message)?, job).await?),
        Messenger::Twilio(twilio) => {
            let sms = Sms { to: one(given.to), text: given.text.unwrap_or_default(), from: given.from };
            json!(twilio.send(&sms, job).await?)
        }
    };
    Ok(receipt)
}

fn one(value: Option<Value>) -> String {
    value.map(part::texts).unwrap_or_default().join(", ")
}

fn post(given: Given) -> Post {
    let channel = Some(one(given.to)).filter(|channel| !channel.is_empty());
    let Given { text, blocks, thread: thread_ts, broadcast: reply_broadcast, .. } = given;
    Post { channel, text: text.unwrap_or_default(), blocks, thread_ts, reply_broadcast }
}

fn letter(given: Given) -> Result<Letter, String> {
    let people = |value: Option<Value>| value.map(part::texts).unwrap_or_default();
    let attachments = given.attachments.into_iter().map(|file| {
        let bytes = match (file.base64, file.text) {
            (Some(base64), None) => {
                STANDARD.decode(base64.trim()).map_err(|_| format!("the attachment `{}` is not Base64", file.name))?
            }
            (None, Some(text)) => text.into_bytes(),
            _ => {
                return Err(format!("the attachment `{}` needs exactly one of `base64` and `text`", file.name));
            }
        };
        Ok(Attachment { name: file.name, media_type: file.media_type, bytes: bytes.into(), id: file.id })
    });
    Ok(Letter {
        from: given.from,
        to: people(given.to),
        cc: people(given.cc),
        bcc: people(given.bcc),
        reply_to: given.reply_to,
        subject: given.subject.unwrap_or_default(),
        text: given.text,
        html: given.html,
        in_reply_to: given.in_reply_to,
        attachments: attachments.collect::<Result<_, String>>()?,
    })
}
