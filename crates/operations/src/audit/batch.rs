//! What is written to the audit log together. Calls become notes one by one while they are written: a call and its shared
//! names are much smaller than the note about it.

use std::sync::Arc;

use ::deploy::{Call, Times};
use serde::Serialize;
use store::{AuditKind, AuditNote, AuditNotes};

use super::{TOOL_CALL, shared_word};

/// Part of a batch.
pub(super) enum Part {
    Note(AuditNote),
    Calls(Vec<Call>),
}

/// Notes and calls in order.
pub(super) struct Batch(pub(super) Vec<Part>);

impl Batch {
    /// How many entries it makes.
    pub(super) fn entries(&self) -> usize {
        let count = |part: &Part| match part {
            Part::Note(_) => 1,
            Part::Calls(calls) => calls.len(),
        };
        self.0.iter().map(count).sum()
    }
}

impl AuditNotes for Batch {
    fn each(&self, take: &mut dyn FnMut(&AuditNote)) {
        let mut times = Times::default();
        let mut note = AuditNote {
            kind: AuditKind::Call,
            time: None,
            operation: TOOL_CALL.into(),
            owner: "".into(),
            caller: "".into(),
            subject: "".into(),
            request: String::new(),
            outcome: "".into(),
            details: String::new(),
        };
        for part in &self.0 {
            match part {
                Part::Note(note) => take(note),
                Part::Calls(calls) => {
                    for call in calls {
                        told(&mut note, call, &mut times);
                        take(&note);
                    }
                }
            }
        }
    }
}

/// What the audit log keeps of a call beside what it keeps of everything.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    tool: &'a str,
    version: &'a str,
    ms: f64,
    bytes_in: u64,
    bytes_out: u64,
}

/// Makes the note about a call, in the room of the one before it.
fn told(note: &mut AuditNote, call: &Call, times: &mut Times) {
    let time = note.time.get_or_insert_default();
    time.clear();
    time.push_str(times.at(call.id));
    note.caller = shared_word(call.caller());
    note.owner = Arc::clone(&note.caller);
    note.subject = shared_word(&call.server);
    note.request.clear();
    note.request.push_str(itoa::Buffer::new().format(call.id));
    note.outcome = call.outcome().into();
    let details = Details {
        tool: &call.tool,
        version: &call.version,
        ms: call.ms(),
        bytes_in: call.bytes_in,
        bytes_out: call.bytes,
    };
    // Texts and numbers alone: there is nothing that JSON cannot say.
    note.details = serde_json::to_string(&details).unwrap_or_default();
}
