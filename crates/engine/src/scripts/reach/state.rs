//! What a server remembers, as a script sees it: `await state.get('key')`, `await timers.set('name', {inMs: 1000, tool: 'work'})`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connect::state::{Done, Entry, Fault, Only, SetTimer, State, Step, Timer, now};
use script::{Host as _, HostError, Rest};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::host::ScriptHost;
use super::{refuse, silent};
use crate::outcome::FailureKind;

/// The object with the values.
pub(crate) const STATE: &str = "state";
/// The object with the timers.
pub(crate) const TIMERS: &str = "timers";

pub(super) const VALUES: [&str; 6] = ["get", "entry", "set", "delete", "list", "change"];
pub(super) const OF_TIMERS: [&str; 3] = ["set", "cancel", "list"];

/// Longest time until a change that another process made is seen.
const LOOK: Duration = Duration::from_secs(10);

/// Entries of a list that does not say how many.
const LISTED: usize = 100;

/// Beside the key of a change: `if` is the version that the value has to have, or null for no value.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Options {
    ttl_ms: Option<i64>,
    #[serde(rename = "if", deserialize_with = "present")]
    only: Option<Option<i64>>,
    after: Option<String>,
    limit: Option<usize>,
    reverse: bool,
}

/// Null is a value here, unlike nothing at all.
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl Options {
    fn only(&self) -> Option<Only> {
        self.only.map(|version| version.map_or(Only::Absent, Only::Version))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Set {
    in_ms: Option<i64>,
    at: Option<i64>,
    tool: String,
    #[serde(default)]
    args: Map<String, Value>,
    #[serde(default)]
    sooner: bool,
}

impl Set {
    /// The timer of this name; its tool has to be there.
    fn named(self, name: String, host: &ScriptHost<'_>) -> Result<SetTimer, HostError> {
        let due = match (self.at, self.in_ms) {
            (Some(at), None) => at,
            (None, Some(time)) => now().saturating_add(time),
            _ => return Err(usage(TIMERS, "set")),
        };
        host.set.tool(&self.tool).map_err(|unknown| refuse(FailureKind::Value, unknown.0))?;
        Ok(SetTimer {
            name,
            due,
            tool: self.tool,
            arguments: Value::Object(self.args).to_string(),
            sooner: self.sooner,
        })
    }
}

/// One change among others: of a value, or a timer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Change {
    set: Option<String>,
    value: Option<Box<RawValue>>,
    ttl_ms: Option<i64>,
    #[serde(rename = "if", default, deserialize_with = "present")]
    only: Option<Option<i64>>,
    delete: Option<String>,
    timer: Option<String>,
    in_ms: Option<i64>,
    at: Option<i64>,
    tool: Option<String>,
    #[serde(default)]
    args: Map<String, Value>,
    #[serde(default)]
    sooner: bool,
}

impl Change {
    fn step(self, host: &ScriptHost<'_>) -> Result<Step, HostError> {
        let only = self.only.map(|version| version.map_or(Only::Absent, Only::Version));
        let is_value = self.timer.is_none() && self.tool.is_none() && self.at.is_none() && self.in_ms.is_none();
        Ok(match (self.set, self.value, self.delete, self.timer, self.tool) {
            (Some(key), Some(value), None, None, None) if is_value => {
                let expires = self.ttl_ms.map(|time| now().saturating_add(time));
                Step::Set { key, value: value.get().to_owned(), expires, only }
            }
            (None, None, Some(key), None, None) if is_value && self.ttl_ms.is_none() => Step::Delete { key, only },
            (None, None, None, Some(name), Some(tool)) if self.ttl_ms.is_none() && only.is_none() => {
                let set = Set { in_ms: self.in_ms, at: self.at, tool, args: self.args, sooner: self.sooner };
                Step::Timer(set.named(name, host)?)
            }
            _ => return Err(usage(STATE, "change")),
        })
    }
}

/// The arguments of one call, one after the other.
struct Given(std::vec::IntoIter<Box<RawValue>>);

impl Given {
    fn read(arguments: &str) -> Result<Self, ()> {
        serde_json::from_str::<Vec<Box<RawValue>>>(arguments).map(|all| Self(all.into_iter())).map_err(|_| ())
    }

    fn raw(&mut self) -> Option<Box<RawValue>> {
        self.0.next()
    }

    fn next<T: for<'a> Deserialize<'a>>(&mut self) -> Result<T, ()> {
        serde_json::from_str(self.raw().ok_or(())?.get()).map_err(|_| ())
    }

    fn options(&mut self) -> Result<Options, ()> {
        match self.raw() {
            None => Ok(Options::default()),
            Some(raw) => {
                serde_json::from_str::<Option<Options>>(raw.get()).map(Option::unwrap_or_default).map_err(|_| ())
            }
        }
    }
}

fn told(fault: &Fault) -> HostError {
    let kind = match fault {
        Fault::Conflict(_) => FailureKind::Constraint,
        Fault::Limit(_) => FailureKind::Limit,
        Fault::Busy => FailureKind::Busy,
        Fault::Broken(_) => FailureKind::Unavailable,
    };
    refuse(kind, fault.to_string())
}

fn usage(object: &str, name: &str) -> HostError {
    let how = match (object, name) {
        (STATE, "set") => "takes a key, a value and `{ttlMs, if}`",
        (STATE, "delete") => "takes a key and `{if}`",
        (STATE, "list") => "takes a prefix and `{after, limit, reverse}`",
        (STATE, "change") => {
            "takes a list of `{set, value, ttlMs, if}`, `{delete, if}` and `{timer, inMs or at, tool, args, sooner}`"
        }
        (TIMERS, "set") => "takes a name and `{inMs or at, tool, args, sooner}`",
        (TIMERS, "list") => "takes a prefix and `{limit}`",
        (TIMERS, _) => "takes a name",
        _ => "takes a key",
    };
    refuse(FailureKind::Value, format!("`{object}.{name}` {how}"))
}

/// Works with the file.
async fn blocking<T: Send + 'static>(
    state: &Arc<State>,
    work: impl FnOnce(&State) -> Result<T, Fault> + Send + 'static,
) -> Result<T, HostError> {
    state.work(work).await.map_err(|fault| told(&fault))
}

