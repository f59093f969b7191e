//! The audit log: who did what, when, with what outcome. A change and the note about it are one transaction; calls and
//! refusals are written behind in batches.

mod batch;
mod recorder;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{AuditEntry, AuditKind, AuditNote, AuditQuery, Pending};

use crate::operation::{Declared, Effect, Scope};
use crate::{Caller, Code, Context, Error};

pub use recorder::{ENTRIES_KEPT, Recorder};

/// Most entries of one answer.
pub const LIMIT_MAX: usize = 1_000;
/// Entries of one answer unless told otherwise.
const LIMIT: usize = 50;
/// Longest word of a caller's that is kept, characters.
const WORD_CHARS_MAX: usize = 128;
/// The operation whose calls are in the log of calls, and written from there.
pub(crate) const TOOL_CALL: &str = "tool.call";

/// Which entries.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListInput {
    /// Only `change`, `call` or `note`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Of this caller alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// About this alone: the name of a server, account or policy, or the id of a key or job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Of this operation alone, such as `server.create`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// `ok`, a code such as `MF1005`, or `failed` for all that are not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Since then: a time (RFC 3339), or how long ago, such as `90s`, `10m`, `2h`, `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most entries in one answer; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<usize>,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Something was changed, or was to be.
    Change,
    /// A tool was called.
    Call,
    /// Something about the log itself.
    Note,
}

/// Entries, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListOutput {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where older entries begin; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its number; there are no gaps.
    pub seq: i64,
    /// When it happened, RFC 3339.
    pub time: String,
    /// What it is about.
    pub kind: Kind,
    /// Name of the operation.
    pub operation: String,
    /// Who asked.
    pub caller: String,
    /// Whose things were used.
    pub owner: String,
    /// What was changed or called: the name of a server, account or policy, or the id of a key or job; may be empty.
    pub subject: String,
    /// Names the request.
    pub request: String,
    /// `ok`, `error`, or the code of a failure.
    pub outcome: String,
    /// More about it. Arguments and answers are not kept.
    pub details: Value,
    /// SHA-256 over the hash of the entry before it and everything in this one.
    pub hash: String,
}

/// What is to be proved.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyInput {
    /// A `head` that was noted earlier, `NUMBER:HASH`: the entry of that number must still have that hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
}

/// What the chain is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyOutput {
    /// Whether no entry was changed, removed, or put in between.
    pub intact: bool,
    /// How many entries were looked at.
    pub entries: u64,
    /// Number of the oldest entry that is kept.
    pub first: i64,
    /// Number of the newest entry.
    pub last: i64,
    /// The newest entry, `NUMBER:HASH`. Whoever notes it can prove later that nothing before it was changed.
    pub head: String,
    /// The entry at which the chain breaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_at: Option<i64>,
    /// Why it breaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What to do then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What to do about a chain that breaks, and which follows on from entry to entry up to one.
fn what_to_do(first: i64, whole_to: i64) -> String {
    let good = match whole_to {
        last if last > first => format!("the entries {first} to {last} are as they were written"),
        last if last == first => format!("entry {first} is as it was written"),
        _ => "no entry is known to be as it was written".to_owned(),
    };
    format!(
        "{good}; keep a copy of the catalogue as it is (`mcp-factory backup FILE`), compare it with a backup or a `head` from \
         before, and look who could write to it besides mcp-factory"
    )
}

/// Lists entries, newest first.
///
/// # Errors
/// The cursor or `since` cannot be read; the catalogue cannot be read.
pub async fn list(context: &Context, input: ListInput) -> Result<ListOutput, Error> {
    let before = input.cursor.as_deref().map(opened).transpose()?;
    let since = input.since.as_deref().map(crate::deploy::moment).transpose()?;
    if !context.has_store() {
        return Ok(ListOutput { entries: Vec::new(), next_cursor: None });
    }
    written(context).await;
    let limit = input.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let query = AuditQuery {
        kind: input.kind.map(|kind| match kind {
            Kind::Change => AuditKind::Change,
            Kind::Call => AuditKind::Call,
            Kind::Note => AuditKind::Note,
        }),
        caller: input.caller,
        subject: input.subject,
        operation: input.operation,
        outcome: input.outcome,
        since: since.map(told),
        before,
        limit: limit + 1,
    };
    let mut found = context.store(move |store| store.audit(&query)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|last| format!("1.{}", last.seq));
    Ok(ListOutput { entries: found.into_iter().map(Entry::from).collect(), next_cursor })
}

/// Looks through the whole log.
///
/// # Errors
/// What is expected cannot be read; the catalogue cannot be read.
pub async fn verify(context: &Context, input: VerifyInput) -> Result<VerifyOutput, Error> {
    let expected = input.expect.as_deref().map(expected).transpose()?;
    if !context.has_store() {
        let nothing = VerifyOutput {
            intact: expected.is_none(),
            entries: 0,
            first: 1,
            last: 0,
            head: "0:".to_owned(),
            broken_at: None,
            hint: expected
                .as_ref()
                .map(|_| "look whether this is the right home folder: it has no catalogue".to_owned()),
            problem: expected.map(|(seq, _)| format!("entry {seq} is missing")),
        };
        return Ok(nothing);
    }
    written(context).await;
    let (check, noted) = context
        .store(move |store| {
            let check = store.check_audit()?;
            let noted = match &expected {
                Some((seq, hash)) => Some((*seq, hash.clone(), store.audit_entry(*seq)?)),
                None => None,
            };
            Ok((check, noted))
        })
        .await?;
    let mut problem = check.problem.clone();
    if let (None, Some((seq, hash, entry))) = (&problem, noted) {
        problem = match entry {
            Some(entry) if entry.hash == hash => None,
            Some(_) => Some((seq, "it is another entry than the one that was noted".to_owned())),
            None if seq < check.first => Some((seq, "it is older than the entries that are kept".to_owned())),
            None => Some((seq, "it is missing: the newest entries were removed".to_owned())),
        };
    }
    // Where the chain holds, and not what was noted of it, all of it may have been written anew.
    let whole_to = if check.problem.is_some() { check.last } else { check.first - 1 };
    Ok(VerifyOutput {
        intact: problem.is_none(),
        entries: check.entries,
        first: check.first,
        last: check.last,
        head: format!("{}:{}", check.last, check.head),
        broken_at: problem.as_ref().map(|(seq, _)| *seq),
        hint: problem.is_some().then(|| what_to_do(check.first, whole_to)),
        problem: problem.map(|(seq, why)| format!("entry {seq}: {why}")),
    })
}

