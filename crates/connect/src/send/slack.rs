//! Slack: `chat.postMessage` with a token, or an incoming webhook.
//!
//! <https://docs.slack.dev/reference/methods/chat.postMessage>, <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use base::Secret;
use serde::Serialize;
use serde_json::Value;

use super::{Limits, fault, words};
use crate::egress::{Policy, Resolver, system_resolver};
use crate::http::{Api, Body, Call, Credentials, Method, Reply, Settings, StatusCode};
use crate::{Error, ErrorKind, Job};

/// Where Slack serves its methods.
const API: &str = "https://slack.com/api";
/// Most characters of a text; Slack cuts longer ones.
const TEXT_CHARS_MAX: usize = 40_000;
/// Most blocks of a message.
const BLOCKS_MAX: usize = 50;
/// What is attempted, for errors.
const POST: &str = "post to Slack";

/// How Slack is reached.
#[derive(Clone)]
pub struct SlackSettings {
    /// The token of a bot (`xoxb-…`).
    pub token: Option<Secret>,
    /// The URL of an incoming webhook, all of which is a secret. Without a token messages go there.
    pub webhook: Option<Secret>,
    /// Where the methods are served; Slack itself when not said.
    pub base: Option<Secret>,
    /// The channel of messages that name none.
    pub channel: Option<String>,
    /// Bounds of a message.
    pub limits: Limits,
    /// Where requests may go.
    pub policy: Policy,
    /// How names become addresses.
    pub resolver: Resolver,
}

impl Default for SlackSettings {
    fn default() -> Self {
        let (policy, resolver) = (Policy::default(), system_resolver());
        Self { token: None, webhook: None, base: None, channel: None, limits: Limits::default(), policy, resolver }
    }
}

/// A connection to Slack.
pub struct Slack {
    name: String,
    api: Api,
    webhook: bool,
    channel: Option<String>,
    limits: Limits,
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Post {
    /// The channel or user, by identifier or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The text; with blocks it is what notifications show.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Blocks of Block Kit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Value>,
    /// The message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_ts: Option<String>,
    /// Whether an answer is also shown in the channel.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reply_broadcast: bool,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Posted {
    /// The channel's identifier; a webhook tells none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The message's identifier within it, with which it can be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<String>,
}

impl Slack {
    /// Checks the settings. Nothing is sent.
    pub fn open(name: &str, settings: SlackSettings) -> Result<Self, Error> {
        let (base, credentials, webhook) = match (settings.token, settings.webhook) {
            (Some(token), _) => (settings.base.unwrap_or_else(|| Secret::new(API)), Credentials::Bearer(token), false),
            // Its path is the credential: the whole of it is hidden in answers.
            (None, Some(url)) => (url, Credentials::None, true),
            (None, None) => {
                return Err(fault(name, ErrorKind::Config, "open", "there is neither a token nor a webhook for Slack"));
            }
        };
        let hidden = webhook.then(|| path_of(&base));
        let api = Api::open(Settings {
            credentials,
            policy: settings.policy,
            resolver: settings.resolver,
            ..Settings::new(name, base)
        })
        .map_err(|mut error| {
            if let Some(path) = hidden.as_ref().filter(|path| path.len() > 1) {
                error.message = error.message.replace(path.as_str(), "/***");
            }
            error
        })?;
        if let Some(path) = hidden.filter(|path| path.len() > 1) {
            api.hide(&Secret::new(path));
        }
        Ok(Self { name: name.to_owned(), api, webhook, channel: settings.channel, limits: settings.limits })
    }

    /// Posts a message.
    pub async fn post(&self, post: &Post, job: &Job) -> Result<Posted, Error> {
        self.check(post)?;
        let mut post = post.clone();
        if self.webhook {
            if post.channel.is_some() {
                let message = "a webhook has its own channel: leave the channel out, or connect with a token";
                return Err(self.fault(ErrorKind::Value, message));
            }
        } else {
            post.channel = post.channel.or_else(|| self.channel.clone());
            if post.channel.as_ref().is_none_or(String::is_empty) {
                return Err(self.fault(ErrorKind::Value, "the message names no channel, and the connection has none"));
            }
        }
        let body = serde_json::to_vec(&post).map_err(|error| self.fault(ErrorKind::Value, error.to_string()))?;
        let mut call = Call::new(Method::POST, if self.webhook { "" } else { "/chat.postMessage" });
        call.body = Body::Raw { content_type: "application/json; charset=utf-8".to_owned(), bytes: body.into() };
        let reply = self.api.send(&call, job.deadline, &job.cancel).await.map_err(|mut error| {
            error.attempted = POST;
            error
        })?;
        if self.webhook { self.told(&reply) } else { self.posted(&reply) }
    }

