//! Announcing that lists or resources changed.

use std::sync::{Arc, OnceLock};

use tokio::sync::broadcast;

/// Announcements that a slow listener may lag behind before it is told "everything changed".
const BACKLOG: usize = 128;

/// One announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The lists of resources and templates.
    Resources,
    /// The contents of one resource.
    Resource(Arc<str>),
}

/// The hub of one service. Costs nothing until somebody listens.
#[derive(Debug, Default)]
pub struct Changes(OnceLock<broadcast::Sender<Change>>);

impl Changes {
    /// A hub that nobody listens to.
    pub fn new() -> Self {
        Self::default()
    }

    /// The list of tools changed.
    pub fn tools_changed(&self) {
        self.send(Change::Tools);
    }

    /// The list of prompts changed.
    pub fn prompts_changed(&self) {
        self.send(Change::Prompts);
    }

    /// The list of resources or templates changed.
    pub fn resources_changed(&self) {
        self.send(Change::Resources);
    }

    /// The contents of this resource changed.
    pub fn resource_updated(&self, uri: &str) {
        self.send(Change::Resource(uri.into()));
    }

    /// Announces a change.
    pub fn send(&self, change: Change) {
        if let Some(sender) = self.0.get() {
            // An error means that nobody listens just now.
            let _ = sender.send(change);
        }
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Change> {
        self.0.get_or_init(|| broadcast::channel(BACKLOG).0).subscribe()
    }
}
