//! Waiting until a value changes, and seeing that another process changed something.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Fault, State};

/// For so long the last look serves everybody who asks whether another process changed something.
const LOOKED: Duration = Duration::from_secs(2);

/// Who waits for which key, in this process.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<HashMap<String, watch::Sender<()>>>);

/// What the last look at other processes saw.
#[derive(Debug, Default)]
pub(super) struct Elsewhere(Mutex<Option<(Instant, i64)>>);

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

impl State {
    /// A number that is another one after another process has changed something. Who asks often is told what the last look saw, which
    /// is not older than two seconds.
    ///
    /// # Errors
    /// The file cannot be used.
    pub async fn elsewhere(self: &Arc<Self>) -> Result<i64, Fault> {
        let known = *self.elsewhere.0.lock();
        if let Some((at, number)) = known
            && at.elapsed() < LOOKED
        {
            return Ok(number);
        }
        // Before the look: what is changed after it is new to the next one.
        let at = Instant::now();
        let number = self
            .work(|state| {
                Ok(state.connection.lock().query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0))?)
            })
            .await?;
        *self.elsewhere.0.lock() = Some((at, number));
        Ok(number)
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
