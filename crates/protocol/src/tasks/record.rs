//! A task as it is stored and shown.

use std::sync::Arc;

use bytes::Bytes;

use crate::json::push_string;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// It runs.
    Working,
    /// It waits for the client.
    InputRequired,
    /// It has a result, which may say that the tool failed.
    Completed,
    /// It ended with a protocol error.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl TaskStatus {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Working, Self::InputRequired, Self::Completed, Self::Failed, Self::Cancelled];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the task has ended.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// What it takes to call a tool anew when the process that ran it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// Name of the tool.
    pub tool: Box<str>,
    /// Its arguments, JSON.
    pub arguments: Option<Box<str>>,
    /// What the service knew of the caller, for [`crate::Service::caller_again`].
    pub caller: Option<Box<str>>,
}

/// A task.
#[derive(Clone, Debug)]
pub struct TaskRecord {
    /// Unguessable.
    pub id: Arc<str>,
    /// Name of the server that runs it.
    pub endpoint: Box<str>,
    /// The caller that started it.
    pub principal: Option<Arc<str>>,
    /// Where it stands.
    pub status: TaskStatus,
    /// What it is doing, for people.
    pub status_message: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// When it is forgotten, in seconds since 1970.
    pub expires_s: u64,
    /// How long it is kept from its creation, in milliseconds.
    pub ttl_ms: u64,
    /// How often to ask, in milliseconds.
    pub poll_ms: u64,
    /// Questions that wait for an answer: key and serialised request.
    pub input_requests: Vec<(String, Bytes)>,
    /// How it goes on after a restart; it does not without.
    pub interrupted: Option<Interrupted>,
    /// The serialised result object.
    pub result: Option<Bytes>,
    /// The serialised error object.
    pub error: Option<Bytes>,
}

impl TaskRecord {
    /// Appends the members that every form of a task has, without braces.
    pub(crate) fn write_members(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"taskId\":");
        push_string(out, &self.id);
        out.extend_from_slice(b",\"status\":\"");
        out.extend_from_slice(self.status.as_str().as_bytes());
        out.push(b'"');
        if let Some(message) = &self.status_message {
            out.extend_from_slice(b",\"statusMessage\":");
            push_string(out, message);
        }
        let rest = format!(
            ",\"createdAt\":\"{}\",\"lastUpdatedAt\":\"{}\",\"ttlMs\":{},\"pollIntervalMs\":{}",
            self.created_at, self.updated_at, self.ttl_ms, self.poll_ms
        );
        out.extend_from_slice(rest.as_bytes());
    }

    /// Appends the members that tell how the task ended or what it waits for.
    pub(crate) fn write_details(&self, out: &mut Vec<u8>) {
        match (self.status, &self.result, &self.error) {
            (TaskStatus::Completed, Some(result), _) => {
                out.extend_from_slice(b",\"result\":");
                out.extend_from_slice(result);
            }
            (TaskStatus::Failed, _, Some(error)) => {
                out.extend_from_slice(b",\"error\":");
                out.extend_from_slice(error);
            }
            (TaskStatus::InputRequired, ..) => {
                out.extend_from_slice(b",\"inputRequests\":");
                write_questions(&self.input_requests, out);
            }
            _ => {}
        }
    }
}

/// Appends a map of serialised questions.
pub(crate) fn write_questions(questions: &[(String, Bytes)], out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, (key, question)) in questions.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(out, key);
        out.push(b':');
        out.extend_from_slice(question);
    }
    out.push(b'}');
}
