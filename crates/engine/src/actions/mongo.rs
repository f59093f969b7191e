//! The `mongo` action: an operation from a call's arguments, in which they are values and nothing else.

mod parts;

use std::time::Instant;

use connect::mongo::{Form, Mongo, Request, Verb};
use serde_json::{Map, Value};
use spec::expression::Tree;
use spec::model::{Mongo as Declared, MongoForm};

use super::part::{self, tree};
use super::{Fault, scope};
use crate::connections::Link;
use crate::context::CallContext;
use crate::errors;
use crate::outcome::{Failure, Outcome};
use crate::toolset::{Tool, Toolset};

use parts::Part;

type Attempt<T> = Result<T, Box<Failure>>;

/// An operation with everything that is known before a call.
#[derive(Debug)]
pub(crate) struct MongoAction {
    connection: Box<str>,
    mongo: Link<Mongo>,
    database: Option<String>,
    collection: String,
    verb: Verb,
    parts: Vec<(String, Part)>,
    limit: Option<Tree>,
    limit_max: usize,
    write: bool,
    form: Form,
}

impl MongoAction {
    /// Compiles an operation.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(connection: &str, mongo: Link<Mongo>, action: &Declared, rows: u64) -> Result<Self, Fault> {
        let operations = action.operations();
        let [(word, parts)] = operations.as_slice() else {
            return Err("it does not have exactly one operation".to_owned());
        };
        let verb = Verb::of(word).ok_or_else(|| format!("`{word}` is no operation"))?;
        if !action.write && (verb.writes() || parts.values().any(|part| spec::mongo::forbidden(part).is_some())) {
            return Err(format!("`{word}` changes data here, and the action does not say that it writes"));
        }
        let parts = parts.iter().map(|(name, value)| Ok::<_, Fault>((name.clone(), Part::compile(name, value)?)));
        Ok(Self {
            connection: connection.into(),
            mongo,
            database: action.database.clone(),
            collection: action.collection.clone(),
            verb,
            parts: parts.collect::<Result<_, _>>()?,
            limit: action.limit.as_ref().map(tree).transpose()?,
            limit_max: usize::try_from(rows).unwrap_or(usize::MAX),
            write: action.write,
            form: match action.form {
                MongoForm::Plain => Form::Plain,
                MongoForm::Extended => Form::Extended,
            },
        })
    }
}

/// An argument that holds an operator is refused wherever it goes.
pub(crate) fn refuse_operators(arguments: &Map<String, Value>) -> Result<(), String> {
    for (name, value) in arguments {
        if let Some(operator) = spec::mongo::operator(value) {
            return Err(format!(
                "`{name}` holds the key `{}`; arguments are values here, and keys that begin with `$` are operators",
                operator.escape_debug()
            ));
        }
    }
    Ok(())
}

impl Toolset {
    pub(crate) async fn run_mongo(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &MongoAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        let mongo = action.mongo.as_ref().map_err(|why| errors::no_connection(tool, &action.connection, why))?;
        refuse_operators(&arguments).map_err(|why| errors::value(tool, &why))?;
        let scope = scope(context, &arguments);
        let mut options = Map::new();
        for (name, part) in &action.parts {
            if let Some(value) = part.value(tool, &format!("mongo/{}/{name}", action.verb.as_str()), &scope)? {
                options.insert(name.clone(), value);
            }
        }
        let request = Request {
            database: action.database.clone(),
            collection: action.collection.clone(),
            verb: action.verb,
            options,
            limit: part::limit(tool, "mongo/limit", action.limit.as_ref(), &scope, action.limit_max)?,
            write: action.write,
            form: action.form,
        };
        let turn = self.turn(context, tool, started).await?;
        let value = mongo.run(&request, turn.deadline.into(), context.cancel).await;
        let value = value.map_err(|error| errors::store(tool, &error, action.write, started.elapsed()))?;
        let rows = ["documents", "values"].into_iter().find_map(|name| Some(value.get(name)?.as_array()?.len()));
        let outcome = self.finish(tool, &value)?;
        Ok(Outcome { rows: rows.unwrap_or(1), ..outcome })
    }
}
