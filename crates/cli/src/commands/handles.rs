//! How many files and connections the process may have open.

/// Lets the process have as many open files and connections as the system allows it: the usual limit of 1,024 is one that
/// every process may lift, kept low for programs that use `select`. More streams than that are ordinary for a server.
#[cfg(unix)]
pub(super) fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, "the number of open connections stays limited to {:?}", limit.current);
        }
    }
}

/// Nothing is to be raised on this system.
#[cfg(not(unix))]
pub(super) fn raise() {}
