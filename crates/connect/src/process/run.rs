//! Running a program to its end.

use std::process::ExitStatus;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::ChildStdin;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Program;
use crate::{Error, ErrorKind};

/// Bytes read at once.
const CHUNK: usize = 16 * 1024;

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The arguments, each given to the program as it is.
    pub arguments: &'a [String],
    /// What it reads from its standard input; nothing when empty.
    pub input: &'a [u8],
    /// Bounds of what it writes.
    pub limits: Limits,
}

/// Bounds of what a program writes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes on standard output: a program that writes more is ended.
    pub output_bytes: usize,
    /// Bytes of standard error that are kept: the last ones.
    pub error_bytes: usize,
}

/// A program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote.
    pub output: Vec<u8>,
    /// The end of what it wrote to standard error.
    pub errors: Vec<u8>,
}

impl Program {
    /// Runs the program to its end. At the deadline and on cancellation its whole group is ended.
    ///
    /// # Errors
    /// It cannot be started, does not end in time, or writes too much. An exit code is no error here.
    pub async fn run(&self, run: Run<'_>, deadline: Instant, cancel: &CancellationToken) -> Result<Ended, Error> {
        let mut started = self.start(run.arguments)?;
        let (input, output, errors) = started.pipes();
        let most = run.limits.output_bytes;
        let work = async {
            let (status, output, errors, ()) = tokio::try_join!(
                async { started.ended().await.map_err(|error| self.error(ErrorKind::Other, error.to_string())) },
                async {
                    let read = output.map(|output| all(output, most));
                    let read = match read {
                        Some(read) => read.await,
                        None => Some(Vec::new()),
                    };
                    read.ok_or_else(|| {
                        self.error(ErrorKind::Limit, format!("the program wrote more than {most} bytes and was ended"))
                    })
                },
                async {
                    Ok(match errors {
                        Some(errors) => tail(errors, run.limits.error_bytes).await,
                        None => Vec::new(),
                    })
                },
                async {
                    feed(input, run.input).await;
                    Ok(())
                },
            )?;
            Ok(ended(status, output, errors))
        };
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(self.error(ErrorKind::Cancelled, "the caller went away")),
            outcome = tokio::time::timeout_at(deadline, work) => outcome
                .unwrap_or_else(|_| Err(self.error(ErrorKind::Timeout, "the program did not end before the deadline"))),
        };
        if outcome.is_err() {
            started.stop().await;
        }
        outcome
    }
}

fn ended(status: ExitStatus, output: Vec<u8>, errors: Vec<u8>) -> Ended {
    use std::os::unix::process::ExitStatusExt as _;
    Ended { code: status.code(), signal: status.signal(), output, errors }
}

/// All that is written; nothing when it is too much.
async fn all(mut from: impl AsyncRead + Unpin, most: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk).await {
            Ok(0) | Err(_) => return Some(out),
            Ok(count) if out.len() + count > most => return None,
            Ok(count) => out.extend_from_slice(&chunk[..count]),
        }
    }
}

/// The end of what is written.
async fn tail(mut from: impl AsyncRead + Unpin, most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chunk = vec![0; CHUNK];
    while let Ok(count) = from.read(&mut chunk).await {
        if count == 0 {
            break;
        }
        out.extend_from_slice(&chunk[..count]);
        if out.len() > most {
            out.drain(..out.len() - most);
        }
    }
    out
}

/// A program that does not read its input to the end is not at fault.
async fn feed(input: Option<ChildStdin>, bytes: &[u8]) {
    if let Some(mut input) = input {
        let _ = input.write_all(bytes).await;
        let _ = input.shutdown().await;
    }
}
