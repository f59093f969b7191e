//! A service of which every caller sees and calls what they may.

use std::sync::Arc;

use parking_lot::Mutex;
use protocol::{
    About, Binding, Boxed, Changes, Completing, Completion, Context, Error, Listing, Principal, PromptCall,
    PromptResult, ReadResult, Reply, Service, ToolCall, ToolResult,
};

use super::logged::bytes;
use crate::access::{Access, Place};

/// Before what the platform keeps of a caller.
const PLATFORM: &str = "platform:";

/// A service of which every caller sees and calls what they may.
pub(super) struct Guarded {
    inside: Arc<dyn Service>,
    access: Arc<dyn Access>,
    place: Place,
    /// The last lists that somebody saw all of, as they were and as they are shown.
    whole: Mutex<Option<(Arc<Listing>, Arc<Listing>)>>,
}

impl Guarded {
    pub(super) fn new(inside: Arc<dyn Service>, access: Arc<dyn Access>, place: Place) -> Self {
        Self { inside, access, place, whole: Mutex::default() }
    }

    fn part(&self, principal: Option<&Principal>, listing: Arc<Listing>) -> Arc<Listing> {
        match self.access.part(&self.place, principal, &listing) {
            Some(part) => Arc::new(part),
            None => self.all_of(listing),
        }
    }

    /// All of the lists, which is for this caller: others see less, so nobody between keeps it for them.
    fn all_of(&self, listing: Arc<Listing>) -> Arc<Listing> {
        let mut whole = self.whole.lock();
        match whole.as_ref().filter(|(known, _)| Arc::ptr_eq(known, &listing)) {
            Some((_, shown)) => Arc::clone(shown),
            None => {
                let shown = Arc::new(listing.part(|_| true, true));
                Arc::clone(&whole.insert((listing, shown)).1)
            }
        }
    }

    /// Keeps what is no tool from those who may use some tools alone.
    fn whole(&self, context: &Context) -> Result<(), Error> {
        match self.access.is_whole(&self.place, context.principal()) {
            true => Ok(()),
            false => Err(Error::invalid_params("there is nothing of this name that you may use")),
        }
    }
}

impl Service for Guarded {
    fn about(&self) -> &About {
        self.inside.about()
    }

    fn listing(&self, principal: Option<&Principal>) -> Arc<Listing> {
        self.part(principal, self.inside.listing(principal))
    }

    fn bind(&self, query: &str) -> Result<Option<Binding>, String> {
        self.inside.bind(query)
    }

    fn listing_bound(&self, principal: Option<&Principal>, binding: &Binding) -> Arc<Listing> {
        self.part(principal, self.inside.listing_bound(principal, binding))
    }

    fn caller_kept(&self, principal: &Principal) -> Option<String> {
        // Which of the two knows the caller stands before it.
        let known = self.access.kept(principal).map(|kept| format!("{PLATFORM}{kept}"));
        known.or_else(|| self.inside.caller_kept(principal))
    }

    fn caller_again(&self, id: &Arc<str>, kept: Option<&str>) -> Option<Principal> {
        match kept.and_then(|kept| kept.strip_prefix(PLATFORM)) {
            Some(kept) => self.access.again(&self.place, id, kept),
            None => self.inside.caller_again(id, kept),
        }
    }

    fn call_tool<'a>(
        &'a self,
        context: &'a Context,
        call: ToolCall<'a>,
    ) -> Boxed<'a, Result<Reply<ToolResult>, Error>> {
        match self.access.call(&self.place, context.principal(), call.name) {
            Err(why) => Box::pin(async move { Ok(Reply::Done(ToolResult::error(why))) }),
            Ok(None) => self.inside.call_tool(context, call),
            Ok(Some(counted)) => Box::pin(async move {
                let reply = self.inside.call_tool(context, call).await;
                if let Ok(Reply::Done(result)) = &reply {
                    counted(bytes(result));
                }
                reply
            }),
        }
    }

    fn read_resource<'a>(&'a self, context: &'a Context, uri: &'a str) -> Boxed<'a, Result<Reply<ReadResult>, Error>> {
        match self.whole(context) {
            Ok(()) => self.inside.read_resource(context, uri),
            Err(error) => Box::pin(async move { Err(error) }),
        }
    }

    fn get_prompt<'a>(
        &'a self,
        context: &'a Context,
        call: PromptCall<'a>,
    ) -> Boxed<'a, Result<Reply<PromptResult>, Error>> {
        match self.whole(context) {
            Ok(()) => self.inside.get_prompt(context, call),
            Err(error) => Box::pin(async move { Err(error) }),
        }
    }

    fn complete<'a>(&'a self, context: &'a Context, ask: Completing<'a>) -> Boxed<'a, Result<Completion, Error>> {
        match self.whole(context) {
            Ok(()) => self.inside.complete(context, ask),
            Err(error) => Box::pin(async move { Err(error) }),
        }
    }

    fn changes(&self) -> Option<&Changes> {
        self.inside.changes()
    }
}
