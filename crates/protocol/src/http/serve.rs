//! A small HTTP server: accepts, bounds, drains.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Peer, Router};

/// Settings of [`serve`].
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Connections open at a time; more wait to be accepted.
    pub max_connections: usize,
    /// How long a client may take to send the head of a request, and may keep an idle connection.
    pub header_timeout: Duration,
    /// Headers that a request may have.
    pub max_headers: usize,
    /// Size of the head of a request, in bytes.
    pub max_head: usize,
    /// How long requests may take to end after shutdown began.
    pub drain: Duration,
    /// Cuts what still drains.
    pub cut: CancellationToken,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            header_timeout: Duration::from_secs(60),
            max_headers: 100,
            max_head: 64 * 1024,
            drain: Duration::from_secs(10),
            cut: CancellationToken::new(),
        }
    }
}

/// Pause after a failed accept: when file descriptors have run out, trying again at once helps nobody.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Failed accepts are told of at most this often, however many there are.
const ACCEPT_REPORT: Duration = Duration::from_secs(10);

/// Serves until `shutdown` fires, then lets running requests end. Long streams end when the runtime of their endpoint is
/// shut down; do that first.
pub async fn serve(listener: TcpListener, router: Arc<Router>, options: ServeOptions, shutdown: CancellationToken) {
    let places = Arc::new(Semaphore::new(options.max_connections));
    let connections = TaskTracker::new();
    let abandon = CancellationToken::new();
    let mut failures = Failures::default();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = shutdown.cancelled() => break,
        };
        let (socket, address, place) = match accepted {
            Ok(accepted) => accepted,
            Err(fault) => {
                failures.report(&fault);
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (router, options, shutdown) = (router.clone(), options.clone(), shutdown.clone());
        let abandon = abandon.clone();
        connections.spawn(async move {
            // Made where it stays: every connection would hold room for each place that it was in.
            let work = std::pin::pin!(connection(socket, address, router, options, shutdown));
            abandon.run_until_cancelled(work).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    let drained = options.cut.run_until_cancelled(tokio::time::timeout(options.drain, connections.wait())).await;
    if !matches!(drained, Some(Ok(()))) {
        tracing::warn!(left = connections.len(), "connections were cut before their requests had ended");
        abandon.cancel();
        connections.wait().await;
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> std::io::Result<Accepted> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (socket, address) = listener.accept().await?;
    // Small answers must not wait for acknowledgements.
    if let Err(fault) = socket.set_nodelay(true) {
        tracing::debug!(%fault, "TCP_NODELAY could not be set");
    }
    Ok((socket, address, place))
}

/// Accepts that failed since they were last told of.
#[derive(Default)]
struct Failures {
    told: Option<Instant>,
    untold: u64,
}

impl Failures {
    fn report(&mut self, fault: &std::io::Error) {
        if !self.due(Instant::now()) {
            return;
        }
        let times = std::mem::take(&mut self.untold);
        tracing::warn!(%fault, times, "connections could not be accepted");
    }

    /// Counts a failure, and says whether it is time to tell of it.
    fn due(&mut self, now: Instant) -> bool {
        self.untold += 1;
        let due = self.told.is_none_or(|told| now.duration_since(told) >= ACCEPT_REPORT);
        if due {
            self.told = Some(now);
        }
        due
    }
}

async fn connection(
    socket: TcpStream,
    address: SocketAddr,
    router: Arc<Router>,
    options: ServeOptions,
    shutdown: CancellationToken,
) {
    let service = service_fn(move |request| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.answer(request, Peer::at(address)).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_headers(options.max_headers)
        .max_buf_size(options.max_head)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(fault) = ended {
        // Clients go as they please.
        tracing::debug!(%fault, %address, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{ACCEPT_REPORT, Failures};

    #[test]
    fn failed_accepts_are_told_of_at_once_and_then_seldom() {
        let mut failures = Failures::default();
        let start = Instant::now();
        let told: Vec<bool> = (0..1_000).map(|i| failures.due(start + ACCEPT_REPORT * i / 400)).collect();
        assert!(told[0]);
        assert_eq!(told.iter().filter(|told| **told).count(), 3);
        assert!(failures.due(start + ACCEPT_REPORT * 9 + Duration::from_secs(1)));
    }
}
