//! How far something is, told to whoever waits for it.

use std::sync::Arc;

/// How much is done, of how much in all, and a word about it.
type Tell = dyn Fn(f64, Option<f64>, &str) + Send + Sync;

/// Takes how far something is. Must not block.
#[derive(Clone)]
pub struct Progress(Arc<Tell>);

impl Progress {
    /// Tells it to this.
    pub fn new(tell: impl Fn(f64, Option<f64>, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// So much is done.
    pub fn tell(&self, done: f64, total: Option<f64>, message: &str) {
        (self.0)(done, total, message);
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}
