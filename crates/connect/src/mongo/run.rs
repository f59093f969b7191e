//! Runs operations: a connection to the primary, a command, the documents of its cursor, within a deadline.

use std::io;

use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Failure};
use super::error::{failure, is_not_primary};
use super::operation::{Wrong, answer};
use super::{Form, Mongo, Request, Verb, bson};
use crate::{Error, ErrorKind};

impl Mongo {
    /// Whether the primary answers.
    pub async fn ping(&self, deadline: Instant) -> Result<(), Error> {
        let ping = async {
            let (mut taken, _) = self.take().await?;
            let command = Map::from_iter([("ping".to_owned(), json!(1)), ("$db".to_owned(), json!("admin"))]);
            let said = self.ask(taken.connection.as_mut(), "ping", &command, Form::Plain).await?;
            taken.give_back();
            self.check("ping", &said)
        };
        let late = || failure(self.name(), ErrorKind::Timeout, "ping", "there was no answer within the time limit");
        tokio::time::timeout_at(deadline, ping).await.unwrap_or_else(|_| Err(late()))
    }

    /// Runs an operation. The answer is an object: `documents` and `more` of find and aggregate, `count`, `values` and `more`
    /// of distinct, `inserted` and `ids`, `matched`, `modified` and `upserted`, `deleted`.
    ///
    /// The server ends it by itself at the deadline; when the caller goes away its connection is closed, which ends it too.
    /// What only reads is asked once more when the connection turns out to be broken or another server became primary.
    pub async fn run(&self, request: &Request, deadline: Instant, cancel: &CancellationToken) -> Result<Value, Error> {
        let attempted = request.verb.attempted();
        let wrong = |kind, message| failure(self.name(), kind, attempted, message);
        let Some(database) = request.database.as_ref().or(self.location.database.as_ref()) else {
            let error = wrong(ErrorKind::Config, "no database is named".to_owned());
            let hint = "put its name into the URL: `mongodb://host/database`".to_owned();
            return Err(Error { hint: Some(hint), ..error });
        };
        let mut command = self.command(request, database).map_err(|why| match why {
            Wrong::Denied(message) => wrong(ErrorKind::Denied, message),
            Wrong::Request(message) => wrong(ErrorKind::Statement, message),
        })?;
        let left = deadline.saturating_duration_since(Instant::now()).as_millis().max(1);
        command.insert("maxTimeMS".to_owned(), i32::try_from(left).unwrap_or(i32::MAX).into());
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(wrong(ErrorKind::Cancelled, "the caller went away".to_owned())),
            () = tokio::time::sleep_until(deadline) => {
                let error = wrong(ErrorKind::Timeout, "there was no answer within the time limit".to_owned());
                Err(Error { hint: Some("ask for less, add an index, or raise the tool's timeout".to_owned()), ..error })
            }
            outcome = self.attempts(request, &command) => outcome,
        };
        let mut value = outcome?;
        self.mask.value(&mut value);
        Ok(value)
    }

    async fn attempts(&self, request: &Request, command: &Map<String, Value>) -> Result<Value, Error> {
        let (error, reused) = match self.once(request, command).await {
            Ok(value) => return Ok(value),
            Err(failed) => failed,
        };
        let moved = is_not_primary(&error);
        if moved || error.kind == ErrorKind::Transient && reused {
            self.forget();
        }
        // A server that is no primary has not carried anything out.
        let again = moved || error.kind == ErrorKind::Transient && reused && !request.write;
        if !again {
            return Err(error);
        }
        self.once(request, command).await.map_err(|(error, _)| error)
    }

    /// One attempt. The error comes with whether the connection had been used before.
    async fn once(&self, request: &Request, command: &Map<String, Value>) -> Result<Value, (Error, bool)> {
        let (mut taken, reused) = self.take().await.map_err(|error| (error, false))?;
        let outcome = self.carry_out(taken.connection.as_mut(), request, command).await;
        let broken = |error: &Error| error.code.is_none();
        if outcome.as_ref().map_or_else(|error| !broken(error), |_| true) {
            taken.give_back();
        }
        outcome.map_err(|error| (error, reused))
    }

    async fn ask(
        &self,
        connection: Option<&mut Connection>,
        attempted: &'static str,
        command: &Map<String, Value>,
        form: Form,
    ) -> Result<Map<String, Value>, Error> {
        let failed = |why| self.failed(attempted, &self.address(), why);
        let limits = self.settings.limits;
        let bytes = bson::encode(command).map_err(|why| failed(Failure::Unsendable(why)))?;
        if bytes.len() > limits.request_bytes {
            let message = format!("what is to be sent is longer than {} bytes", limits.request_bytes);
            return Err(failure(self.name(), ErrorKind::Limit, attempted, message));
        }
        let missing = || Failure::Io(io::Error::from(io::ErrorKind::NotConnected));
        let connection = connection.ok_or_else(missing).map_err(failed)?;
        connection.ask(&bytes, form, limits.answer_bytes).await.map_err(failed)
    }

    async fn carry_out(
        &self,
        mut connection: Option<&mut Connection>,
        request: &Request,
        command: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let attempted = request.verb.attempted();
        let mut said = self.ask(connection.as_deref_mut(), attempted, command, request.form).await?;
        self.check(attempted, &said)?;
        if !matches!(request.verb, Verb::Find | Verb::Aggregate | Verb::Count) {
            return Ok(answer(request, command, &said));
        }
        let mut documents = Vec::new();
        loop {
            let (batch, cursor) = batch_of(&mut said);
            documents.extend(batch);
            if cursor == 0 {
                break;
            }
            let full = documents.len() > request.limit;
            let next = if full { kill(request, command, cursor) } else { get_more(request, command, cursor) };
            said = self.ask(connection.as_deref_mut(), attempted, &next, request.form).await?;
            if full {
                break;
            }
            self.check(attempted, &said)?;
        }
        if request.verb == Verb::Count {
            let count = documents.first().and_then(|group| group.get("n")).and_then(bson::int).unwrap_or(0);
            return Ok(json!({"count": count}));
        }
        let more = documents.len() > request.limit;
        documents.truncate(request.limit);
        Ok(json!({"documents": documents, "more": more}))
    }
}

/// The documents of an answer, and where more are.
fn batch_of(said: &mut Map<String, Value>) -> (Vec<Value>, i64) {
    let Some(Value::Object(mut cursor)) = said.remove("cursor") else { return (Vec::new(), 0) };
    let batch = cursor.remove("firstBatch").or_else(|| cursor.remove("nextBatch"));
    let batch = match batch {
        Some(Value::Array(batch)) => batch,
        _ => Vec::new(),
    };
    (batch, cursor.get("id").and_then(bson::int).unwrap_or(0))
}

fn get_more(request: &Request, command: &Map<String, Value>, cursor: i64) -> Map<String, Value> {
    let cursor = json!({"$numberLong": cursor.to_string()});
    let database = command.get("$db").cloned().unwrap_or_default();
    Map::from_iter([
        ("getMore".to_owned(), cursor),
        ("collection".to_owned(), json!(request.collection)),
        ("$db".to_owned(), database),
    ])
}

fn kill(request: &Request, command: &Map<String, Value>, cursor: i64) -> Map<String, Value> {
    let database = command.get("$db").cloned().unwrap_or_default();
    Map::from_iter([
        ("killCursors".to_owned(), json!(request.collection)),
        ("cursors".to_owned(), json!([{"$numberLong": cursor.to_string()}])),
        ("$db".to_owned(), database),
    ])
}
