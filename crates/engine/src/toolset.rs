//! A server's tools, resources and prompts, ready to answer.

mod batch;
mod binding;
mod compile;
pub(crate) mod given;
pub(crate) mod instant;

use std::sync::Arc;
use std::time::Duration;

use ahash::HashMap;
use base::{Digest, Secret, nearest};
use bytes::Bytes;
use connect::Database;
use connect::state::State;
use serde_json::Value;
use serde_json::value::RawValue;
use spec::model::{Annotations, Icon, Limits, PageBy, SqlResult, TaskUse};
use tokio::sync::Semaphore;

pub(crate) use binding::Slot;
pub use given::Bindings;
use given::Given;

use crate::acting::ActAs;
use crate::actions::call::CallAction;
use crate::actions::command::CommandAction;
use crate::actions::files::FilesAction;
use crate::actions::graphql::GraphqlAction;
use crate::actions::grpc::GrpcAction;
use crate::actions::http::HttpAction;
use crate::actions::mongo::MongoAction;
use crate::actions::redis::RedisAction;
use crate::actions::reply::ReplyAction;
use crate::actions::send::SendAction;
use crate::actions::steps::StepsAction;
use crate::actions::vector::VectorAction;
use crate::ask::Ask;
use crate::context::CallContext;
use crate::mask::Mask;
use crate::metrics::{Meter, Metrics};
use crate::outcome::{Content, Outcome};
use crate::prompts::Prompt;
use crate::resources::Resource;
use crate::schema::Schema;
use crate::scripts::ScriptAction;
use crate::trim::Trim;

/// A compiled server. Shared behind an `Arc`; every method takes `&self`.
#[derive(Debug)]
pub struct Toolset {
    pub(crate) about: About,
    pub(crate) tools: Vec<Tool>,
    pub(crate) by_name: HashMap<Box<str>, usize>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) groups: Vec<Group>,
    pub(crate) limits: Limits,
    pub(crate) permits: Semaphore,
    pub(crate) mask: Mask,
    /// Whether any tool may ask the person behind its caller.
    pub(crate) asks: bool,
    /// What the server remembers.
    pub(crate) state: Option<Arc<State>>,
    /// Digest of the spec, which cursors are tied to.
    pub(crate) digest: Digest,
}

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Name for programs.
    pub name: String,
    /// Name for people.
    pub title: Option<String>,
    /// Version of the spec.
    pub version: String,
    /// What it is for.
    pub description: Option<String>,
    /// How a model should use it.
    pub instructions: Option<String>,
    /// Pictures of it.
    pub icons: Vec<Icon>,
}

/// A part of a server that is served alone.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name for programs.
    pub name: String,
    /// Name for people.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Which tools it has, by their place in the list of all.
    pub tools: Vec<usize>,
}

/// One tool, ready to answer.
#[derive(Debug)]
pub struct Tool {
    pub(crate) info: ToolInfo,
    pub(crate) input: Schema,
    pub(crate) output: Option<Schema>,
    /// Whether a call without arguments needs no look at the schema.
    pub(crate) takes_nothing: bool,
    /// Values of absent arguments.
    pub(crate) defaults: Box<[(Box<str>, Value)]>,
    /// Parameters whose values come from elsewhere.
    pub(crate) given: Option<Box<[Given]>>,
    /// What of the result is given; all of it when absent.
    pub(crate) trim: Option<Box<Trim>>,
    /// What a person is asked before anything is done.
    pub(crate) ask: Option<Box<Ask>>,
    pub(crate) timeout: Duration,
    pub(crate) action: Action,
    pub(crate) meter: Meter,
}

/// A tool as it is listed.
#[derive(Clone, Debug)]
pub struct ToolInfo {
    /// Name for programs.
    pub name: Arc<str>,
    /// Name for people.
    pub title: Option<String>,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of the arguments, as text.
    pub input_schema: Bytes,
    /// JSON Schema of the structured result, as text.
    pub output_schema: Option<Bytes>,
    /// Hints.
    pub annotations: Annotations,
    /// Pictures.
    pub icons: Vec<Icon>,
    /// Whether calls may be tasks.
    pub task: Option<TaskUse>,
}

