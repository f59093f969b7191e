//! A session: what it is and what was said in it, at a moment. Nothing runs: all follows from when its prompts came.

use serde_json::{Value, json};

/// Milliseconds since 1970.
pub(super) type Moment = i64;

/// A prompt, and the work on it.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) message: String,
    pub(super) prompt: String,
    pub(super) sent: Moment,
    /// Idle until then.
    pub(super) pending: Moment,
    /// Pending until then.
    pub(super) begins: Moment,
    pub(super) ends: Moment,
    /// When it was told to stop.
    pub(super) stopped: Option<Moment>,
}

/// A session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) computer: Option<String>,
    pub(super) settings: Value,
    pub(super) created: Moment,
    pub(super) changed: Moment,
    pub(super) runs: Vec<Run>,
}

impl Run {
    fn end(&self) -> Moment {
        self.stopped.unwrap_or(self.ends)
    }

    fn status(&self, now: Moment) -> &'static str {
        match now {
            now if now >= self.end() || now < self.pending => "idle",
            now if now < self.begins => "pending",
            _ => "running",
        }
    }

    /// How often the droid uses a tool: `[fake:steps=N]` in the prompt.
    fn steps(&self) -> i64 {
        directive(&self.prompt, "steps").unwrap_or(1).clamp(0, 5_000)
    }

    /// What was said by now, oldest first.
    fn messages(&self, model: &Value, now: Moment, out: &mut Vec<Value>) {
        let said = |at: Moment, id: String, role: &str, content: Value, parent: &str| {
            json!({ "id": id, "role": role, "content": content, "createdAt": at, "updatedAt": at, "parentId": parent,
                    "visibility": "both", "modelId": model })
        };
        let mut first =
            said(self.sent, self.message.clone(), "user", json!([{ "type": "text", "text": self.prompt }]), "");
        if let Some(fields) = first.as_object_mut() {
            fields.remove("parentId");
            fields.remove("modelId");
            fields.insert("userMessageSource".to_owned(), "sessions_api".into());
        }
        out.push(first);
        let until = now.min(self.end());
        let (steps, time) = (self.steps(), (self.ends - self.begins).max(1));
        let mut parent = self.message.clone();
        for step in 0..steps {
            let (asked, got) = (time * (2 * step + 1) / (2 * steps + 1), time * (2 * step + 2) / (2 * steps + 1));
            let call = format!("toolu_{step}_{}", self.message);
            if self.begins + asked <= until {
                let id = format!("{}-a{step}", self.message);
                let content = json!([
                    { "type": "thinking", "thinking": "Let me look at the files first.", "signature": "c2lnbmF0dXJl" },
                    { "type": "tool_use", "id": call, "name": "Execute", "input": { "command": "ls" } },
                ]);
                out.push(said(self.begins + asked, id.clone(), "assistant", content, &parent));
                parent = id;
            }
            if self.begins + got <= until {
                let id = format!("{}-t{step}", self.message);
                let content = json!([{ "type": "tool_result", "toolUseId": call, "content": "README.md\nsrc", "isError": false }]);
                out.push(said(self.begins + got, id.clone(), "tool", content, &parent));
                parent = id;
            }
        }
        // It asks its person something, and waits.
        if now >= self.ends && self.stopped.is_none() && self.prompt.contains("[fake:ask]") {
            let input = json!({ "questionnaire": "1. [question] Which colour?" });
            let content = json!([{ "type": "tool_use", "id": "toolu_ask", "name": "AskUser", "input": input }]);
            out.push(said(self.ends, format!("{}-q", self.message), "assistant", content, &parent));
            return;
        }
        if now >= self.ends && self.stopped.is_none() {
            let fails = self.prompt.contains("[fake:fail]");
            let text = if fails {
                "I could not do it: the build is broken.".to_owned()
            } else {
                format!("Done: {}", self.prompt)
            };
            let content = json!([{ "type": "text", "text": text }]);
            let mut last = said(self.ends, format!("{}-z", self.message), "assistant", content, &parent);
            if fails {
                last["isError"] = true.into();
            }
            out.push(last);
        }
    }
}

impl Session {
    pub(super) fn messages(&self, now: Moment) -> Vec<Value> {
        let mut out = Vec::new();
        let model = &self.settings["model"];
        self.runs.iter().for_each(|run| run.messages(model, now, &mut out));
        out
    }

    pub(super) fn status(&self, now: Moment) -> &'static str {
        // A prompt that waits for the one before it makes nothing idle.
        self.runs.iter().find(|run| now < run.end()).map_or("idle", |run| run.status(now))
    }

    /// As the API shows it.
    pub(super) fn shown(&self, now: Moment) -> Value {
        let messages = self.messages(now);
        let status = self.status(now);
        let last = messages.last().and_then(|one| one["createdAt"].as_i64()).unwrap_or(self.created);
        let mut settings = self.settings.clone();
        let count = i64::try_from(messages.len()).unwrap_or(i64::MAX);
        settings["tokenUsage"] = json!({ "inputTokens": 900 * count, "outputTokens": 120 * count,
            "cacheCreationTokens": 0, "cacheReadTokens": 400 * count, "thinkingTokens": 30 * count });
        let mut shown = json!({ "sessionId": self.id, "status": status, "messageCount": messages.len(), "createdAt": self.created,
            "updatedAt": last.max(self.changed), "sessionSettings": settings });
        if let Some(run) = self.runs.first() {
            shown["title"] = run.prompt.chars().take(60).collect::<String>().into();
        }
        if let Some(computer) = &self.computer {
            shown["computerId"] = computer.as_str().into();
        }
        if let Some(run) = self.runs.last().filter(|run| now >= run.end()) {
            shown["completedAt"] = run.end().into();
        }
        shown
    }
}

/// A number that a prompt orders: `[fake:NAME=NUMBER]`.
pub(super) fn directive(prompt: &str, name: &str) -> Option<i64> {
    let (_, rest) = prompt.split_once(&format!("[fake:{name}="))?;
    rest.split_once(']')?.0.parse().ok()
}
