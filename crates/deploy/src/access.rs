//! Who may come to a server that runs, on a platform that knows its callers.

use std::sync::Arc;

use http::request::Parts;
use protocol::http::{AuthOutcome, Authenticator, Challenge, Peer};
use protocol::{Listing, Principal};

/// A door of a server that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the server.
    pub server: Arc<str>,
    /// Whose the server is.
    pub owner: Arc<str>,
    /// The group that is behind the door; the whole server when absent.
    pub group: Option<Arc<str>>,
}

/// Decides who may use what. It is asked on every request, and answers from memory.
pub trait Access: Send + Sync + 'static {
    /// Whether a request shows something that only the platform gives, such as an API key.
    fn knows(&self, head: &Parts) -> bool;

    /// Lets a caller of the platform come to a server.
    ///
    /// # Errors
    /// How they are turned away.
    fn enter(&self, place: &Place, principal: &Principal) -> Result<(), Challenge>;

    /// The part of a list that a caller sees; `None` for all of it.
    fn part(&self, place: &Place, principal: Option<&Principal>, listing: &Listing) -> Option<Listing>;

    /// Whether a caller sees more than tools.
    fn is_whole(&self, place: &Place, principal: Option<&Principal>) -> bool;

    /// What has to be kept of a caller of the platform to know it again; nothing for others.
    fn kept(&self, principal: &Principal) -> Option<String>;

    /// A caller of the platform as it was kept; nothing when it may not come to the server any more.
    fn again(&self, place: &Place, id: &Arc<str>, kept: &str) -> Option<Principal>;

    /// Lets a caller call a tool, and counts the call. What is given is called with the size of the answer, bytes.
    ///
    /// # Errors
    /// Why they may not, in words for whoever reads answers of tools.
    fn call(&self, place: &Place, principal: Option<&Principal>, tool: &str) -> Result<Counted, String>;
}

/// Is told the size of an answer, bytes; nothing where nobody counts.
pub type Counted = Option<Box<dyn FnOnce(u64) + Send>>;

/// Lets callers come to one server: those that the platform knows, and those that show what the spec asks for.
pub(crate) struct Entrance {
    pub(crate) place: Place,
    pub(crate) access: Arc<dyn Access>,
    /// Knows the callers of the platform.
    pub(crate) platform: Arc<dyn Authenticator>,
    /// Knows the callers that the spec speaks of.
    pub(crate) own: Option<Arc<dyn Authenticator>>,
}

impl Authenticator for Entrance {
    fn authenticate(&self, head: &Parts, peer: &Peer) -> AuthOutcome {
        if let Some(own) = self.own.as_ref().filter(|_| !self.access.knows(head)) {
            return own.authenticate(head, peer);
        }
        match self.platform.authenticate(head, peer) {
            AuthOutcome::Ready(found) => AuthOutcome::Ready(entered(&*self.access, &self.place, found)),
            AuthOutcome::Later(found) => {
                let (access, place) = (Arc::clone(&self.access), self.place.clone());
                AuthOutcome::Later(Box::pin(async move { entered(&*access, &place, found.await) }))
            }
        }
    }
}

fn entered(access: &dyn Access, place: &Place, found: Result<Principal, Challenge>) -> Result<Principal, Challenge> {
    let principal = found?;
    access.enter(place, &principal)?;
    Ok(principal)
}
