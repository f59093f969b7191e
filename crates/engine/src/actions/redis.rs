//! The `redis` action: commands from a call's arguments, and a result from their answers.

use std::time::Instant;

use bytes::Bytes;
use connect::redis::{Batch, Command, Redis, Scan};
use serde_json::{Map, Value, json};
use spec::expression::{Scope, Template, Tree, plain};
use spec::model::{Redis as Declared, RedisScan, RedisText, RedisType};

use super::part::{self, tree};
use super::{Fault, fixed_text, scope};
use crate::connections::Link;
use crate::context::CallContext;
use crate::errors;
use crate::outcome::{Failure, Outcome};
use crate::shape;
use crate::toolset::{Tool, Toolset};

type Attempt<T> = Result<T, Box<Failure>>;

/// Fewest milliseconds of a wait that is cut at the deadline: none would be one without an end.
const WAIT_MS_MIN: u64 = 1;

/// Commands with everything that is known before a call.
#[derive(Debug)]
pub(crate) struct RedisAction {
    connection: Box<str>,
    redis: Link<Redis>,
    commands: Vec<Vec<Tree>>,
    /// Whether the result is the list of all answers.
    several: bool,
    walk: Option<Walk>,
    atomic: bool,
    reads: bool,
    json: bool,
}

#[derive(Debug)]
struct Walk {
    key: Option<Template>,
    pattern: Option<Template>,
    cursor: Option<Template>,
    limit: Option<Tree>,
    kind: Option<RedisType>,
    limit_max: usize,
}

impl RedisAction {
    /// Compiles commands.
    ///
    /// # Errors
    /// What cannot be read or is not allowed, for the author.
    pub(crate) fn compile(connection: &str, redis: Link<Redis>, action: &Declared, rows: u64) -> Result<Self, Fault> {
        // A plan may have been edited by hand.
        for command in action.all() {
            let words: Vec<&str> = command.iter().map_while(Value::as_str).collect();
            let class = spec::redis::class(&words)?;
            if class != spec::redis::Class::Read && !action.write {
                return Err(format!("`{}` changes data, and the action does not say that it writes", words[0]));
            }
        }
        let commands = action.all().map(|command| command.iter().map(tree).collect::<Result<Vec<_>, _>>());
        Ok(Self {
            connection: connection.into(),
            redis,
            commands: commands.collect::<Result<_, _>>()?,
            several: action.commands.is_some(),
            walk: action.scan.as_ref().map(|scan| Walk::compile(scan, rows)).transpose()?,
            atomic: action.atomic,
            reads: !action.write,
            json: action.read_as == RedisText::Json,
        })
    }

    fn batch(&self, tool: &Tool, scope: &Scope, deadline: Instant) -> Attempt<Batch> {
        let commands = self.commands.iter().map(|trees| {
            let mut words = Vec::with_capacity(trees.len());
            for (nth, tree) in trees.iter().enumerate() {
                let value = part::value(tool, &format!("redis/{nth}"), tree, scope)?;
                words.extend(value.map(texts).unwrap_or_default());
            }
            Ok(Command { json: self.json, ..Command::new(bounded(words, deadline)) })
        });
        Ok(Batch { commands: commands.collect::<Attempt<_>>()?, atomic: self.atomic, reads: self.reads })
    }
}

/// The words of a value: a list gives several, an object is one of JSON.
fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.into_iter().filter_map(plain).collect(),
        other => plain(other).into_iter().collect(),
    }
}

/// A command that waits, waits at most until just before the deadline: its answer is then that there is nothing.
pub(crate) fn bounded(mut words: Vec<String>, deadline: Instant) -> Vec<String> {
    let Some((at, unit)) = spec::redis::wait_of(&words) else { return words };
    let left = Redis::block_max(deadline.into()).as_millis().max(u128::from(WAIT_MS_MIN));
    if let Some(word) = words.get_mut(at)
        && let Ok(wait) = word.parse::<f64>()
    {
        #[expect(clippy::cast_precision_loss, reason = "a time limit is far below 2^52 milliseconds")]
        let most = left as f64 / unit as f64;
        if wait <= 0.0 || wait > most {
            *word = if unit == 1 { left.to_string() } else { format!("{most}") };
        }
    }
    words
}

impl Walk {
    fn compile(scan: &RedisScan, rows: u64) -> Result<Self, Fault> {
        let text = |text: &Option<String>| text.as_deref().map(fixed_text).transpose();
        Ok(Self {
            key: text(&scan.key)?,
            pattern: text(&scan.pattern)?,
            cursor: text(&scan.cursor)?,
            limit: scan.limit.as_ref().map(tree).transpose()?,
            kind: scan.kind,
            limit_max: usize::try_from(rows).unwrap_or(usize::MAX),
        })
    }

    fn fill(&self, tool: &Tool, scope: &Scope, json: bool) -> Attempt<Scan> {
        let text = |what: &str, template: &Option<Template>| match template {
            Some(template) => part::text(tool, what, template, scope),
            None => Ok(None),
        };
        let key = text("redis/scan/key", &self.key)?;
        if self.key.is_some() && key.is_none() {
            return Err(errors::value(tool, "the key of the walk is absent"));
        }
        let command = match (&key, self.kind) {
            (None, _) => "SCAN",
            (Some(_), Some(RedisType::Hash)) => "HSCAN",
            (Some(_), Some(RedisType::Zset)) => "ZSCAN",
            (Some(_), _) => "SSCAN",
        };
        Ok(Scan {
            command: command.to_owned(),
            pattern: text("redis/scan/match", &self.pattern)?,
            kind: self.kind.filter(|_| key.is_none()).map(|kind| kind.as_str().to_owned()),
            cursor: text("redis/scan/cursor", &self.cursor)?,
            limit: part::limit(tool, "redis/scan/limit", self.limit.as_ref(), scope, self.limit_max)?,
            key,
            json,
        })
    }
}

impl Toolset {
    pub(crate) async fn run_redis(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &RedisAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        let redis = action.redis.as_ref().map_err(|why| errors::no_connection(tool, &action.connection, why))?;
        let turn = self.turn(context, tool, started).await?;
        let scope = scope(context, &arguments);
        let failed = |error: connect::Error| errors::store(tool, &error, !action.reads, started.elapsed());
        let (value, rows) = if let Some(walk) = &action.walk {
            let scan = walk.fill(tool, &scope, action.json)?;
            let found = redis.scan(&scan, turn.deadline.into(), context.cancel).await.map_err(failed)?;
            let rows = found.items.len();
            let mut value = json!({ "items": found.items });
            if let Some(cursor) = found.cursor {
                value["cursor"] = cursor.into();
            }
            (value, rows)
        } else {
            let batch = action.batch(tool, &scope, turn.deadline)?;
            let mut values = redis.run(&batch, turn.deadline.into(), context.cancel).await.map_err(failed)?;
            (if action.several { Value::Array(values) } else { values.pop().unwrap_or_default() }, 1)
        };
        let outcome = self.finish(tool, &value)?;
        Ok(Outcome { rows, ..outcome })
    }

    /// A result of JSON, within the limit and as `returns` says.
    pub(crate) fn finish(&self, tool: &Tool, value: &Value) -> Attempt<Outcome> {
        let json = Bytes::from(value.to_string());
        if json.len() > self.raw_bytes(tool) {
            return Err(errors::too_many_bytes(tool, json.len(), self.raw_bytes(tool)));
        }
        shape::conforms(tool, &json)?;
        Ok(Outcome::structured(json))
    }
}
