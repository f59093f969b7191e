//! Why a server cannot be started.

use std::io;
use std::net::SocketAddr;

/// Why a server cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {}", reason(.source))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// A control plane could be reached from other machines, and callers show nothing.
    #[error("refused to listen on {address}: other machines could reach the control plane, and it asks for no key")]
    Open {
        /// The address.
        address: SocketAddr,
    },
    /// It could be reached from other machines, and callers show nothing.
    #[error("refused to listen on {address}: other machines could reach it, and the spec's `auth` is `none`")]
    Unauthenticated {
        /// The address.
        address: SocketAddr,
    },
}

impl Error {
    /// What to do.
    pub fn hint(&self) -> String {
        match self {
            Self::Bind { source, address } if source.kind() == io::ErrorKind::AddrInUse => {
                format!(
                    "something else uses port {}; take another with `--port`, or `--port 0` for a free one",
                    address.port()
                )
            }
            Self::Bind { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "ports below 1024 need privileges; take a higher one with `--port`".to_owned()
            }
            Self::Bind { .. } => "check `--host` and `--port`".to_owned(),
            Self::Open { .. } => {
                "listen on 127.0.0.1 (the default), or say `--allow-unauthenticated` behind a proxy that asks for keys"
                    .to_owned()
            }
            Self::Unauthenticated { .. } => {
                "add `auth: {type: api_key}` to the spec, listen on 127.0.0.1, or say `--allow-unauthenticated`"
                    .to_owned()
            }
        }
    }
}

/// The operating system's words without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is in use".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        _ => error.to_string(),
    }
}
