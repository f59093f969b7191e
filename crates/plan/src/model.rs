//! The plan document, as stored and as printed.

use base::Digest;
use connect::{Engine, Target};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spec::model::{
    Annotations, Call, Command, Fetch, Files, Graphql, Grpc, Http, Mongo, PageBy, Parameter, Redis, Reply, Send,
    SqlResult, Step, TextPlace, Vector,
};

/// Version of the plan document.
pub const FORMAT: u32 = 1;

/// The plan of one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Version of this document.
    pub format: u32,
    /// Name of the server.
    pub server: String,
    /// Digest of the spec's canonical form that it was made from.
    pub spec: Digest,
    /// The databases among the connections, with the engine that each one's URL named, in the order of the spec.
    pub connections: Vec<ConnectionPlan>,
    /// The tools, in the order of the spec.
    pub tools: Vec<ToolPlan>,
}

/// What a connection turned out to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionPlan {
    /// Name in the spec.
    pub name: String,
    /// Engine that the plan's SQL is written for.
    pub engine: Engine,
    /// Engine and version as the server told it; absent when it was not reached.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub server: Option<String>,
}

/// The plan of one tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolPlan {
    /// Name of the tool.
    pub tool: String,
    /// Where the action comes from.
    pub origin: Origin,
    /// Why it is what it is, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub why: Vec<String>,
    /// The parameters of a call: the spec's, or derived where the spec has none. The cursor of a
    /// paged tool is among them.
    pub parameters: Vec<Parameter>,
    /// JSON Schema of the structured answer; absent when nothing is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<Value>,
    /// Hints, all four said.
    pub annotations: Annotations,
    /// Digest of the action as it was generated. An action that differs from it was edited by a
    /// person and counts as pinned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made: Option<Digest>,
    /// What is run.
    pub action: ActionPlan,
}

impl ToolPlan {
    /// Whether a person wrote or edited the action, so that it is kept when the plan is made again.
    pub fn is_pinned(&self) -> bool {
        self.origin == Origin::Pinned || self.made.as_ref().is_some_and(|made| *made != self.action.digest())
    }
}

impl ActionPlan {
    /// Whether it may change something outside.
    pub fn may_write(&self) -> bool {
        match self {
            Self::Sql(sql) => sql.write,
            Self::Script(script) => script.write,
            Self::Http(on) => !on.action.effects().read_only,
            Self::Redis(on) => on.action.write,
            Self::Mongo(on) => on.action.write,
            Self::Graphql(on) => !on.action.effects().read_only,
            Self::Grpc(on) => !on.action.effects().read_only,
            Self::Files(on) => !on.action.effects().read_only,
            Self::Send(_) => true,
            Self::Vector(on) => !on.action.effects().read_only,
            Self::Call(call) => call.write,
            Self::Steps(steps) => steps.list.iter().any(|step| step.action.may_write()),
            Self::Command(command) => command.write,
            Self::Reply(_) | Self::NotImplemented { .. } => false,
        }
    }

    /// Takes out what follows from the database and from the document.
    fn strip(&mut self) {
        match self {
            Self::Script(script) => script.place = None,
            Self::Sql(sql) => {
                let next = sql.page.iter_mut().filter_map(|page| page.next.as_mut());
                sql.statements.iter_mut().chain(next).for_each(|statement| statement.targets.clear());
            }
            Self::Steps(steps) => steps.list.iter_mut().for_each(|step| step.action.strip()),
            _ => {}
        }
    }

    /// Digest of what is run. The targets of columns do not count: they follow from the database. Nor does the place of a script.
    pub fn digest(&self) -> Digest {
        let mut bare = self.clone();
        bare.strip();
        Digest::of(serde_json::to_string(&bare).unwrap_or_default().as_bytes())
    }
}

