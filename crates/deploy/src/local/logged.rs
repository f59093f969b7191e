//! A service whose calls are kept in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use host::Hosted;
use protocol::{
    About, Binding, Boxed, Changes, Completing, Completion, Content, Context, Error, Listing, Principal, PromptCall,
    PromptResult, ReadResult, Reply, Service, ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use super::unsaid::unsaid;
use crate::logs::{Done, MESSAGE_CHARS_MAX, Writer};

/// The requests that run.
#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    /// Whether nothing runs.
    pub(super) fn is_none(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }

    /// Counts one until it is dropped.
    fn enter(&self) -> Entered<'_> {
        self.0.fetch_add(1, Ordering::AcqRel);
        Entered(&self.0)
    }
}

struct Entered<'a>(&'a AtomicUsize);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A service whose calls are kept in the log. Arguments and answers are not; the text of a failure is, without secrets and
/// without what was sent.
pub(super) struct Logged {
    inside: Arc<dyn Service>,
    hosted: Arc<Hosted>,
    server: Arc<str>,
    version: Arc<str>,
    under_way: UnderWay,
    log: Writer,
}

impl Logged {
    pub(super) fn new(
        inside: Arc<dyn Service>,
        hosted: Arc<Hosted>,
        (server, version): (&str, &str),
        under_way: UnderWay,
        log: Writer,
    ) -> Self {
        Self { inside, hosted, server: server.into(), version: version.into(), under_way, log }
    }

    fn told(
        &self,
        (tool, arguments): (&str, Option<&RawValue>),
        caller: Option<&Principal>,
        start: Instant,
        outcome: Result<&ToolResult, &Error>,
    ) {
        let (is_error, bytes, message) = match outcome {
            Ok(result) => (result.is_error, bytes(result), result.is_error.then(|| text(result))),
            Err(error) => (true, 0, Some(error.message().to_owned())),
        };
        let message = message.map(|text| {
            let toolset = self.hosted.toolset();
            let text = toolset.mask().text(&text).chars().take(MESSAGE_CHARS_MAX).collect();
            unsaid(text, arguments).into()
        });
        self.log.put(Done {
            server: &self.server,
            version: &self.version,
            tool,
            caller: caller.map(Principal::shared_id).as_ref(),
            is_error,
            micros: u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
            bytes_in: arguments.map_or(0, |arguments| arguments.get().len() as u64),
            bytes,
            message,
        });
    }
}

/// The size of an answer.
pub(super) fn bytes(result: &ToolResult) -> u64 {
    let content = |content: &Content| match content {
        Content::Text(text) => text.len(),
        Content::Image { data, .. } | Content::Audio { data, .. } => data.len(),
        Content::Embedded(resource) => resource.body.len(),
        Content::Raw(json) => json.as_bytes().len(),
        Content::Link { .. } => 0,
    };
    let structured = result.structured.as_ref().map_or(0, |json| json.as_bytes().len());
    (structured + result.content.iter().map(content).sum::<usize>()) as u64
}

fn text(result: &ToolResult) -> String {
    let texts = result.content.iter().filter_map(|content| match content {
        Content::Text(text) => Some(text.as_ref()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join(" ")
}

impl Service for Logged {
    fn about(&self) -> &About {
        self.inside.about()
    }

    fn listing(&self, principal: Option<&Principal>) -> Arc<Listing> {
        self.inside.listing(principal)
    }

    fn bind(&self, query: &str) -> Result<Option<Binding>, String> {
        self.inside.bind(query)
    }

    fn listing_bound(&self, principal: Option<&Principal>, binding: &Binding) -> Arc<Listing> {
        self.inside.listing_bound(principal, binding)
    }

    fn caller_kept(&self, principal: &Principal) -> Option<String> {
        self.inside.caller_kept(principal)
    }

    fn caller_again(&self, id: &Arc<str>, kept: Option<&str>) -> Option<Principal> {
        self.inside.caller_again(id, kept)
    }

    fn call_tool<'a>(
        &'a self,
        context: &'a Context,
        call: ToolCall<'a>,
    ) -> Boxed<'a, Result<Reply<ToolResult>, Error>> {
        Box::pin(async move {
            let _entered = self.under_way.enter();
            let start = Instant::now();
            let called = (call.name, call.arguments);
            let reply = self.inside.call_tool(context, call).await;
            let caller = context.principal();
            match &reply {
                Ok(Reply::Done(result)) => self.told(called, caller, start, Ok(result)),
                Err(error) => self.told(called, caller, start, Err(error)),
                // It is not over: the client is asked, or a task goes on.
                Ok(Reply::NeedInput(_) | Reply::Later(_)) => {}
            }
            reply
        })
    }

    fn read_resource<'a>(&'a self, context: &'a Context, uri: &'a str) -> Boxed<'a, Result<Reply<ReadResult>, Error>> {
        Box::pin(async move {
            let _entered = self.under_way.enter();
            self.inside.read_resource(context, uri).await
        })
    }

    fn get_prompt<'a>(
        &'a self,
        context: &'a Context,
        call: PromptCall<'a>,
    ) -> Boxed<'a, Result<Reply<PromptResult>, Error>> {
        Box::pin(async move {
            let _entered = self.under_way.enter();
            self.inside.get_prompt(context, call).await
        })
    }

    fn complete<'a>(&'a self, context: &'a Context, ask: Completing<'a>) -> Boxed<'a, Result<Completion, Error>> {
        self.inside.complete(context, ask)
    }

    fn changes(&self) -> Option<&Changes> {
        self.inside.changes()
    }
}
