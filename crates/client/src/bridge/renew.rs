//! Reaching a server anew that went away.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Bridge;
use super::carry::said;
use super::line::{Line, SESSION, is_same};
use super::message::{self, Message};
use crate::limits::{RENEW_PAUSE, RENEW_TIMEOUT};
use crate::message::notification;

/// Why the server was not reached.
enum Missed {
    /// Trying again may help.
    Now(String),
    /// It does not want us.
    Always(String),
}

/// Lists that may be others after a server was started again.
const LISTS: [&str; 3] = ["tools", "prompts", "resources"];

impl Bridge {
    /// Reaches the server anew, unless somebody has done so already. `message` is what is to be sent then.
    pub(super) async fn renew(&self, gone: &Arc<Line>, message: &Message) -> Result<(), String> {
        let _turn = self.renewing.lock().await;
        if !is_same(&self.line.read(), gone) {
            return Ok(());
        }
        let deadline = Instant::now() + RENEW_TIMEOUT;
        let opening = self.opening.lock().clone().filter(|_| message.method() != Some("initialize"));
        loop {
            let why = match self.reach(opening.as_ref()).await {
                Ok((line, changed)) => {
                    let line = Arc::new(line);
                    *self.line.write() = Arc::clone(&line);
                    for change in changed {
                        self.say(change).await;
                    }
                    tracing::info!("the server was reached anew");
                    return Ok(());
                }
                Err(Missed::Always(why)) => return Err(why),
                Err(Missed::Now(why)) => why,
            };
            if Instant::now() + RENEW_PAUSE > deadline {
                return Err(why);
            }
            tokio::time::sleep(RENEW_PAUSE).await;
        }
    }

    /// Opens a connection, with a session if there was one; and what the client is to be told.
    async fn reach(&self, opening: Option<&Message>) -> Result<(Line, Vec<Bytes>), Missed> {
        let line = Line::open(&self.find).map_err(Missed::Now)?;
        let Some(opening) = opening else {
            let found = line.ask("server/discover", json!({})).await;
            return match found {
                Some(_) => Ok((line, Vec::new())),
                None => Err(Missed::Now("the server cannot be reached".to_owned())),
            };
        };
        let mut answer = line.post(opening).await.map_err(|error| Missed::Now(error.message))?;
        if !answer.status.is_success() {
            let status = answer.status.as_u16();
            let why = said(status, &answer.rest().await.unwrap_or_default());
            return Err(if status < 500 { Missed::Always(why) } else { Missed::Now(why) });
        }
        *line.session.write() = answer.header(SESSION).map(str::to_owned);
        let found = if answer.is_events() {
            let mut found = None;
            while let Ok(Some(event)) = answer.event().await {
                if let Some((_, true, value)) = message::of_server(event.data.as_bytes(), opening.id()) {
                    found = Some(value);
                    break;
                }
            }
            found
        } else {
            let body = answer.rest().await.map_err(|error| Missed::Now(error.message))?;
            serde_json::from_slice(&body).ok()
        };
        let found: Value = found.unwrap_or_default();
        let Some(version) = found["result"]["protocolVersion"].as_str() else {
            return Err(Missed::Always("the server opens no session".to_owned()));
        };
        *line.version.write() = Some(version.to_owned());
        let ready = notification("notifications/initialized", &json!({}));
        if let Ok(ready) = Message::read(&ready) {
            line.post(&ready).await.map_err(|error| Missed::Now(error.message))?;
        }
        let offers = &found["result"]["capabilities"];
        let told = LISTS.iter().filter(|list| offers[**list]["listChanged"] == true);
        let told = told.map(|list| notification(&format!("notifications/{list}/list_changed"), &json!({})));
        Ok((line, told.collect()))
    }
}
