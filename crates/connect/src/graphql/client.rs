//! Asks an API, and reads what it answers.

use base::Secret;
use http::Method;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Kind, PROBLEMS_MAX, SCHEMA_BYTES_MAX, Schema, sdl};
use crate::http::{Api, Body, Call, Reply, Settings};
use crate::{Error, ErrorKind};

/// Longest message of a problem that is told, characters.
const MESSAGE_CHARS: usize = 500;
/// What is taken as an answer.
const ACCEPT: &str = "application/graphql-response+json, application/json;q=0.9";

/// A connection to a GraphQL API.
pub struct Client {
    api: Api,
    schema: OnceCell<Schema>,
}

/// An operation with its values.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The text.
    pub text: &'a str,
    /// Which operation of the text.
    pub name: Option<&'a str>,
    /// Whether it reads or writes: what reads is sent again when the connection fails.
    pub kind: Kind,
    /// The values of its variables.
    pub variables: &'a Map<String, Value>,
    /// Headers beside those of the connection.
    pub headers: &'a [(String, String)],
    /// The token of the calling user, for connections that exchange it.
    pub subject: Option<&'a Secret>,
}

/// What an operation gave: data, and perhaps problems with parts of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The data; where there was a problem it holds null.
    pub data: Value,
    /// What could not be had, at most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// How many problems there were.
    pub problems_all: usize,
}

/// What an API says of a part that it could not give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// In the API's words.
    pub message: String,
    /// Where in the data: `user.orders.0.total`.
    pub path: Option<String>,
    /// The API's own code.
    pub code: Option<String>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if let Some(path) = &self.path {
            write!(f, ", at `{path}`")?;
        }
        self.code.iter().try_for_each(|code| write!(f, " ({code})"))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Checks the settings; the base URL is that of the API itself. Nothing is sent.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        Ok(Self { api: Api::open(settings)?, schema: OnceCell::new() })
    }

    /// What of the calling user each call brings along.
    pub fn subject(&self) -> crate::http::Subject {
        self.api.subject()
    }

    /// Takes a schema that need not be asked for.
    #[must_use]
    pub fn with_schema(self, schema: Schema) -> Self {
        Self { schema: OnceCell::new_with(Some(schema)), ..self }
    }

    /// The schema: the one that was given, or what the API told when it was first asked.
    pub async fn schema(&self, deadline: Instant, cancel: &CancellationToken) -> Result<&Schema, Error> {
        self.schema.get_or_try_init(|| self.introspect(deadline, cancel)).await
    }

    /// Asks the API for its schema.
    pub async fn introspect(&self, deadline: Instant, cancel: &CancellationToken) -> Result<Schema, Error> {
        let mut refused = String::new();
        for question in [sdl::NEW, sdl::OLD] {
            let (variables, kind) = (Map::new(), Kind::Query);
            let request =
                Request { text: question, name: None, kind, variables: &variables, headers: &[], subject: None };
            let mut call = Self::call(&request);
            call.answer_bytes = Some(SCHEMA_BYTES_MAX);
            let reply = self.api.send(&call, deadline, cancel).await?;
            match self.read(&reply) {
                Ok(answer) if answer.data["__schema"].is_object() => {
                    let schema = Schema::from_introspection(&answer.data["__schema"]);
                    return schema.map_err(|why| self.error(ErrorKind::Other, why));
                }
                Ok(_) => "the answer holds no `__schema`".clone_into(&mut refused),
                Err(error) if error.kind == ErrorKind::Denied => return Err(error),
                Err(error) => refused = error.message,
            }
        }
        let mut error = self.error(ErrorKind::Other, format!("the API does not tell its schema: {refused}"));
        error.hint = Some("give the schema as a file, or ask for introspection to be switched on".to_owned());
        Err(error)
    }

    /// Runs an operation. Data with problems is an answer; problems without data are an error.
    pub async fn run(
        &self,
        request: &Request<'_>,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Answer, Error> {
        let reply = self.api.send(&Self::call(request), deadline, cancel).await?;
        self.read(&reply)
    }

    fn call(request: &Request<'_>) -> Call {
        let mut body = json!({"query": request.text});
        if let Some(name) = request.name {
            body["operationName"] = name.into();
        }
        if !request.variables.is_empty() {
            body["variables"] = Value::Object(request.variables.clone());
        }
        let mut call = Call::new(Method::POST, "");
        call.headers = vec![("Accept".to_owned(), ACCEPT.to_owned())];
        call.headers.extend_from_slice(request.headers);
        call.body = Body::Json(body.to_string().into());
        call.idempotent = Some(request.kind == Kind::Query);
        call.subject = request.subject.cloned();
        call
    }

    fn read(&self, reply: &Reply) -> Result<Answer, Error> {
        let status = reply.status;
        let by_status = match status.as_u16() {
            401 | 403 => ErrorKind::Denied,
            408 | 429 | 502..=504 => ErrorKind::Transient,
            _ => ErrorKind::Other,
        };
        let answer: Option<Map<String, Value>> = serde_json::from_slice(&reply.body).ok();
        let Some(mut answer) = answer.filter(|answer| answer.contains_key("data") || answer.contains_key("errors"))
        else {
            let message = format!("the API answered {status} with something that is no GraphQL answer");
            return Err(self.error(by_status, message));
        };
        let found = answer.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let problems: Vec<_> = found.iter().take(PROBLEMS_MAX).map(problem).collect();
        let problems_all = found.len();
        match answer.remove("data") {
            Some(data) if !data.is_null() => Ok(Answer { data, problems, problems_all }),
            _ => {
                let kind = problems.first().and_then(|problem| by_code(problem.code.as_deref()?)).unwrap_or(by_status);
                let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                let more = problems_all - problems.len();
                let more = if more > 0 { format!("; and {more} more") } else { String::new() };
                let told = if told.is_empty() { format!("no data and no reason ({status})") } else { told };
                let mut error = self.error(kind, format!("the API answered: {told}{more}"));
                error.code = problems.into_iter().next().and_then(|problem| problem.code);
                // The message names it already.
                error.code = error.code.filter(|code| !error.message.contains(&format!("({code})")));
                Err(error)
            }
        }
    }

    /// An error of this connection, without its secrets.
    pub fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { attempted: "run a GraphQL operation", ..self.api.error(kind, message) }
    }
}

/// What the codes in wide use mean.
fn by_code(code: &str) -> Option<ErrorKind> {
    match code.to_ascii_uppercase().as_str() {
        "UNAUTHENTICATED" | "FORBIDDEN" | "UNAUTHORIZED" | "INSUFFICIENT_SCOPES" => Some(ErrorKind::Denied),
        "BAD_USER_INPUT" => Some(ErrorKind::Value),
        "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED" | "UNDEFINEDFIELD" => Some(ErrorKind::Statement),
        "RATE_LIMITED" | "THROTTLED" | "SERVICE_UNAVAILABLE" => Some(ErrorKind::Transient),
        _ => None,
    }
}

fn problem(value: &Value) -> Problem {
    let path = value["path"].as_array().filter(|path| !path.is_empty()).map(|path| {
        let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
        path.iter().take(32).map(step).collect::<Vec<_>>().join(".")
    });
    let code = ["code", "type"].iter().find_map(|key| value["extensions"][*key].as_str().or(value[*key].as_str()));
    let cut = |text: &str| text.chars().take(MESSAGE_CHARS).collect::<String>();
    Problem { message: cut(value["message"].as_str().unwrap_or("no message")), path, code: code.map(cut) }
}
