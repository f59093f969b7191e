//! SQL databases as a script sees them: SQL texts that it prepares, and what is bound to their names.

use std::collections::HashMap;
use std::sync::Arc;

use base::nearest;
use bytes::Bytes;
use connect::{Database, Statement};
use parking_lot::Mutex;
use script::HostError;
use serde::Deserialize;
use serde_json::{Map, Value};
use spec::sql::{Class, Dialect, Template, check};

use super::super::host::ScriptHost;
use super::{refuse, unavailable};
use crate::acting::ActAs;
use crate::connections::Link;
use crate::limits::SCRIPT_STATEMENTS_KEPT;
use crate::outcome::FailureKind;

/// The functions of a connection, in the order of their numbers.
pub(super) const FUNCTIONS: [&str; 2] = ["query", "execute"];

/// A database that a script reaches.
#[derive(Debug)]
pub(super) struct Reach {
    dialect: Dialect,
    database: Link<Database>,
    acts: Option<Arc<ActAs>>,
    /// Statements that were read before. Most scripts have a few, whose texts do not change.
    known: Mutex<HashMap<Box<str>, Arc<Prepared>>>,
}

/// `(sql, values?)`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Arguments {
    Bare((String,)),
    Bound((String, Option<Map<String, Value>>)),
}

/// A statement with the names that are bound, in the order of the values.
#[derive(Debug)]
pub(in crate::scripts) struct Prepared {
    pub(in crate::scripts) statement: Statement,
    names: Box<[String]>,
    is_write: bool,
}

impl Reach {
    pub(super) fn new(dialect: Dialect, database: Link<Database>, acts: Option<Arc<ActAs>>) -> Self {
        Self { dialect, database, acts, known: Mutex::default() }
    }

    pub(super) async fn call(
        &self,
        host: &ScriptHost<'_>,
        connection: &str,
        name: &str,
        arguments: &str,
    ) -> Result<Bytes, HostError> {
        let (sql, values) = match serde_json::from_str(arguments) {
            Ok(Arguments::Bare((sql,))) => (sql, Map::new()),
            Ok(Arguments::Bound((sql, values))) => (sql, values.unwrap_or_default()),
            Err(_) => {
                let message = format!("`{connection}.{name}(sql, values)` takes a text and an object of values");
                return Err(refuse(FailureKind::Statement, message));
            }
        };
        let prepared = self.prepare(&sql, host.writes())?;
        let values = prepared.bind(values)?;
        let database = self.database.clone().map_err(|why| unavailable(connection, &why))?;
        let acting = self.acts.as_ref().map(|acts| acts.of(host.context)).transpose();
        let acting = acting.map_err(|why| refuse(FailureKind::Denied, why))?;
        host.statement(database, prepared, values, acting, name == "execute").await
    }

    /// Reads a statement, by the same rules as the `sql` of a tool.
    fn prepare(&self, sql: &str, write: bool) -> Result<Arc<Prepared>, HostError> {
        let known = self.known.lock().get(sql).cloned();
        let prepared = match known {
            Some(prepared) => prepared,
            None => {
                let prepared = Arc::new(self.read(sql)?);
                let mut known = self.known.lock();
                if known.len() < SCRIPT_STATEMENTS_KEPT {
                    known.insert(sql.into(), prepared.clone());
                }
                prepared
            }
        };
        if prepared.is_write && !write {
            let message = "the statement changes data, and the tool does not say that it writes: `script: {code: …, write: true}`";
            return Err(refuse(FailureKind::Denied, message.to_owned()));
        }
        Ok(prepared)
    }

    fn read(&self, sql: &str) -> Result<Prepared, HostError> {
        let bad = |message: String| refuse(FailureKind::Statement, format!("the SQL cannot be run: {message}"));
        let template = Template::parse(sql, self.dialect).map_err(|error| bad(error.to_string()))?;
        let statement = check(sql, self.dialect)
            .map_err(|errors| bad(errors.first().map(ToString::to_string).unwrap_or_default()))?;
        if !matches!(statement.class, Class::Read | Class::Write) {
            return Err(bad(format!("{} is not a statement for a tool; tools read and change rows", statement.verb)));
        }
        let (text, placeholders) = template.native(self.dialect);
        let mut names: Vec<String> = Vec::new();
        let mut order = Vec::with_capacity(placeholders.len());
        for name in placeholders {
            let at = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            order.push(at);
        }
        Ok(Prepared {
            statement: Statement { text: text.into(), order: order.into(), targets: Arc::default() },
            names: names.into(),
            is_write: statement.class == Class::Write,
        })
    }
}

impl Prepared {
    /// The values in order. Each name needs one, and each value a name.
    fn bind(&self, mut values: Map<String, Value>) -> Result<Vec<Value>, HostError> {
        let mut bound = Vec::with_capacity(self.names.len());
        for name in &self.names {
            let Some(value) = values.shift_remove(name) else {
                let message =
                    format!("the SQL uses `:{name}`, and the values have no `{name}`; pass `null` for no value");
                return Err(refuse(FailureKind::Statement, message));
            };
            bound.push(value);
        }
        match values.keys().next() {
            None => Ok(bound),
            Some(name) => {
                let near = nearest(name, self.names.iter().map(String::as_str));
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                Err(refuse(FailureKind::Statement, format!("the SQL does not use `:{name}`{near}")))
            }
        }
    }
}
