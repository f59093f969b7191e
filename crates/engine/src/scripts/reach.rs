//! A connection as a script sees it: SQL texts that it prepares, and what is bound to their names.

use std::collections::HashMap;
use std::sync::Arc;

use base::nearest;
use connect::{Database, Statement};
use parking_lot::Mutex;
use script::HostError;
use serde_json::{Map, Value};
use spec::sql::{Class, Dialect, Template, check};

use crate::limits::SCRIPT_STATEMENTS_KEPT;
use crate::outcome::FailureKind;

/// The functions of a connection, in the order of their numbers.
pub(super) const FUNCTIONS: [&str; 2] = ["query", "execute"];

/// A connection that a script reaches.
#[derive(Debug)]
pub(crate) struct Reach {
    connection: Box<str>,
    dialect: Dialect,
    database: Option<Arc<Database>>,
    /// Why there is no database.
    pub(super) unavailable: Option<String>,
    /// Statements that were read before. Most scripts have a few, whose texts do not change.
    known: Mutex<HashMap<Box<str>, Arc<Prepared>>>,
}

/// A statement with the names that are bound, in the order of the values.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) statement: Statement,
    names: Box<[String]>,
    is_write: bool,
}

impl Reach {
    pub(crate) fn new(connection: &str, dialect: Dialect, database: Option<Arc<Database>>) -> Self {
        Self { connection: connection.into(), dialect, database, unavailable: None, known: Mutex::default() }
    }

    pub(super) fn connection(&self) -> &str {
        &self.connection
    }

    pub(super) fn database(&self) -> Result<Arc<Database>, HostError> {
        self.database.clone().ok_or_else(|| {
            let why = self.unavailable.as_deref().unwrap_or("it is not configured");
            refuse(FailureKind::Unavailable, format!("connection `{}` is not available: {why}", self.connection))
        })
    }

    /// Reads a statement, by the same rules as the `sql` of a tool.
    pub(super) fn prepare(&self, sql: &str, write: bool) -> Result<Arc<Prepared>, HostError> {
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
    pub(super) fn bind(&self, mut values: Map<String, Value>) -> Result<Vec<Value>, HostError> {
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

/// An error for the script, with the kind as its code.
pub(super) fn refuse(kind: FailureKind, message: String) -> HostError {
    HostError::new(message).code(kind.as_str())
}
