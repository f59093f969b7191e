//! Who makes a request.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::scopes::Scopes;

/// How a caller is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Whoever runs this installation.
    Operator,
    /// A person who signed in.
    Account,
    /// A program that showed an API key.
    Key,
    /// A program that a person let in by OAuth.
    Client,
    /// Somebody who named himself and showed nothing: a metered visitor.
    Guest,
    /// Somebody who is known by his address alone.
    Anonymous,
}

/// A caller. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Unique among all callers and stable over requests: `key:…`, `guest:…`. Sessions and limits hang on it.
    pub id: Arc<str>,
    /// How the caller is known.
    pub kind: Kind,
    /// Whose things it may use: an account, or the caller itself.
    pub owner: Arc<str>,
    /// What it may do.
    pub scopes: Scopes,
}

impl Principal {
    /// A caller that owns what it makes.
    pub fn new(kind: Kind, id: impl Into<Arc<str>>, scopes: Scopes) -> Self {
        let id = id.into();
        Self { owner: id.clone(), id, kind, scopes }
    }

    /// The same caller, acting for this owner.
    #[must_use]
    pub fn owned_by(mut self, owner: impl Into<Arc<str>>) -> Self {
        self.owner = owner.into();
        self
    }
}