/// What a tool does.
#[derive(Debug)]
pub(crate) enum Action {
    Sql(Box<SqlAction>),
    Http(Box<HttpAction>),
    Redis(Box<RedisAction>),
    Mongo(Box<MongoAction>),
    Graphql(Box<GraphqlAction>),
    Grpc(Box<GrpcAction>),
    Files(Box<FilesAction>),
    Send(Box<SendAction>),
    Vector(Box<VectorAction>),
    Script(Box<ScriptAction>),
    Call(Box<CallAction>),
    Steps(Box<StepsAction>),
    Command(Box<CommandAction>),
    /// A fixed answer.
    Reply {
        structured: Option<Bytes>,
        content: Box<[Content]>,
        echo: bool,
    },
    Template(Box<ReplyAction>),
    NotImplemented(String),
}

impl Action {
    /// Whether it leads to other tools, which may ask.
    fn may_ask(&self) -> bool {
        match self {
            Self::Call(_) => true,
            Self::Steps(steps) => steps.may_ask(),
            Self::Script(script) => script.may_ask(),
            _ => false,
        }
    }

    /// Whether it gives pages with cursors of our own.
    pub(crate) fn has_pages(&self) -> bool {
        matches!(self, Self::Sql(sql) if sql.page.is_some())
    }
}

/// Statements with their bindings.
#[derive(Debug)]
pub(crate) struct SqlAction {
    pub(crate) connection: Box<str>,
    /// `None`: the connection is not configured, for the reason beside it.
    pub(crate) database: Option<Arc<Database>>,
    pub(crate) unavailable: Option<String>,
    /// Whom calls act as, where they do not act as the connection's own account.
    pub(crate) acts: Option<Arc<ActAs>>,
    pub(crate) statements: Vec<connect::Statement>,
    /// What is bound, each once; the statements' `order` points into it.
    pub(crate) slots: Vec<Slot>,
    /// Slots of points in time, which this engine takes without their time zone only.
    pub(crate) instants: Vec<usize>,
    pub(crate) write: bool,
    pub(crate) batch: Option<Box<str>>,
    pub(crate) result: SqlResult,
    pub(crate) row_limit: usize,
    pub(crate) page: Option<Pages>,
}

/// How an answer is given in pages.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) size: usize,
    pub(crate) by: PageBy,
    /// Columns whose last values lead to the next page.
    pub(crate) key: Vec<String>,
    /// The statements of the following pages, where they differ from the first page's.
    pub(crate) next: Option<Vec<connect::Statement>>,
}

/// There is no tool of this name. The message is for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unknown(pub String);

impl Tool {
    /// The tool as it is listed.
    pub fn info(&self) -> &ToolInfo {
        &self.info
    }

    /// Whether a call may ask the person behind its caller: the tool does, or it leads to other ones.
    pub fn may_ask(&self) -> bool {
        self.ask.is_some() || self.action.may_ask()
    }

    /// Whether a call does something, other than telling that it does not.
    pub fn is_implemented(&self) -> bool {
        !matches!(self.action, Action::NotImplemented(_))
    }
}

impl Toolset {
    /// What the server says of itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Whether any tool may ask the person behind its caller.
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// The tools, in the order of the spec.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// The groups, declared ones first.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// Whether a group has this tool.
    pub fn is_in(&self, group: &Group, tool: &str) -> bool {
        self.by_name.get(tool).is_some_and(|index| group.tools.contains(index))
    }

    /// Whether a group shows a prompt: one that no tool stands behind, or tools of the group.
    pub fn is_prompt_in(&self, group: &Group, prompt: &Prompt) -> bool {
        prompt.tools().all(|index| group.tools.contains(&index))
    }

