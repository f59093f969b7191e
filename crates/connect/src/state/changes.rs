//! Waiting until a value changes.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::State;

/// Who waits for which key, in this process.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<HashMap<String, watch::Sender<()>>>);

/// Sees the changes of one value from the moment on at which it was made.
#[derive(Debug)]
pub struct Change<'a> {
    changes: &'a Changes,
    key: &'a str,
    seen: watch::Receiver<()>,
}

impl State {
    /// Sees when the value of this key is set or deleted by this process; what other processes do is not seen.
    pub fn watch<'a>(&'a self, key: &'a str) -> Change<'a> {
        let mut known = self.changes.0.lock();
        let seen = match known.get(key) {
            Some(sender) => sender.subscribe(),
            None => {
                let (sender, seen) = watch::channel(());
                known.insert(key.to_owned(), sender);
                seen
            }
        };
        Change { changes: &self.changes, key, seen }
    }
}

impl Changes {
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    pub(super) fn tell(&self, key: &str) {
        if let Some(sender) = self.0.lock().get(key) {
            sender.send_replace(());
        }
    }
}

impl Change<'_> {
    /// Ends at the next change; those that came together are one.
    pub async fn next(&mut self) {
        // The sender is there as long as this is.
        let _ = self.seen.changed().await;
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let mut known = self.changes.0.lock();
        // This one is the last.
        if known.get(self.key).is_some_and(|sender| sender.receiver_count() <= 1) {
            known.remove(self.key);
        }
    }
}
