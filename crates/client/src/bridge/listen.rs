//! Messages of the server that belong to no request, in revisions with sessions.

use std::sync::Arc;

use super::Bridge;
use super::line::{Line, is_same};
use super::message::{self, Message};
use crate::limits::{RENEW_TIMEOUT, RESUME_WAIT};
use crate::message::notification;

/// How a stream of such messages ended.
enum Ended {
    /// The server has none.
    Never,
    /// The session is gone, or the server is.
    Gone,
    /// It may be asked for again.
    Closed,
}

impl Bridge {
    /// Passes on what the server says by itself. A server that went away is reached anew, so that the client hears what changed.
    pub(super) async fn listen(self: Arc<Self>, mut line: Arc<Line>) {
        let work = async {
            let mut last = None;
            loop {
                match self.hear(&line, &mut last).await {
                    Ended::Never => return,
                    Ended::Closed => tokio::time::sleep(RESUME_WAIT).await,
                    Ended::Gone => {
                        last = None;
                        self.follow_up(&line).await;
                    }
                }
                let now = Arc::clone(&self.line.read());
                if !is_same(&now, &line) {
                    (line, last) = (now, None);
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = self.ending.cancelled() => {}
        }
    }

    /// Reaches the server anew, however long it takes.
    async fn follow_up(&self, line: &Arc<Line>) {
        let Ok(ping) = Message::read(&notification("ping", &serde_json::json!({}))) else { return };
        while let Err(why) = self.renew(line, &ping).await {
            tracing::warn!(why, "the server went away; it is looked for");
            tokio::time::sleep(RENEW_TIMEOUT).await;
        }
    }

    async fn hear(&self, line: &Line, last: &mut Option<String>) -> Ended {
        let mut answer = match line.stream(last.as_deref()).await {
            Ok(answer) => answer,
            Err(_) => return Ended::Gone,
        };
        match answer.status.as_u16() {
            404 => return Ended::Gone,
            200..=299 if answer.is_events() => {}
            500..=599 => return Ended::Gone,
            _ => return Ended::Never,
        }
        loop {
            let Ok(Some(event)) = answer.event().await else { return Ended::Closed };
            if event.id.is_some() {
                *last = event.id;
            }
            if event.event == "message"
                && let Some((text, _, _)) = message::of_server(event.data.as_bytes(), None)
            {
                self.say(text).await;
            }
        }
    }
}
