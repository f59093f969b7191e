//! Sockets of the protocols that are spoken here byte by byte: checked by [`crate::egress`], with TLS where asked, pooled.

mod limits;
mod pool;

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;

use crate::Tls;
use crate::egress::{Policy, Resolver};

pub use limits::Limits;
pub(crate) use pool::{Pool, Taken};

/// What bytes travel on.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Duplex for T {}

/// A connection, with or without TLS.
pub(crate) type Stream = Box<dyn Duplex>;

/// Opens sockets for one connection of a spec.
pub(crate) struct Dialer {
    pub(crate) policy: Policy,
    pub(crate) resolver: Resolver,
    tls: Option<Arc<ClientConfig>>,
    timeout: Duration,
}

impl Dialer {
    /// Checks what TLS needs. [`Tls::Prefer`] means none: neither protocol can ask a server whether it has TLS.
    pub(crate) fn new(
        policy: Policy,
        resolver: Resolver,
        tls: Tls,
        ca_file: Option<&Path>,
        timeout: Duration,
    ) -> Result<Self, String> {
        let tls = match tls {
            Tls::Disable | Tls::Prefer => None,
            tls => Some(Arc::new(crate::tls::client(tls, ca_file, None)?)),
        };
        Ok(Self { policy, resolver, tls, timeout })
    }

    /// Whether sockets have TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Opens a socket to a checked address of the host.
    pub(crate) async fn dial(&self, host: &str, port: u16) -> io::Result<Stream> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {:?}", self.timeout));
        tokio::time::timeout(self.timeout, self.open(host, port)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn open(&self, host: &str, port: u16) -> io::Result<Stream> {
        let refused = |refused| io::Error::new(io::ErrorKind::PermissionDenied, refused);
        self.policy.check_host(host).map_err(refused)?;
        let tcp = self.policy.connect(&self.resolver, host, port).await?;
        let Some(tls) = &self.tls else { return Ok(Box::new(tcp)) };
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let invalid = |_| io::Error::new(io::ErrorKind::InvalidInput, "the host cannot be checked by TLS");
        let name = ServerName::try_from(bare).map_err(invalid)?;
        Ok(Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await?))
    }
}

/// Whether an idle connection has broken or speaks out of turn: both make it useless. Nothing is waited for.
pub(crate) fn is_stale(stream: &mut Stream) -> bool {
    let mut byte = [0_u8; 1];
    let mut buffer = ReadBuf::new(&mut byte);
    let mut context = Context::from_waker(std::task::Waker::noop());
    !matches!(Pin::new(stream).poll_read(&mut context, &mut buffer), Poll::Pending)
}
