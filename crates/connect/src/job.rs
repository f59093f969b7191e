//! Who waits for a request, and how long.

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a request may take, and whether anybody still waits for it.
#[derive(Clone, Debug)]
pub struct Job {
    /// It has to be done by then.
    pub deadline: Instant,
    /// Cancelled when the caller goes away.
    pub cancel: CancellationToken,
}
