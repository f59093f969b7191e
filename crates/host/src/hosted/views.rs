//! What groups and URLs show of a toolset.

use std::collections::HashMap;
use std::sync::Arc;

use engine::{Bindings, Toolset};
use parking_lot::Mutex;
use protocol::Listing;

use super::{Current, adapt};
use crate::limits::VIEWS_KEPT;

/// What the URL of a client says of parameters: the binding of its requests.
#[derive(Debug)]
pub(super) struct Bound(pub(super) Bindings);

/// A group, and the parameters that the URL sets, in order.
type Key = (Option<Box<str>>, Vec<String>);

/// Lists that were made before. Each is immutable, and made again when the toolset is replaced.
#[derive(Debug, Default)]
pub(super) struct Views(Mutex<HashMap<Key, Arc<Listing>>>);

impl Current {
    /// The lists of a group, or of all, without the parameters that the URL sets.
    pub(super) fn view(&self, group: Option<&str>, bound: Option<&Bound>) -> Arc<Listing> {
        let mut names: Vec<String> = bound.iter().flat_map(|bound| bound.0.keys().cloned()).collect();
        names.sort_unstable();
        let key = (group.map(Box::from), names);
        if let Some(known) = self.views.0.lock().get(&key) {
            return Arc::clone(known);
        }
        let none = Bindings::new();
        let made = Arc::new(adapt::view(&self.toolset, group, bound.map_or(&none, |bound| &bound.0)));
        let mut views = self.views.0.lock();
        if views.len() < VIEWS_KEPT {
            views.insert(key, Arc::clone(&made));
        }
        made
    }
}

/// Whether a group shows a resource: one that no tool stands behind, or a tool of the group.
pub(super) fn shows(toolset: &Toolset, group: &engine::Group, resource: &engine::Resource) -> bool {
    resource.tool_name(toolset).is_none_or(|tool| toolset.is_in(group, tool))
}
