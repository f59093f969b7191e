//! Operations at a control plane: the same input, the same output, the same failures as at home.

mod answer;
mod request;

use std::time::{Duration, Instant};

use base::Secret;
use connect::egress::Policy;
use connect::http::{Api, Body, Call, Method, Retries, Settings};
use operations::{Code, Context, Error, Operation};
use serde_json::json;

/// The variable that names a control plane where `--url` does not.
pub(crate) const URL_VARIABLE: &str = "MCP_FACTORY_URL";
/// The variable that holds the key unless `--key-env` names another one.
pub(crate) const KEY_VARIABLE: &str = "MCP_FACTORY_KEY";
/// How much longer than the operation itself its answer is waited for.
const GRACE: Duration = Duration::from_secs(10);
/// Most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A control plane.
pub(crate) struct Remote {
    api: Api,
    url: String,
}

impl Remote {
    /// The control plane at a URL. Nothing is sent yet.
    pub(crate) fn open(url: &str, key: Option<String>) -> Result<Self, Error> {
        Self::open_with(url, key, None)
    }

    /// The same with a key that is shown in a header of this name.
    pub(crate) fn open_with(url: &str, key: Option<String>, header: Option<&str>) -> Result<Self, Error> {
        let url = url.trim_end_matches('/').to_owned();
        let api = Api::open(settings(&url, key, header)).map_err(|error| {
            Error::new(Code::Usage, format!("the URL of the control plane cannot be used: {error}"))
                .hint("write it as `http://127.0.0.1:8800` or `https://factory.example.com`")
        })?;
        Ok(Self { api, url })
    }

    /// What it answers to a message of MCP at one of its paths: the status and the body.
    pub(crate) async fn probe(&self, context: &Context, path: &str) -> Result<(u16, String), Error> {
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "ping" }).to_string();
        let mut call = Call::new(Method::POST, path);
        call.headers = vec![("accept".to_owned(), "application/json, text/event-stream".to_owned())];
        call.body = Body::Json(body.into());
        let sent = self.api.send(&call, (Instant::now() + GRACE).into(), &context.cancel).await;
        let reply = sent.map_err(|error| self.away(&error))?;
        Ok((reply.status.as_u16(), String::from_utf8_lossy(&reply.body).into_owned()))
    }

    fn away(&self, error: &connect::Error) -> Error {
        Error::new(Code::ControlPlane, format!("the control plane at {} did not answer: {}", self.url, error.message))
            .hint("check that `mcp-factory serve` runs there")
            .hint("without `--url` and MCP_FACTORY_URL the home folder of this machine is used")
    }

    /// Has an operation done.
    pub(crate) async fn run<O: Operation>(
        &self,
        context: &Context,
        input: O::Input,
        dry_run: bool,
    ) -> Result<O::Output, Error> {
        let input = serde_json::to_value(input)
            .map_err(|error| Error::new(Code::Internal, format!("the input cannot be written: {error}")))?;
        let mut call = request::of(&O::DECLARED, &input);
        if dry_run {
            call.headers.push(("dry-run".to_owned(), "true".to_owned()));
        }
        let deadline = Instant::now() + O::DECLARED.deadline + GRACE;
        let sent = self.api.send(&call, deadline.into(), &context.cancel).await;
        let reply = sent.map_err(|error| self.away(&error))?;
        answer::read(&self.url, &reply, &input)
    }
}

/// How a control plane at a URL is reached.
pub(crate) fn settings(url: &str, key: Option<String>, header: Option<&str>) -> Settings {
    let mut settings = Settings::new("control plane", Secret::new(url.to_owned()));
    // Whoever types a URL may reach it, wherever it is.
    settings.policy = Policy::default().allow_private(true);
    settings.retries = Retries { max: 0, ..Retries::default() };
    settings.limits.request_bytes = ANSWER_BYTES_MAX;
    settings.limits.answer_bytes = ANSWER_BYTES_MAX;
    settings.limits.redirects = 0;
    match (key, header) {
        (Some(key), Some(header)) => settings.secret_headers.push((header.to_owned(), Secret::new(key))),
        (Some(key), None) => settings.credentials = connect::http::Credentials::Bearer(Secret::new(key)),
        (None, _) => {}
    }
    settings
}

/// Looks at what becomes a part of the path of an endpoint: it must not lead elsewhere.
pub(crate) fn check_path(name: &str, group: Option<&str>, version: Option<&str>) -> Result<(), Error> {
    let is_part = |word: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        !word.is_empty() && word.chars().all(fits) && !word.chars().all(|c| c == '.')
    };
    for (what, word) in [("server", Some(name)), ("group", group), ("version", version)] {
        if let Some(word) = word.filter(|word| !is_part(word)) {
            return Err(Error::new(Code::Usage, format!("`{word}` is no name of a {what}"))
                .hint("names have letters, digits, `-`, `_`, `.` and `+` in them"));
        }
    }
    Ok(())
}
