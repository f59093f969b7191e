//! A toolset as a service of the protocol.

mod adapt;
mod asking;
mod flights;
mod group;
mod views;

use std::sync::Arc;

use flights::Flights;
pub use group::GroupService;
use views::{Bound, Views};

use engine::{BadPrompt, CallContext, FailureKind, ReadError, Toolset};
use parking_lot::RwLock;
use protocol::{
    About, Binding, Boxed, Capabilities, Change, Changes, Completing, Completion, Context, Error, Listing, Principal,
    PromptCall, PromptMessage, PromptResult, ReadResult, Reference, Reply, ResourceContents, Role, Service, ToolCall,
    ToolResult, service,
};
use tokio_util::sync::CancellationToken;

use crate::auth::Caller;

/// A server that can be put on any transport. Its toolset can be replaced while it is served: calls under way end on
/// the one they began with, and clients are told that the lists changed.
#[derive(Debug)]
pub struct Hosted {
    about: About,
    served: Arc<Served>,
}

/// What a server and those that took its place have in common.
#[derive(Debug)]
struct Served {
    current: RwLock<Arc<Current>>,
    changes: Changes,
    /// Calls that wait for the answer of a person.
    flights: Flights,
}

#[derive(Debug)]
struct Current {
    toolset: Arc<Toolset>,
    listing: Arc<Listing>,
    /// What groups and URLs show of it.
    views: Views,
}

impl Current {
    fn of(toolset: Arc<Toolset>) -> Arc<Self> {
        let listing = Arc::new(adapt::listing(&toolset));
        Arc::new(Self { toolset, listing, views: Views::default() })
    }
}

impl Hosted {
    /// Serves a toolset. It offers what the toolset has: resources and prompts only when there are some.
    pub fn new(toolset: Arc<Toolset>) -> Self {
        let about = about(&toolset);
        let current = RwLock::new(Current::of(toolset));
        Self { about, served: Arc::new(Served { current, changes: Changes::new(), flights: Flights::default() }) }
    }

    /// A server whose toolset will be replaced: it offers resources, prompts and completion from the start, since what
    /// a server offers cannot change while clients are connected.
    pub fn reloadable(toolset: Arc<Toolset>) -> Self {
        let mut hosted = Self::new(toolset);
        hosted.about = whole(hosted.about);
        hosted
    }

    /// The server with another toolset and what that one says of itself, such as its version: for clients that connect from
    /// now on. Those of this one stay, and are told which lists changed. Calls under way end on the toolset that they
    /// began with, and new ones use the other, whichever of the two servers is asked.
    pub fn succeeded_by(&self, toolset: Arc<Toolset>) -> Self {
        let about = whole(about(&toolset));
        self.replace(toolset);
        Self { about, served: Arc::clone(&self.served) }
    }

    /// Replaces the toolset and tells clients which lists changed. Name, version and instructions are told to a
    /// client when it connects, so they stay what they were.
    pub fn replace(&self, toolset: Arc<Toolset>) {
        let next = Current::of(toolset);
        let before = std::mem::replace(&mut *self.served.current.write(), Arc::clone(&next));
        next.toolset.keep_counting(&before.toolset);
        for change in next.listing.changes_since(&before.listing) {
            let offered = match change {
                Change::Prompts => self.about.capabilities.prompts,
                Change::Tools => self.about.capabilities.tools,
                Change::Resources | Change::Resource(_) => self.about.capabilities.resources,
            };
            if offered {
                self.served.changes.send(change);
            }
        }
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.served.current.read())
    }

    /// The toolset that new calls use.
    pub fn toolset(&self) -> Arc<Toolset> {
        Arc::clone(&self.served.current.read().toolset)
    }
}

/// What a toolset says of itself, and what it has to offer now.
fn about(toolset: &Toolset) -> About {
    adapt::about(
        toolset,
        Capabilities {
            tools: true,
            resources: !toolset.resources().is_empty(),
            prompts: !toolset.prompts().is_empty(),
            completions: adapt::completes(toolset),
            logging: false,
            list_changed: true,
            tasks: toolset.tools().iter().any(|tool| tool.info().task.is_some()),
            ..Capabilities::default()
        },
    )
}

/// The same for a server that may have resources, prompts and completion later.
fn whole(mut about: About) -> About {
    let offered = &mut about.capabilities;
    (offered.resources, offered.prompts, offered.completions) = (true, true, true);
    about
}

/// What a call brings along of its request.
fn inside<'a>(cancel: &'a CancellationToken, caller: Option<&'a Caller>, bound: Option<&'a Bound>) -> CallContext<'a> {
    let mut inside = CallContext::new(cancel);
    if let Some(caller) = caller {
        inside = inside.caller(caller);
        if let Some(token) = &caller.token {
            inside = inside.token(token);
        }
    }
    if let Some(Bound(bindings)) = bound {
        inside = inside.bindings(bindings);
    }
    inside
}

/// What the failure of a tool behind a document or a prompt is for its reader.
fn failed(failure: engine::Failure) -> Error {
    match failure.kind {
        FailureKind::Arguments | FailureKind::Cursor | FailureKind::Value => Error::invalid_params(failure.text),
        _ => Error::internal(failure.text),
    }
}

