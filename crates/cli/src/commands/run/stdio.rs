//! Serving over standard input and output.

use std::sync::Arc;

use operations::{Code, Error};
use protocol::{Endpoint, Runtime};

use super::signals::{Ending, Signals};
use super::{Work, summary, watch};
use crate::commands::OK;
use crate::session::Session;

pub(super) async fn serve(work: Work, mut signals: Signals, session: &Session) -> Result<u8, Error> {
    let runtime = Runtime::new(work.runtime_options())
        .map_err(|error| Error::new(Code::Internal, format!("the system gives no random bytes: {error}")))?;
    let endpoint = Endpoint::new(Arc::clone(&work.service), Arc::clone(&runtime));
    endpoint.take_up_tasks();
    let mut serving = std::pin::pin!(protocol::stdio::serve_process(endpoint));
    let following = watch::follow(&work, session);
    let mut interrupted = false;
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = following => unreachable!("a file is followed until the end"),
        ending = signals.ending() => {
            runtime.shut_down();
            interrupted = ending == Ending::Interrupted;
            serving.await
        }
    };
    summary::tell(&work.prepared.hosted.toolset().metrics(), session);
    if interrupted {
        return Err(Error::new(Code::Interrupted, "the server was ended by Ctrl-C; running calls have ended")
            .hint("a client that wants it starts it again; to have it run without one, use `mcp-factory deploy`"));
    }
    match ended {
        // A client that goes away without closing the pipe first is no failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(Code::Internal, format!("cannot talk over standard input and output: {error}"))
                .hint("standard input and output must be open, as an MCP client opens them"))
        }
        _ => Ok(OK),
    }
}
