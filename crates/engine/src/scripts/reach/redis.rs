//! Redis as a script sees it: `await cache.command('GET', key)`.

use std::sync::Arc;

use bytes::Bytes;
use connect::redis::{Batch, Command, Redis};
use script::HostError;
use serde_json::Value;
use spec::expression::plain;
use spec::redis::{Class, class};

use super::super::host::{ScriptHost, told};
use super::refuse;
use crate::actions::redis::bounded;
use crate::outcome::FailureKind;

/// `command` runs one command and gives its answer; `atomic` takes a list of commands, each a list, and carries all out as one.
pub(super) const FUNCTIONS: [&str; 2] = ["command", "atomic"];

pub(super) async fn call(
    redis: &Arc<Redis>,
    host: &ScriptHost<'_>,
    connection: &str,
    name: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    let usage = || {
        let message = format!(
            "`{connection}.command('GET', key)` takes a command and its arguments, `{connection}.atomic([['INCR', key], …])` a list of them"
        );
        refuse(FailureKind::Value, message)
    };
    let words = |list: Vec<Value>| list.into_iter().map(|word| plain(word).ok_or_else(usage)).collect::<Result<_, _>>();
    let lists: Vec<Vec<String>> = if name == "command" {
        vec![words(serde_json::from_str(arguments).map_err(|_| usage())?)?]
    } else {
        let (lists,): (Vec<Vec<Value>>,) = serde_json::from_str(arguments).map_err(|_| usage())?;
        lists.into_iter().map(words).collect::<Result<_, _>>()?
    };
    for words in &lists {
        match class(words) {
            Ok(Class::Read) => {}
            Ok(_) if host.writes() => {}
            Ok(_) => {
                let message = format!(
                    "`{}` changes data, and the tool does not say that it writes: `script: {{code: …, write: true}}`",
                    words.first().map(String::as_str).unwrap_or_default()
                );
                return Err(refuse(FailureKind::Denied, message));
            }
            Err(why) => return Err(refuse(FailureKind::Denied, why)),
        }
    }
    let batch = Batch {
        commands: lists.into_iter().map(|words| Command::new(bounded(words, host.deadline()))).collect(),
        atomic: name == "atomic",
        reads: !host.writes(),
    };
    let values = redis.run(&batch, host.deadline().into(), host.context.cancel).await;
    let mut values = values.map_err(|error| told(&error, host.writes()))?;
    let value = if name == "command" { values.pop().unwrap_or_default() } else { Value::Array(values) };
    Ok(value.to_string().into())
}