fn shown(entry: &Entry) -> Result<Value, HostError> {
    let value: Value = serde_json::from_str(&entry.value).map_err(|error| {
        refuse(FailureKind::Internal, format!("the value of `{}` cannot be read: {error}", entry.key))
    })?;
    Ok(json!({ "key": entry.key, "value": value, "version": entry.version, "expiresAt": entry.expires }))
}

pub(super) async fn values(
    state: &Arc<State>,
    host: &ScriptHost<'_>,
    name: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    let bad = |()| usage(STATE, name);
    let mut given = Given::read(arguments).map_err(bad)?;
    if matches!(name, "set" | "delete" | "change") && !host.writes() {
        return Err(silent(&format!("`{STATE}.{name}`")));
    }
    if name == "change" {
        return together(state, host, given.next().map_err(bad)?).await;
    }
    let key: String = given.next().map_err(bad)?;
    let answer = match name {
        "get" | "entry" => match blocking(state, move |state| state.get(&key, now())).await? {
            Some(entry) if name == "get" => return Ok(entry.value.into()),
            Some(entry) => shown(&entry)?,
            None => Value::Null,
        },
        "set" => {
            let value = given.raw().ok_or(()).map_err(bad)?;
            let options = given.options().map_err(bad)?;
            let expires = options.ttl_ms.map(|time| now().saturating_add(time));
            let only = options.only();
            blocking(state, move |state| state.set(&key, value.get(), expires, only, now())).await?.into()
        }
        "delete" => {
            let only = given.options().map_err(bad)?.only();
            blocking(state, move |state| state.delete(&key, only, now())).await?.into()
        }
        _ => {
            let options = given.options().map_err(bad)?;
            let limit = options.limit.unwrap_or(LISTED);
            let page = blocking(state, move |state| {
                let after = options.after.as_deref();
                if options.reverse {
                    state.list_back(&key, after, limit, now())
                } else {
                    state.list(&key, after, limit, now())
                }
            });
            let page = page.await?;
            let next = page.entries.last().filter(|_| page.more).map(|entry| entry.key.clone());
            let entries = page.entries.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
            json!({ "entries": entries, "next": next })
        }
    };
    Ok(answer.to_string().into())
}