    fn check(&self, post: &Post) -> Result<(), Error> {
        if post.text.is_empty() && post.blocks.is_none() {
            return Err(self.fault(ErrorKind::Value, "the message has neither a text nor blocks"));
        }
        if post.text.len() > self.limits.text_bytes || post.text.chars().count() > TEXT_CHARS_MAX {
            let most = TEXT_CHARS_MAX;
            return Err(
                self.fault(ErrorKind::Limit, format!("the text has more than {most} characters, or too many bytes"))
            );
        }
        match &post.blocks {
            None => Ok(()),
            Some(Value::Array(blocks)) if blocks.len() <= BLOCKS_MAX => Ok(()),
            Some(Value::Array(_)) => {
                Err(self.fault(ErrorKind::Limit, format!("there are more than {BLOCKS_MAX} blocks")))
            }
            Some(_) => Err(self.fault(ErrorKind::Value, "the blocks are no array")),
        }
    }

    /// The answer of a method: its status is 200 whether or not it did anything.
    fn posted(&self, reply: &Reply) -> Result<Posted, Error> {
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        if reply.status.is_success() && answer["ok"] == true {
            return Ok(Posted { channel: text("channel"), ts: text("ts") });
        }
        let code = text("error").unwrap_or_default();
        let mut error = self.refused(reply, &code);
        let needed = text("needed").map(|scope| format!("the token lacks the scope `{}`", words(&scope)));
        error.hint = needed.or(error.hint);
        Err(error)
    }

    /// The answer of a webhook: the text `ok`, or the name of an error.
    fn told(&self, reply: &Reply) -> Result<Posted, Error> {
        let text = String::from_utf8_lossy(&reply.body);
        if reply.status.is_success() && text.trim() == "ok" {
            return Ok(Posted { channel: None, ts: None });
        }
        Err(self.refused(reply, text.trim()))
    }

    fn refused(&self, reply: &Reply, code: &str) -> Error {
        let known = !code.is_empty() && code.len() < 64 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let kind = kind(reply.status, code);
        let said = if known { code.to_owned() } else { words(code) };
        let mut error = self.fault(kind, format!("Slack answered {}: {said}", reply.status.as_u16()));
        error.code = known.then(|| code.to_owned());
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            let wait = reply.headers.get("retry-after").and_then(|value| value.to_str().ok()).unwrap_or("some");
            error.hint = Some(format!("try again after {} seconds", words(wait)));
        }
        error
    }

    fn fault(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        fault(&self.name, kind, POST, message)
    }
}

fn path_of(url: &Secret) -> String {
    let text = url.expose();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.find('/').map_or(String::new(), |at| rest[at..].to_owned())
}

/// What an error of Slack's means for whoever called.
fn kind(status: StatusCode, code: &str) -> ErrorKind {
    match code {
        _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => ErrorKind::Transient,
        "ratelimited"
        | "rate_limited"
        | "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout" => ErrorKind::Transient,
        "not_authed"
        | "invalid_auth"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "no_permission"
        | "missing_scope"
        | "not_allowed_token_type"
        | "ekm_access_denied"
        | "restricted_action"
        | "invalid_token"
        | "action_prohibited"
        | "org_login_required"
        | "access_denied"
        | "no_service"
        | "no_active_hooks" => ErrorKind::Denied,
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "channel_is_archived"
        | "msg_too_long"
        | "no_text"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "invalid_payload"
        | "invalid_thread_ts"
        | "user_not_found"
        | "too_many_attachments"
        | "cannot_reply_to_message"
        | "message_limit_exceeded" => ErrorKind::Value,
        _ => ErrorKind::Other,
    }
}
