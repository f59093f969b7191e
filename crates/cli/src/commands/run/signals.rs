//! The signals that ask a server to end.

use operations::{Code, Error};

/// How the process was asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// SIGINT, as Ctrl-C sends it.
    Interrupted,
    /// SIGTERM, as service managers send it.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has the signal"))]
    Terminated,
}

/// Listens for SIGINT and SIGTERM from the moment it is made, so that a signal that comes right
/// after the server was announced ends it in order.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Error::new(Code::Internal, format!("cannot listen for signals: {error}"))
                    .hint("the machine may be out of file descriptors; see `ulimit -n`")
            })
        };
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> Result<Self, Error> {
        Ok(Self {})
    }

    /// Ends when the process is asked to end.
    #[cfg(unix)]
    pub(crate) async fn ending(&mut self) -> Ending {
        tokio::select! {
            _ = self.interrupt.recv() => Ending::Interrupted,
            _ = self.terminate.recv() => Ending::Terminated,
        }
    }

    /// Ends when the process is asked to end.
    #[cfg(not(unix))]
    pub(crate) async fn ending(&mut self) -> Ending {
        let _ = tokio::signal::ctrl_c().await;
        Ending::Interrupted
    }
}
