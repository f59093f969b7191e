//! Definitions: tools, resources, templates, prompts.

use crate::json::Json;
use crate::service::Icon;

/// Who may keep a cached copy of a list or resource (2026-07-28, caching).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheScope {
    /// The same for every caller.
    #[default]
    Public,
    /// Only this caller's.
    Private,
}

impl CacheScope {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

/// Whether a tool may or must run as a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskSupport {
    /// It never does.
    #[default]
    Forbidden,
    /// It does whenever the client knows tasks.
    Optional,
    /// It cannot be called without.
    Required,
}

/// Hints about a tool's behaviour. `None` leaves the hint out, which means the specification's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolAnnotations {
    /// It changes nothing. Default false.
    pub read_only: Option<bool>,
    /// It may destroy or overwrite. Default true.
    pub destructive: Option<bool>,
    /// Calling it twice equals calling it once. Default false.
    pub idempotent: Option<bool>,
    /// It talks to a world that is not closed. Default true.
    pub open_world: Option<bool>,
}

/// A tool.
#[derive(Clone, Debug)]
pub struct Tool {
    /// The name for programs.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What it does, for the model.
    pub description: Option<String>,
    /// JSON Schema 2020-12 of the arguments; its root must have `"type": "object"`.
    pub input_schema: Json,
    /// JSON Schema of the structured result.
    pub output_schema: Option<Json>,
    /// Hints.
    pub annotations: ToolAnnotations,
    /// Pictures.
    pub icons: Vec<Icon>,
    /// `_meta`, an object.
    pub meta: Option<Json>,
    /// Tasks.
    pub task: TaskSupport,
    /// Whether a task that its process did not survive is called anew, with the same arguments and the same task id. The handler
    /// has to go on where it was ([`crate::Context::task`]).
    pub resumes: bool,
}

impl Tool {
    /// A tool with nothing but a name and a schema.
    pub fn new(name: impl Into<String>, input_schema: impl Into<Json>) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            input_schema: input_schema.into(),
            output_schema: None,
            annotations: ToolAnnotations::default(),
            icons: Vec::new(),
            meta: None,
            task: TaskSupport::Forbidden,
            resumes: false,
        }
    }

    /// Sets the description.
    #[must_use]
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

/// A resource in the list.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// Its URI.
    pub uri: String,
    /// The name for programs.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What it holds.
    pub description: Option<String>,
    /// The media type.
    pub mime_type: Option<String>,
    /// The size in bytes.
    pub size: Option<u64>,
    /// Pictures.
    pub icons: Vec<Icon>,
    /// `_meta`, an object.
    pub meta: Option<Json>,
}

/// A family of resources.
#[derive(Clone, Debug, Default)]
pub struct ResourceTemplate {
    /// RFC 6570 template.
    pub uri_template: String,
    /// The name for programs.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What they hold.
    pub description: Option<String>,
    /// The media type, when all have the same.
    pub mime_type: Option<String>,
    /// Pictures.
    pub icons: Vec<Icon>,
    /// `_meta`, an object.
    pub meta: Option<Json>,
}

/// A prompt in the list.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// The name for programs.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Its arguments.
    pub arguments: Vec<PromptArgument>,
    /// Pictures.
    pub icons: Vec<Icon>,
    /// `_meta`, an object.
    pub meta: Option<Json>,
}

/// An argument of a prompt.
#[derive(Clone, Debug, Default)]
pub struct PromptArgument {
    /// The name for programs.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What to put there.
    pub description: Option<String>,
    /// Whether it must be given.
    pub required: bool,
}