    /// The tool of this name.
    ///
    /// # Errors
    /// There is none; the message has the nearest name.
    pub fn tool(&self, name: &str) -> Result<&Tool, Unknown> {
        if let Some(index) = self.by_name.get(name) {
            return Ok(&self.tools[*index]);
        }
        let near = nearest(name, self.tools.iter().map(|tool| &*tool.info.name));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Err(Unknown(format!("Unknown tool: `{}`{near}", shown(name))))
    }

    /// Calls a tool. Whatever goes wrong behind the name is an [`Outcome`] that says so.
    ///
    /// # Errors
    /// There is no tool of this name.
    pub async fn call(
        &self,
        context: &CallContext<'_>,
        name: &str,
        arguments: Option<&RawValue>,
    ) -> Result<Outcome, Unknown> {
        let tool = self.tool(name)?;
        let running = tool.meter.start();
        let mut outcome = match self.run(context, tool, arguments, running.started()).await {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::from(*failure),
        };
        if !self.mask.is_empty() {
            self.hide(&mut outcome);
        }
        let elapsed = running.end(&outcome);
        let milliseconds = elapsed.as_secs_f64() * 1e3;
        match &outcome.failure {
            None => tracing::info!(tool = name, milliseconds, rows = outcome.rows, "called"),
            Some(failure) => {
                tracing::info!(tool = name, milliseconds, failure = failure.kind.as_str(), "failed");
                // The text may quote arguments, so it is told only to those who ask for details.
                tracing::debug!(tool = name, text = failure.text, "why it failed");
            }
        }
        Ok(outcome)
    }

    /// Replaces secrets in everything that goes out.
    fn hide(&self, outcome: &mut Outcome) {
        if let Some(masked) = outcome.structured.as_deref().and_then(|json| self.mask.json(json)) {
            outcome.structured = Some(masked.into());
        }
        if let Some(masked) = outcome.meta.as_deref().and_then(|json| self.mask.json(json)) {
            outcome.meta = Some(masked.into());
        }
        for content in &mut outcome.content {
            match content {
                Content::Text(text) => {
                    if let std::borrow::Cow::Owned(masked) = self.mask.text(text) {
                        *text = masked;
                    }
                }
                Content::Block(json) => {
                    if let Some(masked) = self.mask.json(json) {
                        *json = masked.into();
                    }
                }
                Content::Resource { body, is_blob: false, .. } => {
                    if let std::borrow::Cow::Owned(masked) = self.mask.text(body) {
                        *body = masked;
                    }
                }
                Content::Link { uri, name, .. } => {
                    for text in [uri, name] {
                        if let std::borrow::Cow::Owned(masked) = self.mask.text(text) {
                            *text = masked;
                        }
                    }
                }
                Content::Image { .. } | Content::Audio { .. } | Content::Resource { .. } => {}
            }
        }
        if let Some(failure) = &mut outcome.failure {
            failure.text = self.mask.text(&failure.text).into_owned();
        }
    }

    /// Masks these secrets in every answer from now on.
    #[must_use]
    pub fn with_secrets(mut self, secrets: &[Secret]) -> Self {
        self.mask = Mask::new(secrets);
        self
    }

    /// What masks secrets, for texts that this server's host writes itself.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Goes on with the counts of an older toolset of the same server: those of the tools that both have.
    pub fn keep_counting(&self, older: &Self) {
        for tool in &self.tools {
            if let Some(before) = older.tools.iter().find(|before| before.info.name == tool.info.name) {
                tool.meter.go_on(&before.meter);
            }
        }
    }

    /// What was measured so far.
    pub fn metrics(&self) -> Metrics {
        Metrics { tools: self.tools.iter().filter_map(|tool| tool.meter.read(&tool.info.name)).collect() }
    }
}

/// A piece of what a caller sent, short enough for a message.
pub(crate) fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(crate::limits::SHOWN_CHARS_MAX) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]).into(),
    }
}
