//! A wire between the code under test and the server, which counts and can be cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

#[derive(Default)]
struct Counts {
    /// Times that the client spoke after the server did, over all connections.
    trips: AtomicUsize,
    /// Whether the client spoke last.
    client_spoke: AtomicBool,
}

/// Forwards to a server.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    counts: Arc<Counts>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub(super) async fn new(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let counts = Arc::new(Counts::default());
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&counts);
        tasks.spawn(async move {
            let mut wires = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                wires.spawn(forward(client, server.clone(), Arc::clone(&shared)));
            }
        });
        Self { address, counts, _tasks: tasks }
    }

    /// Round trips so far.
    pub(super) fn trips(&self) -> usize {
        self.counts.trips.load(Ordering::SeqCst)
    }
}

async fn forward(mut client: TcpStream, server: String, counts: Arc<Counts>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            Ok(length @ 1..) = client.read(&mut up) => {
                if !counts.client_spoke.swap(true, Ordering::SeqCst) {
                    counts.trips.fetch_add(1, Ordering::SeqCst);
                }
                if server.write_all(&up[..length]).await.is_err() {
                    return;
                }
            }
            Ok(length @ 1..) = server.read(&mut down) => {
                counts.client_spoke.store(false, Ordering::SeqCst);
                if client.write_all(&down[..length]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}