/// Makes changes together, or none of them: a version for each value, whether there was one to delete, when a timer is due.
async fn together(state: &Arc<State>, host: &ScriptHost<'_>, changes: Vec<Change>) -> Result<Bytes, HostError> {
    let steps = changes.into_iter().map(|change| change.step(host)).collect::<Result<Vec<_>, _>>()?;
    let done = blocking(state, move |state| state.together(&steps, now())).await?;
    let each = done.into_iter().map(|one| match one {
        Done::Version(version) => Value::from(version),
        Done::Deleted(was_there) => Value::from(was_there),
        Done::Due(at) => Value::from(at),
    });
    Ok(Value::from_iter(each).to_string().into())
}

pub(super) async fn timers(
    state: &Arc<State>,
    host: &ScriptHost<'_>,
    name: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    let bad = |()| usage(TIMERS, name);
    let mut given = Given::read(arguments).map_err(bad)?;
    let timer: String = given.next().map_err(bad)?;
    if name != "list" && !host.writes() {
        return Err(silent(&format!("`{TIMERS}.{name}`")));
    }
    let answer = match name {
        "set" => {
            let set = given.next::<Set>().map_err(bad)?.named(timer, host)?;
            let due = set.due;
            blocking(state, move |state| state.set_timer(&set, now())).await?;
            json!(due)
        }
        "cancel" => blocking(state, move |state| state.cancel_timer(&timer)).await?.into(),
        _ => {
            let limit = given.options().map_err(bad)?.limit.unwrap_or(LISTED);
            let page = blocking(state, move |state| state.timers(&timer, limit)).await?;
            let each = page.timers.iter().map(|one: &Timer| {
                let args: Value = serde_json::from_str(&one.arguments).unwrap_or_default();
                json!({ "name": one.name, "at": one.due, "tool": one.tool, "args": args, "attempts": one.attempts })
            });
            json!({ "timers": each.collect::<Vec<_>>(), "more": page.more })
        }
    };
    Ok(answer.to_string().into())
}

/// What is told of a value that says how far something is.
#[derive(Deserialize)]
struct Told {
    done: f64,
    total: Option<f64>,
    #[serde(default)]
    message: String,
}

/// Ends when the value that is waited for changes, and tells what another value says of progress meanwhile.
pub(in super::super) async fn changed(state: &Arc<State>, host: &ScriptHost<'_>, rest: &Rest) -> Result<(), HostError> {
    let said = async {
        let Some(key) = &rest.progress else { return std::future::pending().await };
        let mut change = state.watch(key);
        loop {
            change.next().await;
            let key = key.clone();
            let entry = blocking(state, move |state| state.get(&key, now())).await?;
            if let Some(told) = entry.and_then(|entry| serde_json::from_str::<Told>(&entry.value).ok()) {
                host.progress(told.done, told.total, &told.message);
            }
        }
    };
    let other = async {
        let Some((key, version)) = &rest.change else { return std::future::pending().await };
        // Before the value is read, so that no change is missed.
        let mut change = state.watch(key);
        loop {
            let elsewhere = state.elsewhere().await.map_err(|fault| told(&fault))?;
            let wanted = key.clone();
            let entry = blocking(state, move |state| state.get(&wanted, now())).await?;
            if entry.map(|entry| entry.version) != *version {
                return Ok(());
            }
            // What waits reads nothing until there is something new.
            while tokio::time::timeout(LOOK, change.next()).await.is_err() {
                if state.elsewhere().await.map_err(|fault| told(&fault))? != elsewhere {
                    break;
                }
            }
        }
    };
    tokio::select! {
        ended = said => ended,
        ended = other => ended,
    }
}