/// Waits until what happened before this moment is written.
pub(crate) async fn written(context: &Context) {
    crate::deploy::written(context).await;
    if let Some(recorder) = &context.recorder {
        recorder.flush().await;
    }
}

/// The note about an operation that is to begin; `None` when it changes nothing.
pub(crate) fn begin(
    context: &Context,
    declared: &'static Declared,
    subject: Option<&str>,
    noted: &Value,
) -> Option<Arc<Pending>> {
    changes(declared).then(|| Arc::new(Pending::new(note(context, declared, subject, noted, "ok"))))
}

/// Whether it changes the catalogue: a call changes what a tool does.
fn changes(declared: &Declared) -> bool {
    declared.effect != Effect::Reads && declared.scope != Scope::ServersCall
}

/// Records the end of an operation that nothing recorded yet: a refusal, a failure, a call at a command line.
pub(crate) async fn end(
    context: &Context,
    declared: &'static Declared,
    subject: Option<&str>,
    noted: &Value,
    failure: Option<Code>,
) {
    let is_call = declared.scope == Scope::ServersCall;
    let is_logged = context.recorder.is_some() && declared.name == TOOL_CALL;
    let is_told = failure.is_none() && (!is_call || is_logged);
    if declared.effect == Effect::Reads || is_told || !context.has_store() {
        return;
    }
    let mut note = note(context, declared, subject, noted, failure.map_or("ok", Code::as_str));
    if is_call {
        note.kind = AuditKind::Call;
    }
    if let Some(recorder) = &context.recorder {
        return recorder.put(note);
    }
    if let Err(error) = context.store(move |store| store.append_audit(vec![note])).await {
        tracing::warn!(operation = declared.name, %error, "the audit log could not be written");
    }
}

fn note(
    context: &Context,
    declared: &'static Declared,
    subject: Option<&str>,
    noted: &Value,
    outcome: &'static str,
) -> AuditNote {
    let kind = match &context.caller {
        Caller::Local => json!("local"),
        Caller::Remote(principal) => json!(principal.kind),
    };
    let mut details = json!({"callerKind": kind});
    if let Some(address) = context.address {
        details["address"] = json!(address);
    }
    for (name, value) in noted.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        details[name.as_str()] = value.as_str().map_or_else(|| value.clone(), |text| word(text).into());
    }
    AuditNote {
        kind: AuditKind::Change,
        time: None,
        operation: declared.name.into(),
        caller: context.caller.id().into(),
        owner: context.caller.owner().into(),
        subject: word(subject.unwrap_or_default()).into(),
        request: word(&context.request),
        outcome: outcome.into(),
        details: details.to_string(),
    }
}

/// What a caller named, as the log keeps it: they may name anything, and no database takes everything.
pub(crate) fn word(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(WORD_CHARS_MAX).collect()
}

/// The same of a word that is shared: nearly all are short and plain, and stay as they are.
pub(crate) fn shared_word(text: &Arc<str>) -> Arc<str> {
    match text.len() <= WORD_CHARS_MAX && text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        true => Arc::clone(text),
        false => word(text).into(),
    }
}

fn opened(cursor: &str) -> Result<i64, Error> {
    cursor.strip_prefix("1.").and_then(|seq| seq.parse().ok()).ok_or_else(|| {
        Error::new(Code::BadCursor, format!("`{cursor}` is not a cursor of this list"))
            .hint("pass the `nextCursor` of the page before, or leave `cursor` out to begin at the newest entry")
    })
}

fn expected(text: &str) -> Result<(i64, String), Error> {
    let parts = text.split_once(':').and_then(|(seq, hash)| Some((seq.parse().ok()?, hash.to_owned())));
    parts.ok_or_else(|| {
        Error::new(Code::BadRequest, format!("`{text}` is no head of an audit log"))
            .hint("pass the `head` that an earlier `audit verify` gave: `NUMBER:HASH`")
    })
}

/// A moment as the log writes it.
fn told(micros: u64) -> String {
    let time = i64::try_from(micros).ok().and_then(chrono::DateTime::from_timestamp_micros).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

impl From<AuditEntry> for Entry {
    fn from(entry: AuditEntry) -> Self {
        let note = entry.note;
        Self {
            seq: entry.seq,
            time: note.time.unwrap_or_default(),
            kind: match note.kind {
                AuditKind::Change => Kind::Change,
                AuditKind::Call => Kind::Call,
                AuditKind::Note => Kind::Note,
            },
            operation: note.operation.into_owned(),
            caller: note.caller.to_string(),
            owner: note.owner.to_string(),
            subject: note.subject.to_string(),
            request: note.request,
            outcome: note.outcome.into_owned(),
            details: serde_json::from_str(&note.details).unwrap_or_default(),
            hash: entry.hash,
        }
    }
}

#[cfg(test)]
mod tests;