/// Where an action comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Written in the spec.
    Declared,
    /// Inferred from the live catalogue.
    Inferred,
    /// Written or edited by a person in the plan; kept when the plan is made again.
    Pinned,
    /// Nothing could be inferred.
    None,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ActionPlan {
    /// SQL.
    Sql(SqlPlan),
    /// A request to an HTTP API.
    Http(Box<On<Http>>),
    /// Commands of Redis.
    Redis(Box<On<Redis>>),
    /// An operation on a collection of MongoDB.
    Mongo(Box<On<Mongo>>),
    /// An operation of a GraphQL API.
    Graphql(On<Graphql>),
    /// A call of a gRPC method.
    Grpc(On<Grpc>),
    /// Files of a folder or a bucket.
    Files(Box<On<Files>>),
    /// A message to people.
    Send(Box<On<Send>>),
    /// Texts that are kept and found by what they are like.
    Vector(Box<On<Vector>>),
    /// An answer that the spec itself gives.
    Reply(Box<Reply>),
    /// JavaScript in a sandbox.
    Script(ScriptPlan),
    /// A call of another tool.
    Call(CallPlan),
    /// Several actions, one after the other.
    Steps(StepsPlan),
    /// A program of the machine.
    Command(Box<Command>),
    /// The tool answers with an error that says why it does nothing.
    NotImplemented {
        /// Why, and what to write in the spec.
        reason: String,
    },
}

/// An action that is run as it was declared, on a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct On<T> {
    /// Connection by name.
    pub connection: String,
    /// What is run.
    pub action: T,
}

/// A call of another tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallPlan {
    /// The connection to another server; none for a tool of this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection: Option<String>,
    /// What is called.
    pub action: Call,
    /// Whether it may change something, as the other tool says where the spec does not.
    pub write: bool,
}

/// Several actions, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepsPlan {
    /// The steps.
    pub list: Vec<StepPlan>,
    /// What the tool answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<Value>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepPlan {
    /// When and how often it is done. Its action is beside it.
    pub step: Step,
    /// What is run.
    pub action: ActionPlan,
}

/// JavaScript that is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScriptPlan {
    /// The module. Empty when it is one of the spec's.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub code: String,
    /// The module of the spec, by name, and the function that it exports.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub export: Option<(String, String)>,
    /// Most processor time of one run, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpu_ms: Option<u64>,
    /// The connections that it reaches, by name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub connections: Vec<String>,
    /// Whether its statements may write.
    #[serde(default)]
    pub write: bool,
    /// What it may fetch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fetch: Option<Fetch>,
    /// Most rows of one of its queries.
    pub row_limit: u64,
    /// Where the code stands in the spec's document, for its errors.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<TextPlace>,
}

/// SQL that is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SqlPlan {
    /// Connection by name.
    pub connection: String,
    /// The statements, in one transaction.
    pub statements: Vec<StatementPlan>,
    /// Whether they may write.
    pub write: bool,
    /// Array parameter whose elements are run one by one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub batch: Option<String>,
    /// What the answer is made of.
    pub result: SqlResult,
    /// Pages.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub page: Option<PagePlan>,
    /// Most rows in one answer.
    pub row_limit: u64,
}

/// One statement with named parameters, `:name`, as a person reads and edits it. The native text
/// with the engine's placeholders is derived from it by `spec::sql` when the toolset is compiled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementPlan {
    /// SQL with `:name`. Besides the tool's parameters it may use `:page_limit`, `:page_offset` and
    /// `:page_key_1 …`, which the engine binds for pages.
    pub sql: String,
    /// How the columns are written, by position, from `returns`. Empty: all natural.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub targets: Vec<Target>,
}

/// Pages of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PagePlan {
    /// Rows per page.
    pub size: u64,
    /// How the next page is found.
    pub by: PageBy,
    /// For `keyset`: the statement of the following pages, using `:page_key_1 …`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<StatementPlan>,
    /// For `keyset`: the columns of the order, whose last values make the cursor.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub key: Vec<String>,
}
