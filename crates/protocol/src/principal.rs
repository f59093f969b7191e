//! Who makes a request.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::limit::Limit;

/// The authenticated caller. Sessions, request state and tasks are bound to its id.
#[derive(Clone)]
pub struct Principal {
    id: Arc<str>,
    facts: Option<Arc<dyn Any + Send + Sync>>,
    limit: Option<Limit>,
}

impl Principal {
    /// A caller known by this id.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self { id: id.into(), facts: None, limit: None }
    }

    /// Attaches whatever the authenticator knows about the caller (scopes, account), for the service to read.
    #[must_use]
    pub fn with_facts(mut self, facts: Arc<dyn Any + Send + Sync>) -> Self {
        self.facts = Some(facts);
        self
    }

    /// Says what remains of a limit, which answers over HTTP tell.
    #[must_use]
    pub fn within(mut self, limit: Option<Limit>) -> Self {
        self.limit = limit;
        self
    }

    /// What remains of a limit.
    pub fn limit(&self) -> Option<Limit> {
        self.limit
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id, for whoever keeps it.
    pub fn shared_id(&self) -> Arc<str> {
        self.id.clone()
    }

    /// The attached facts, if they are of this type.
    pub fn facts<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.facts.as_deref().and_then(|facts| facts.downcast_ref())
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal").field(&self.id).finish()
    }
}
