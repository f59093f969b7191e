//! How a call ended.

use std::fmt;
use std::sync::LazyLock;

use http::HeaderMap;
use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_reflect::prost_types::Any;
use serde_json::Value;

use super::message;
use super::metadata::binary;
use super::schema::Schema;
use crate::ErrorKind;

/// Longest message that is told, characters.
const MESSAGE_CHARS: usize = 1000;
/// Most details that are told.
const DETAILS_MAX: usize = 10;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u32);

/// Names of the codes, by number.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl Code {
    /// The call went well.
    pub const OK: Self = Self(0);
    /// The server does not know the method.
    pub const UNIMPLEMENTED: Self = Self(12);
    /// The server cannot be used now.
    pub const UNAVAILABLE: Self = Self(14);
    /// The server does not know who calls.
    pub const UNAUTHENTICATED: Self = Self(16);

    /// What the code means here.
    pub fn kind(self) -> ErrorKind {
        match self.0 {
            1 => ErrorKind::Cancelled,
            3 | 11 => ErrorKind::Value,
            4 => ErrorKind::Timeout,
            6 | 9 => ErrorKind::Constraint,
            7 | 16 => ErrorKind::Denied,
            8 | 10 | 14 => ErrorKind::Transient,
            _ => ErrorKind::Other,
        }
    }

    /// What the status of an answer means that is none of gRPC.
    pub(super) fn of_http(status: u16) -> Self {
        Self(match status {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502..=504 => 14,
            _ => 2,
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = usize::try_from(self.0).ok().and_then(|nth| NAMES.get(nth));
        match name {
            Some(name) => f.write_str(name),
            None => write!(f, "code {}", self.0),
        }
    }
}

/// How a call ended, with what the server says of it.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub(super) code: Code,
    pub(super) message: String,
    details: Vec<Any>,
}

/// The message of `grpc-status-details-bin`.
#[derive(Clone, PartialEq, prost::Message)]
struct Details {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// The kinds of details that services of many makers use.
static USUAL: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| {
    Schema::from_protos(&[("details.proto", include_str!("details.proto"))]).ok().map(|schema| schema.pool)
});

impl Status {
    /// Reads the headers that end a call; nothing when there are none.
    pub(super) fn of(trailers: &HeaderMap) -> Option<Self> {
        let code = trailers.get("grpc-status")?.to_str().ok()?.trim().parse().unwrap_or(2);
        let message = trailers.get("grpc-message").map_or_else(String::new, |value| decoded(value.as_bytes()));
        let bytes = trailers.get("grpc-status-details-bin").and_then(binary);
        let details = bytes.and_then(|bytes| Details::decode(bytes.as_slice()).ok());
        Some(Self { code: Code(code), message, details: details.map(|found| found.details).unwrap_or_default() })
    }

    /// In words: the message and the details, as far as their types are known.
    pub(super) fn text(&self, schema: Option<&Schema>) -> String {
        let said = if self.message.is_empty() { "no message" } else { &self.message };
        let mut text: String = said.chars().take(MESSAGE_CHARS).collect();
        for detail in self.details.iter().take(DETAILS_MAX) {
            let name = detail.type_url.rsplit('/').next().unwrap_or_default();
            // What helps the service's own people is not for callers.
            if name == "google.rpc.DebugInfo" {
                continue;
            }
            let pools = [schema.map(|schema| &schema.pool), USUAL.as_ref()];
            let known = pools.into_iter().flatten().find_map(|pool| pool.get_message_by_name(name));
            let read = known.and_then(|kind| message::read(kind, &detail.value, false).ok());
            let words = read.as_ref().and_then(|value| usual(name, value));
            text.push_str("; ");
            match (words, read) {
                (Some(words), _) => text.push_str(&words),
                (None, Some(value)) => text.push_str(&format!("{name} {value}")),
                (None, None) => text.push_str(name),
            }
        }
        text.chars().take(MESSAGE_CHARS * 2).collect()
    }
}

/// The usual kinds of details in words.
fn usual(name: &str, value: &Value) -> Option<String> {
    let list = |key: &str, words: &dyn Fn(&Value) -> Option<String>| {
        let words: Vec<_> = value[key].as_array()?.iter().filter_map(words).collect();
        (!words.is_empty()).then(|| words.join(", "))
    };
    let pair = |value: &Value, first: &str, second: &str| {
        Some(format!("{}: {}", value[first].as_str()?, value[second].as_str().unwrap_or_default()))
    };
    match name {
        "google.rpc.ErrorInfo" => {
            let about = value.get("metadata").map(|about| format!(" {about}")).unwrap_or_default();
            Some(format!("{} of {}{about}", value["reason"].as_str()?, value["domain"].as_str().unwrap_or("no domain")))
        }
        "google.rpc.BadRequest" => list("fieldViolations", &|one| pair(one, "field", "description")),
        "google.rpc.QuotaFailure" => list("violations", &|one| pair(one, "subject", "description")),
        "google.rpc.PreconditionFailure" => list("violations", &|one| pair(one, "subject", "description")),
        "google.rpc.RetryInfo" => Some(format!("try again after {}", value["retryDelay"].as_str()?)),
        "google.rpc.LocalizedMessage" => value["message"].as_str().map(str::to_owned),
        "google.rpc.ResourceInfo" => pair(value, "resourceName", "description"),
        _ => None,
    }
}

/// Undoes percent-encoding; what is not UTF-8 is replaced.
fn decoded(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match hex.filter(|_| first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
