//! Scripts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::HttpLimits;

/// JavaScript in a sandbox: one ECMAScript module whose default export is a function of the call's arguments and of what it may
/// reach, `export default async function run(args, { my_db, log, progress, sleep }) { … }`. A string is short for `{code: …}`.
/// Code that several tools share stands in `modules`, of which a tool names one and a function that it exports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Script {
    /// The module. Each connection is an object with `query(sql, values)`, which gives rows, and `execute(sql, values)`, which
    /// gives the number of rows changed; names in the SQL, `:name`, are bound. With `connection` in the tool it is the only one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// The name of a module of the spec (`modules`) in place of `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The function of the module, by the name of its export. Default: the tool's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Whether its statements may change data. Without it they run in read-only transactions.
    #[serde(default)]
    pub write: bool,
    /// Lets the script call `fetch`. Without it there is no `fetch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Fetch>,
    /// Most processor time of one run, milliseconds, waiting not counted. Default: 2000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// Where the code stands in the document that it was read from.
    #[serde(skip)]
    pub place: ScriptPlace,
}

/// What a script may fetch. Private networks are refused unless the operator allows them, redirects are checked like the first
/// URL, and a method other than GET, HEAD and OPTIONS needs `write: true`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fetch {
    /// Hosts that requests and their redirects may lead to: `api.example.com`; `*.example.com` stands for all names below it,
    /// `*` for every public host.
    pub hosts: Vec<String>,
    /// Whether requests may go without TLS, by `http:`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
    /// Bounds of one request.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: HttpLimits,
}

fn is_default(limits: &HttpLimits) -> bool {
    *limits == HttpLimits::default()
}

/// Where a text of several lines stands in its document: each line on a line of its own, in the same column. `None` when that
/// is not so, as in a JSON string with `\n`. It is no part of what a spec says: all are equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScriptPlace(pub Option<TextPlace>);

impl PartialEq for ScriptPlace {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The place of a text's first character, and the column of its further lines. All from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPlace {
    /// Line of the first character.
    pub line: u32,
    /// Its column, in characters.
    pub column: u32,
    /// Column of the first character of the lines after it.
    pub indent: u32,
}
