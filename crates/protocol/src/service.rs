//! What a servable thing implements. Handlers are written once and serve every revision.

mod about;
mod content;
mod input;
mod tool;

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

pub(crate) use about::shapes;
pub use about::{About, Capabilities, Icon};
pub use content::{Content, PromptMessage, PromptResult, ReadResult, ResourceContents, Role, ToolResult};
pub use input::{Input, InputRequest, NeedInput};
pub use tool::{CacheScope, Prompt, PromptArgument, Resource, ResourceTemplate, TaskSupport, Tool, ToolAnnotations};

use crate::changes::Changes;
use crate::context::Context;
use crate::error::Error;
use crate::listing::Listing;
use crate::principal::Principal;

/// A future behind a pointer, as the handlers return it.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a service made of the query of a URL; see [`Service::bind`].
pub type Binding = Arc<dyn Any + Send + Sync>;

/// Anything that can be served over MCP.
pub trait Service: Send + Sync + 'static {
    /// Name, version, capabilities: constant for the life of the value.
    fn about(&self) -> &About;

    /// The lists as they are now, for this caller. An immutable snapshot, cheap to hand out; a change makes a new one
    /// and is told through [`Service::changes`].
    fn listing(&self, principal: Option<&Principal>) -> Arc<Listing>;

    /// What the query of the URL that a client uses means to this service; asked for every request whose URL has one.
    ///
    /// # Errors
    /// Why the query is refused, for the client.
    fn bind(&self, _query: &str) -> Result<Option<Binding>, String> {
        Ok(None)
    }

    /// The lists for a client whose URL says something.
    fn listing_bound(&self, principal: Option<&Principal>, _binding: &Binding) -> Arc<Listing> {
        self.listing(principal)
    }

    /// What has to be kept of a caller whose task may go on in another process.
    fn caller_kept(&self, _principal: &Principal) -> Option<String> {
        None
    }

    /// The caller of a task that goes on in this process, with the id and what was kept; nothing when it is not known any more,
    /// and then the task does not go on.
    fn caller_again(&self, id: &Arc<str>, _kept: Option<&str>) -> Option<Principal> {
        Some(Principal::new(id.clone()))
    }

    /// Runs a tool. The name is known to be in the listing; the arguments are not validated yet.
    fn call_tool<'a>(&'a self, context: &'a Context, call: ToolCall<'a>)
    -> Boxed<'a, Result<Reply<ToolResult>, Error>>;

    /// Reads a resource, whether listed or made from a template.
    fn read_resource<'a>(&'a self, _context: &'a Context, uri: &'a str) -> Boxed<'a, Result<Reply<ReadResult>, Error>> {
        Box::pin(async move { Err(Error::resource_not_found(uri)) })
    }

    /// Renders a prompt. The name is known to be in the listing.
    fn get_prompt<'a>(
        &'a self,
        _context: &'a Context,
        call: PromptCall<'a>,
    ) -> Boxed<'a, Result<Reply<PromptResult>, Error>> {
        Box::pin(async move { Err(Error::invalid_params(format!("Unknown prompt: {}", call.name))) })
    }

    /// Whether what the client's URL names is there for this caller; says what is there where it is not. Asked on every request
    /// whose URL says something.
    fn is_there<'a>(
        &'a self,
        _principal: Option<&'a Principal>,
        _binding: &'a Binding,
    ) -> Boxed<'a, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Suggests values for an argument of a prompt or a resource template.
    fn complete<'a>(&'a self, _context: &'a Context, _ask: Completing<'a>) -> Boxed<'a, Result<Completion, Error>> {
        Box::pin(async { Ok(Completion::default()) })
    }

    /// The hub on which changes of lists and resources are announced. `None` when nothing ever changes.
    fn changes(&self) -> Option<&Changes> {
        None
    }
}

/// A call of a tool.
#[derive(Clone, Copy, Debug)]
pub struct ToolCall<'a> {
    /// The tool's name.
    pub name: &'a str,
    /// The arguments as the peer wrote them. Absent and `null` are both `None`.
    pub arguments: Option<&'a RawValue>,
    /// `_meta` of the request.
    pub meta: Option<&'a RawValue>,
}

/// A request for a prompt.
#[derive(Clone, Copy, Debug)]
pub struct PromptCall<'a> {
    /// The prompt's name.
    pub name: &'a str,
    /// The arguments, an object of strings.
    pub arguments: Option<&'a RawValue>,
}

/// What the argument being completed belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// The prompt of this name.
    Prompt(&'a str),
    /// The resource template of this URI template.
    Resource(&'a str),
}

/// A request for completion.
#[derive(Clone, Copy, Debug)]
pub struct Completing<'a> {
    /// What the argument belongs to.
    pub reference: Reference<'a>,
    /// The argument's name.
    pub argument: &'a str,
    /// What has been typed so far.
    pub value: &'a str,
    /// The arguments chosen already, an object of strings.
    pub context: Option<&'a RawValue>,
}

/// Suggested values; only the first hundred are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The values, best first.
    pub values: Vec<String>,
    /// How many there are altogether, if known.
    pub total: Option<u64>,
    /// Whether there are more.
    pub has_more: bool,
}

/// What a handler answers.
pub enum Reply<T> {
    /// The result.
    Done(T),
    /// The client has to be asked first. The handler is then called again, with the answers in
    /// [`Context::input`] and its own state in [`Context::state`]: modern peers retry the request, peers of the older
    /// revisions are asked over their stream.
    NeedInput(NeedInput),
    /// The rest takes long: it becomes a task for clients that know tasks, and is awaited for all others.
    Later(Boxed<'static, Result<Reply<T>, Error>>),
}

impl<T> From<T> for Reply<T> {
    fn from(result: T) -> Self {
        Self::Done(result)
    }
}

impl<T> Reply<T> {
    /// Asks the client, keeping no state.
    pub fn ask(key: impl Into<String>, request: InputRequest) -> Self {
        Self::NeedInput(NeedInput { requests: vec![(key.into(), request)], state: None })
    }

    /// Asks the client for several things at once, with state to be given back.
    pub fn ask_all(requests: Vec<(String, InputRequest)>, state: Option<Bytes>) -> Self {
        Self::NeedInput(NeedInput { requests, state })
    }
}
