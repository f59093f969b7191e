//! What names stand for.

use std::collections::BTreeMap;

use minijinja::Value as Jinja;
use minijinja::value::Serde;
use serde_json::Value;

/// The names that an evaluation can look up.
#[derive(Clone, Debug, Default)]
pub struct Scope(BTreeMap<&'static str, Jinja>);

impl Scope {
    /// A scope without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more name, such as `args`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &Value) -> Self {
        self.set(name, value);
        self
    }

    /// Gives a name a value, in place of the one that it has.
    pub fn set(&mut self, name: &'static str, value: &Value) {
        self.0.insert(name, Jinja::from(Serde(value.clone())));
    }

    /// With the names of another scope, which go before its own.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().map(|(name, value)| (*name, value.clone())));
        self
    }

    pub(super) fn root(&self) -> Jinja {
        Jinja::from_pairs(self.0.iter().map(|(name, value)| (*name, value.clone())))
    }
}
