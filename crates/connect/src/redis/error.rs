//! Answers that are errors, and failures of the connection.

use std::io;

use super::Redis;
use super::resp::Malformed;
use crate::{Error, ErrorKind};

/// An error without code and hint.
pub(super) fn failure(name: &str, kind: ErrorKind, attempted: &'static str, message: impl Into<String>) -> Error {
    Error::of(kind, name, attempted, message, "")
}

/// What kind of failure a server's word is, and what to do.
const WORDS: &[(&str, ErrorKind, &str)] = &[
    ("NOAUTH", ErrorKind::Unreachable, "the server asks for a login; put user and password into the connection's URL"),
    ("WRONGPASS", ErrorKind::Unreachable, "check the user and the password of the connection's URL"),
    ("NOPERM", ErrorKind::Denied, "the server's access list does not allow this to the connection's user"),
    ("READONLY", ErrorKind::Denied, "this server is a replica; use the URL of the primary"),
    ("WRONGTYPE", ErrorKind::Statement, "the key holds another type; `TYPE` tells which"),
    ("MOVED", ErrorKind::Statement, "the key is on another node of a cluster; use the URL of that node or of a proxy"),
    ("ASK", ErrorKind::Transient, "the key is moving to another node of the cluster; try again"),
    ("CROSSSLOT", ErrorKind::Statement, "in a cluster all keys of a command have one slot; use a hash tag, `{…}`"),
    ("LOADING", ErrorKind::Transient, "the server is reading its data; try again"),
    ("BUSY", ErrorKind::Transient, "the server runs a script; try again"),
    ("TRYAGAIN", ErrorKind::Transient, "try again"),
    ("CLUSTERDOWN", ErrorKind::Transient, "the cluster does not serve this key now; try again"),
    ("MASTERDOWN", ErrorKind::Transient, "the replica has no link to its primary; try again"),
    ("OOM", ErrorKind::Transient, "the server has no memory left for more data"),
    ("MISCONF", ErrorKind::Transient, "the server cannot save its data and takes no writes"),
    ("BUSYGROUP", ErrorKind::Constraint, "the consumer group is there already"),
    ("BUSYKEY", ErrorKind::Constraint, "the key is there already"),
    ("NOGROUP", ErrorKind::Statement, "make the consumer group first, with `XGROUP CREATE`"),
    ("EXECABORT", ErrorKind::Statement, "one of the commands is wrong, so none was carried out"),
];

/// Beginnings of messages under the general word `ERR`.
const ERRS: &[(&str, ErrorKind, &str)] = &[
    ("unknown command", ErrorKind::Statement, "this server does not have the command; its version may be older"),
    ("unknown subcommand", ErrorKind::Statement, "this server does not have the command; its version may be older"),
    ("wrong number of arguments", ErrorKind::Statement, "compare the command with its documentation"),
    ("syntax error", ErrorKind::Statement, "compare the command with its documentation"),
    ("value is not an integer", ErrorKind::Value, "give an integer of 64 bits"),
    ("value is not a valid float", ErrorKind::Value, "give a number"),
    ("DB index is out of range", ErrorKind::Config, "the URL's path names a database that the server does not have"),
    ("max number of clients", ErrorKind::Transient, "the server has no connection left; try again"),
];

impl Redis {
    /// An answer that is an error. `which` names the command.
    pub(super) fn refusal(&self, attempted: &'static str, which: &str, text: &[u8]) -> Error {
        let text = String::from_utf8_lossy(text);
        let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
        let known = if word == "ERR" {
            ERRS.iter().find(|(start, ..)| rest.starts_with(start))
        } else {
            WORDS.iter().find(|(known, ..)| *known == word)
        };
        let (kind, hint) = known.map_or((ErrorKind::Statement, None), |(_, kind, hint)| (*kind, Some(*hint)));
        let said = if rest.is_empty() { text.clone().into_owned() } else { rest.to_owned() };
        let message = if which.is_empty() { said } else { format!("{which}: {said}") };
        let error = failure(self.name(), kind, attempted, message);
        self.masked(Error { code: Some(word.to_owned()), hint: hint.map(str::to_owned), ..error })
    }

    /// A socket that cannot be opened, or broke.
    pub(super) fn broken(&self, attempted: &'static str, error: &io::Error) -> Error {
        let address = format!("{}:{}", self.location.host, self.location.port);
        let (kind, hint) = match (error.kind(), attempted) {
            (io::ErrorKind::PermissionDenied, _) => {
                (ErrorKind::Config, "the operator decides where connections may go")
            }
            (io::ErrorKind::InvalidData, "connect") if !self.dialer.is_secure() => {
                (ErrorKind::Unreachable, "the server may want TLS: `rediss:` instead of `redis:` in the URL")
            }
            (_, "connect") => (ErrorKind::Unreachable, "check that the server runs and that the URL is right"),
            _ => (ErrorKind::Transient, "the connection broke; what was asked may have been carried out"),
        };
        let message = match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("{address} closed the connection"),
            io::ErrorKind::PermissionDenied => error.to_string(),
            _ => format!("{address}: {error}"),
        };
        let error = failure(self.name(), kind, attempted, message);
        self.masked(Error { hint: Some(hint.to_owned()), ..error })
    }

    /// Bytes that are no answer.
    pub(super) fn malformed(&self, attempted: &'static str, malformed: &Malformed) -> Error {
        let error = failure(self.name(), ErrorKind::Other, attempted, &*malformed.0);
        self.masked(Error { hint: Some("is there a Redis server at this address?".to_owned()), ..error })
    }
}
