//! Answers that are errors, and failures of the connection.

use std::io;

use serde_json::{Map, Value};

use super::Mongo;
use super::bson::int;
use super::connection::Failure;
use super::url::Address;
use crate::{Error, ErrorKind};

/// An error without code and hint.
pub(super) fn failure(name: &str, kind: ErrorKind, attempted: &'static str, message: impl Into<String>) -> Error {
    Error::of(kind, name, attempted, message, "")
}

/// What kind of failure a server's code is, and what to do.
/// <https://www.mongodb.com/docs/manual/reference/error-codes/>
const CODES: &[(i64, ErrorKind, &str)] = &[
    (2, ErrorKind::Statement, ""),
    (9, ErrorKind::Statement, ""),
    (13, ErrorKind::Denied, "the connection's user has no right to this; give it a role, or log in"),
    (14, ErrorKind::Value, "a value has another type than the operation takes"),
    (18, ErrorKind::Unreachable, "check user, password and `authSource` of the connection's URL"),
    (26, ErrorKind::Statement, "check the names of database and collection"),
    (43, ErrorKind::Transient, "the server closed the cursor; try again"),
    (50, ErrorKind::Timeout, "ask for less, add an index, or raise the tool's timeout"),
    (59, ErrorKind::Statement, "this server does not have the command; its version may be older"),
    (112, ErrorKind::Transient, "another write was faster; try again"),
    (115, ErrorKind::Statement, "this server does not have the command"),
    (121, ErrorKind::Constraint, "the document does not pass the collection's validation"),
    (11000, ErrorKind::Constraint, "a document with this value of a unique index is there already"),
];

/// Codes of a server that is no primary any more, or is ending.
const NOT_PRIMARY: [i64; 8] = [91, 189, 10058, 10107, 11600, 11602, 13435, 13436];

/// Whether another server has become primary.
pub(super) fn is_not_primary(error: &Error) -> bool {
    error.code.as_deref().and_then(code_of).is_some_and(|code| NOT_PRIMARY.contains(&code))
}

/// The number in `Name, 123`.
fn code_of(text: &str) -> Option<i64> {
    text.rsplit(' ').next()?.parse().ok()
}

impl Mongo {
    /// Whether the answer is an error, or tells of failed writes.
    pub(super) fn check(&self, attempted: &'static str, said: &Map<String, Value>) -> Result<(), Error> {
        if said.get("ok").and_then(int) != Some(1) {
            return Err(self.refusal(attempted, said, ""));
        }
        let first = |name: &str| said.get(name).and_then(Value::as_array).and_then(|list| list.first());
        if let Some(Value::Object(error)) = first("writeErrors") {
            let count = said.get("writeErrors").and_then(Value::as_array).map_or(0, Vec::len);
            let done = said.get("n").and_then(int).unwrap_or_default();
            let more = if count > 1 { format!("; {count} writes failed") } else { String::new() };
            return Err(self.refusal(attempted, error, &format!("{more}; {done} documents were written before")));
        }
        match said.get("writeConcernError") {
            Some(Value::Object(error)) => {
                Err(self.refusal(attempted, error, "; it was written at the primary, and may not be kept"))
            }
            _ => Ok(()),
        }
    }

    fn refusal(&self, attempted: &'static str, said: &Map<String, Value>, more: &str) -> Error {
        let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        let code = said.get("code").and_then(int);
        let known = CODES.iter().find(|(known, ..)| Some(*known) == code);
        let (kind, hint) = match (known, code) {
            (Some((_, kind, hint)), _) => (*kind, *hint),
            (None, Some(code)) if NOT_PRIMARY.contains(&code) => {
                (ErrorKind::Transient, "another server of the replica set is becoming primary; try again")
            }
            _ => (ErrorKind::Statement, ""),
        };
        let message = text("errmsg");
        let message = if message.is_empty() { "the server gives no reason" } else { message };
        let error = failure(self.name(), kind, attempted, format!("{message}{more}"));
        let code = code.map(|code| match text("codeName") {
            "" => code.to_string(),
            name => format!("{name}, {code}"),
        });
        let hint = Some(hint).filter(|hint| !hint.is_empty()).map(str::to_owned);
        self.masked(Error { code, hint, ..error })
    }

    /// A socket that cannot be opened, or broke.
    pub(super) fn broken(&self, attempted: &'static str, address: &Address, error: &io::Error) -> Error {
        let Address { host, port } = address;
        let (kind, hint) = match (error.kind(), attempted) {
            (io::ErrorKind::PermissionDenied, _) => {
                (ErrorKind::Config, "the operator decides where connections may go")
            }
            (io::ErrorKind::UnexpectedEof, "connect") if !self.dialer.is_secure() => {
                (ErrorKind::Unreachable, "the server may want TLS: `tls=true` in the URL")
            }
            (_, "connect") => (ErrorKind::Unreachable, "check that the server runs and that the URL is right"),
            _ => (ErrorKind::Transient, "the connection broke; what was asked may have been carried out"),
        };
        let message = match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("{host}:{port} closed the connection"),
            io::ErrorKind::PermissionDenied => error.to_string(),
            _ => format!("{host}:{port}: {error}"),
        };
        let error = failure(self.name(), kind, attempted, message);
        self.masked(Error { hint: Some(hint.to_owned()), ..error })
    }

    pub(super) fn failed(&self, attempted: &'static str, address: &Address, why: Failure) -> Error {
        let (kind, message, hint) = match why {
            Failure::Io(error) => return self.broken(attempted, address, &error),
            Failure::Malformed(message) => (ErrorKind::Other, message, "is there a MongoDB server at this address?"),
            Failure::TooLong(max) => (
                ErrorKind::Limit,
                format!("the answer is longer than {max} bytes"),
                "ask for fewer documents or fields",
            ),
            Failure::Unsendable(message) => (ErrorKind::Value, message, "correct the value"),
        };
        let error = failure(self.name(), kind, attempted, message);
        self.masked(Error { hint: Some(hint.to_owned()), ..error })
    }
}