impl Service for Hosted {
    fn about(&self) -> &About {
        &self.about
    }

    fn listing(&self, _principal: Option<&Principal>) -> Arc<Listing> {
        Arc::clone(&self.served.current.read().listing)
    }

    fn bind(&self, query: &str) -> Result<Option<Binding>, String> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let bindings = self.toolset().bindings(&pairs)?;
        Ok((!bindings.is_empty()).then(|| Arc::new(Bound(bindings)) as Binding))
    }

    fn listing_bound(&self, _principal: Option<&Principal>, binding: &Binding) -> Arc<Listing> {
        self.current().view(None, binding.downcast_ref())
    }

    fn caller_kept(&self, principal: &Principal) -> Option<String> {
        Caller::of(Some(principal)).and_then(|caller| caller.kept())
    }

    fn caller_again(&self, id: &Arc<str>, kept: Option<&str>) -> Option<Principal> {
        Some(Caller::again(id, kept))
    }

    fn call_tool<'a>(
        &'a self,
        context: &'a Context,
        call: ToolCall<'a>,
    ) -> Boxed<'a, Result<Reply<ToolResult>, Error>> {
        let toolset = self.toolset();
        if toolset.asks() && asking::reaches(context) && toolset.tool(call.name).is_ok_and(engine::Tool::may_ask) {
            return asking::call(&self.served.flights, toolset, context, call);
        }
        Box::pin(async move {
            let caller = Caller::of(context.principal());
            let report = |done: f64, total: Option<f64>, message: &str| context.progress(done, total, Some(message));
            let mut inside = inside(context.cancellation(), caller.as_deref(), context.binding());
            if context.wants_progress() {
                inside = inside.progress(&report);
            }
            if let Some(id) = context.task() {
                inside = inside.task(id);
            }
            let say = |level: engine::LogLevel, text: &str| context.log(adapt::level(level), Some(call.name), text);
            inside = inside.logger(&say);
            let outcome = toolset.call(&inside, call.name, call.arguments).await;
            let outcome = outcome.map_err(|unknown| Error::invalid_params(unknown.0))?;
            Ok(Reply::Done(adapt::result(outcome)))
        })
    }

    fn read_resource<'a>(&'a self, context: &'a Context, uri: &'a str) -> Boxed<'a, Result<Reply<ReadResult>, Error>> {
        let toolset = self.toolset();
        Box::pin(async move {
            let caller = Caller::of(context.principal());
            let inside = inside(context.cancellation(), caller.as_deref(), context.binding());
            let document = match toolset.read(&inside, uri).await {
                Ok(document) => document,
                Err(ReadError::NotFound) => return Err(Error::resource_not_found(uri)),
                Err(ReadError::Failed(failure)) => {
                    return Err(match failure.kind {
                        FailureKind::NotFound => Error::resource_not_found(uri),
                        _ => failed(*failure),
                    });
                }
            };
            let text = document.text.to_string();
            let contents = if document.is_blob {
                ResourceContents::blob(uri, document.mime_type, text)
            } else {
                ResourceContents::text(uri, document.mime_type, text)
            };
            Ok(Reply::Done(ReadResult::from(contents)))
        })
    }

    fn get_prompt<'a>(
        &'a self,
        context: &'a Context,
        call: PromptCall<'a>,
    ) -> Boxed<'a, Result<Reply<PromptResult>, Error>> {
        let toolset = self.toolset();
        Box::pin(async move {
            let caller = Caller::of(context.principal());
            let inside = inside(context.cancellation(), caller.as_deref(), context.binding());
            let rendered = toolset.prompt(&inside, call.name, call.arguments).await;
            let rendered = rendered.map_err(|bad| match bad {
                BadPrompt::Asked(why) => Error::invalid_params(why),
                BadPrompt::Failed(failure) => failed(*failure),
            })?;
            let messages = rendered.messages.into_iter().map(|(role, text)| PromptMessage {
                role: match role {
                    spec::model::Role::User => Role::User,
                    spec::model::Role::Assistant => Role::Assistant,
                },
                content: service::Content::text(text),
            });
            Ok(Reply::Done(PromptResult { description: rendered.description, messages: messages.collect() }))
        })
    }

    fn complete<'a>(&'a self, _context: &'a Context, ask: Completing<'a>) -> Boxed<'a, Result<Completion, Error>> {
        let toolset = self.toolset();
        Box::pin(async move {
            let found = match ask.reference {
                Reference::Prompt(name) => toolset
                    .complete_prompt(name, ask.argument, ask.value)
                    .ok_or_else(|| Error::invalid_params(format!("Unknown prompt: {name}"))),
                Reference::Resource(template) => toolset
                    .complete_resource(template, ask.argument, ask.value)
                    .ok_or_else(|| Error::invalid_params(format!("Unknown resource template: {template}"))),
            }?;
            let has_more = found.total > found.values.len();
            Ok(Completion { values: found.values, total: Some(found.total as u64), has_more })
        })
    }

    fn changes(&self) -> Option<&Changes> {
        Some(&self.served.changes)
    }
}
