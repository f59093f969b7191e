//! Methods of gRPC services.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::sql::Effects;

/// A call of a method of the gRPC services of the tool's connection. A text is short for the method. Without `parameters` the tool takes
/// the fields of the method's message; without `returns` its output is the method's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grpc {
    /// The method: `GetOrder`, or with its service `shop.v1.Orders/GetOrder`. It is looked up when the server is made. A method that
    /// answers with a stream gives a list; its messages are told as progress too.
    pub method: String,
    /// The message as JSON, a value template. Default: the arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Value>,
    /// Metadata besides that of the connection's `headers`, a value template. Values of names that end in `-bin` are base64.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Whether it may change something outside. A method whose schema says that it has no side effects does not.
    #[serde(default = "yes")]
    pub write: bool,
    /// The part of the answer that is the result: a path (`$.order.id`) or a pointer (`/order/id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
}

fn yes() -> bool {
    true
}

impl Grpc {
    /// What a call does to the world, as far as the spec says.
    pub fn effects(&self) -> Effects {
        Effects { read_only: !self.write, destructive: self.write, idempotent: !self.write }
    }
}
