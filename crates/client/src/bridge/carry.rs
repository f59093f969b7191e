//! One message of the client, and what comes back for it.

use std::sync::Arc;

use connect::ErrorKind;
use connect::http::Live;
use serde_json::Value;

use super::Bridge;
use super::line::{Line, SESSION};
use super::message::{self, Kind, Message, REFUSED};
use crate::limits::{RENEWALS_MAX, RESUME_WAIT, RESUMES_MAX};

/// Why there is no answer.
pub(super) enum Trouble {
    /// The server was not reached, or does not know the session: nothing was done.
    NotReached(String),
    /// The connection broke: it may have been done.
    Broken(String),
    /// The server does not want it.
    Refused(String),
}

impl Trouble {
    fn of(error: connect::Error) -> Self {
        match (error.kind, error.hint) {
            (ErrorKind::Unreachable, _) => Self::NotReached(error.message),
            (ErrorKind::Transient, _) => Self::Broken(error.message),
            (_, Some(hint)) => Self::Refused(format!("{} ({hint})", error.message)),
            _ => Self::Refused(error.message),
        }
    }
}

impl Bridge {
    /// Sends a message until it was taken; of a request the client gets an answer in any case.
    pub(super) async fn carry(&self, message: &Message) {
        let mut renewals = 0;
        let why = loop {
            let line = Arc::clone(&self.line.read());
            let why = match self.attempt(&line, message).await {
                Ok(()) => return,
                Err(Trouble::Refused(why)) => break why,
                Err(Trouble::Broken(why)) if !message.is_repeatable() => {
                    break format!("{why}; whether it was carried out is not known");
                }
                Err(Trouble::NotReached(why) | Trouble::Broken(why)) => why,
            };
            renewals += 1;
            if renewals > RENEWALS_MAX {
                break why;
            }
            if let Err(why) = self.renew(&line, message).await {
                break why;
            }
        };
        let ids: Vec<_> = message.id().into_iter().chain(message.batched()).collect();
        if ids.is_empty() {
            tracing::debug!(why, "a message was not passed on");
        }
        for id in ids {
            let why = format!("The server does not answer: {why}");
            let hint = "see whether it runs: `mcp-factory status NAME`; the next request tries to reach it again";
            self.say(message::failure(id, REFUSED, &why, Some(hint))).await;
        }
    }

    async fn attempt(&self, line: &Line, message: &Message) -> Result<(), Trouble> {
        let answer = line.post(message).await.map_err(Trouble::of)?;
        if let Some(session) = answer.header(SESSION).filter(|_| message.method() == Some("initialize")) {
            *line.session.write() = Some(session.to_owned());
        }
        let status = answer.status.as_u16();
        if !answer.status.is_success() {
            return self.refused(line, message, status, answer).await;
        }
        if answer.is_events() {
            return self.follow(line, message, answer).await;
        }
        let body = answer.rest().await.map_err(Trouble::of)?;
        match message::of_server(&body, message.id()) {
            Some((text, _, value)) => {
                learn(line, message, &value);
                self.say(text).await;
                Ok(())
            }
            None if message.id().is_none() => Ok(()),
            None => Err(Trouble::Broken(format!("it answered with status {status} and without a message"))),
        }
    }

    /// Passes on what comes on a stream until the answer was on it.
    async fn follow(&self, line: &Line, message: &Message, mut answer: Live) -> Result<(), Trouble> {
        let mut last = None;
        for _ in 0..RESUMES_MAX {
            let broke = loop {
                let event = match answer.event().await {
                    Ok(Some(event)) => event,
                    Ok(None) => break "the server closed the stream before it answered".to_owned(),
                    Err(error) => break error.message,
                };
                last = event.id.or(last);
                if event.event != "message" || event.data.is_empty() {
                    continue;
                }
                let Some((text, answers, value)) = message::of_server(event.data.as_bytes(), message.id()) else {
                    continue;
                };
                if answers {
                    learn(line, message, &value);
                }
                self.say(text).await;
                if answers {
                    return Ok(());
                }
            };
            let Some(from) = last.as_deref().filter(|_| !message.is_stateless()) else {
                // The end of a stream of answers to several messages, or to none, is its end.
                return if message.id().is_none() { Ok(()) } else { Err(Trouble::Broken(broke)) };
            };
            tokio::time::sleep(RESUME_WAIT).await;
            answer = match line.stream(Some(from)).await {
                Ok(answer) if answer.status.is_success() && answer.is_events() => answer,
                _ => return Err(Trouble::Broken(broke)),
            };
        }
        Err(Trouble::Broken("the server closed the stream again and again".to_owned()))
    }

    async fn refused(&self, line: &Line, message: &Message, status: u16, answer: Live) -> Result<(), Trouble> {
        let body = answer.rest().await.unwrap_or_default();
        let opens = message.method() == Some("initialize");
        if status == 404 && !opens && !message.is_stateless() && line.session.read().is_some() {
            return Err(Trouble::NotReached("the server has ended the session".to_owned()));
        }
        let is_awaited = message.id().is_some() || matches!(message.kind, Kind::Batch);
        if let Some(error) = message::error_for(&body, message.id()).filter(|_| is_awaited) {
            self.say(error).await;
            return Ok(());
        }
        let why = said(status, &body);
        Err(match status {
            // Something between us and the server, or a server that begins or ends.
            502..=504 => Trouble::NotReached(why),
            _ => Trouble::Refused(why),
        })
    }
}

/// What is to be known of an answer: the revision of a session.
fn learn(line: &Line, message: &Message, value: &Value) {
    if message.method() == Some("initialize")
        && let Some(version) = value["result"]["protocolVersion"].as_str()
    {
        *line.version.write() = Some(version.to_owned());
    }
}

/// What a server said with a status: the words of a problem document, or of JSON, or the text.
pub(super) fn said(status: u16, body: &[u8]) -> String {
    const CHARS_MAX: usize = 300;
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = ["detail", "message", "error_description", "error"].iter().find_map(|name| value[*name].as_str());
    let hint = value["hints"][0].as_str().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let text = words.map_or_else(|| String::from_utf8_lossy(body).trim().to_owned(), str::to_owned);
    let text: String = text.chars().take(CHARS_MAX).collect();
    match text.is_empty() {
        true => format!("status {status}"),
        false => format!("status {status}: {text}{hint}"),
    }
}
