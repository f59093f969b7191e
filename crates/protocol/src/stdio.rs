//! MCP over a pair of byte streams, one message a line.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use crate::connection::Connection;
use crate::dispatch::{Incoming, Via};
use crate::endpoint::Endpoint;
use crate::exchange::{Event, Exchange};
use crate::job::{Job, Turn};
use crate::json::one_line;
use crate::session::MAX_RUNNING;

/// How long running requests may take to end after the input has ended.
const DRAIN: Duration = Duration::from_secs(5);
/// How long a request waits for one of those that run to end when there are as many as may be. What else comes on the same
/// stream, answers and cancellations among it, waits behind it: hence no longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that are read at a time.
const READ_BUFFER: usize = 64 * 1024;

/// Serves the standard streams of this process until the input ends. Nothing else may write to standard output.
///
/// # Errors
/// A stream cannot be read or written any more.
pub async fn serve_process(endpoint: Arc<Endpoint>) -> std::io::Result<()> {
    serve(endpoint, tokio::io::stdin(), tokio::io::stdout()).await
}

/// Serves a pair of streams until the input ends.
///
/// # Errors
/// A stream cannot be read or written any more.
pub async fn serve<R, W>(endpoint: Arc<Endpoint>, input: R, output: W) -> std::io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let (connection, outbox) = Connection::new();
    let writer = tokio::spawn(write(outbox, output));
    let requests = TaskTracker::new();
    let shutdown = endpoint.runtime.shutdown.clone();
    let read = read(&endpoint, &connection, &requests, input);
    let outcome = tokio::select! {
        outcome = read => outcome,
        () = shutdown.cancelled() => Ok(()),
    };
    requests.close();
    // Who closed the input may still read the answers to what was asked before.
    let _ = tokio::time::timeout(DRAIN, requests.wait()).await;
    connection.close();
    let _ = tokio::time::timeout(DRAIN, requests.wait()).await;
    drop(connection);
    match tokio::time::timeout(DRAIN, writer).await {
        Ok(Ok(written)) => outcome.and(written),
        _ => outcome,
    }
}

async fn read<R>(
    endpoint: &Arc<Endpoint>,
    connection: &Arc<Connection>,
    requests: &TaskTracker,
    input: R,
) -> std::io::Result<()>
where
    R: AsyncRead + Unpin,
{
    let mut input = BufReader::with_capacity(READ_BUFFER, input);
    let room = Room(Arc::new(Semaphore::new(MAX_RUNNING)));
    loop {
        let body = match read_line(&mut input, endpoint.runtime.options.max_line).await? {
            Line::Message(line) => line,
            Line::Blank => continue,
            Line::TooLong => {
                let refusal =
                    br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"The line is too long"}}"#;
                if connection.out.send(Bytes::from_static(refusal)).await.is_err() {
                    return Ok(());
                }
                continue;
            }
            Line::End => return Ok(()),
        };
        let place = room.enter(&body).await;
        let exchange = Exchange::new(true);
        let via = Via::Connection(connection.clone());
        let mut job =
            Job::new(Incoming { endpoint: endpoint.clone(), body, via, principal: None, binding: None, exchange });
        match job.try_turn() {
            Some(Turn::Done(answer)) if answer.body.is_empty() => {}
            Some(Turn::Done(answer)) => {
                if connection.out.send(answer.flat()).await.is_err() {
                    return Ok(());
                }
            }
            first => {
                let driven = drive(job, first, connection.clone());
                requests.spawn(async move {
                    driven.await;
                    drop(place);
                });
            }
        }
    }
}

/// The places of the requests that run.
struct Room(Arc<Semaphore>);

impl Room {
    /// A place for what is a request; other messages need none. Who pipes a thousand requests is read no faster than
    /// they are answered. Without a place in time the request is refused where it is dispatched.
    async fn enter(&self, body: &[u8]) -> Option<OwnedSemaphorePermit> {
        let has = |key: &[u8]| memchr::memmem::find(body, key).is_some();
        if let Ok(place) = Arc::clone(&self.0).try_acquire_owned() {
            return Some(place);
        }
        if !(has(b"\"method\"") && has(b"\"id\"")) {
            return None;
        }
        tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await.ok()?.ok()
    }
}

/// Brings a job to its end, sending everything to the connection.
pub(crate) async fn drive(mut job: Job, mut first: Option<Turn>, connection: Arc<Connection>) {
    loop {
        let turn = match first.take() {
            Some(turn) => turn,
            None => tokio::select! {
                turn = job.turn() => turn,
                // Nobody is left to answer.
                () = connection.closed.cancelled() => {
                    job.exchange.cancel.cancel();
                    return;
                }
            },
        };
        match turn {
            Turn::Event(Event::Message(message)) => {
                if connection.out.send(message).await.is_err() {
                    return;
                }
            }
            Turn::Event(Event::Disconnect { .. }) => {}
            Turn::Done(answer) => {
                if !answer.body.is_empty() {
                    let _ = connection.out.send(answer.flat()).await;
                }
                return;
            }
        }
    }
}

enum Line {
    Message(Bytes),
    Blank,
    TooLong,
    End,
}

/// Reads one line of at most `limit` bytes; the rest of a longer one is skipped without being kept.
async fn read_line<R: AsyncBufRead + Unpin>(input: &mut R, limit: usize) -> std::io::Result<Line> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let available = input.fill_buf().await?;
        if available.is_empty() {
            // A last line without its end is a message cut short only if it does not parse.
            return Ok(match line.trim_ascii() {
                _ if too_long => Line::TooLong,
                [] => Line::End,
                _ => Line::Message(line.into()),
            });
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(available.len());
        too_long |= line.len() + taken > limit;
        if !too_long {
            line.extend_from_slice(&available[..taken]);
        }
        input.consume(taken + usize::from(end.is_some()));
        if end.is_some() {
            break;
        }
        if too_long {
            line = Vec::new();
        }
    }
    Ok(match line.trim_ascii() {
        _ if too_long => Line::TooLong,
        [] => Line::Blank,
        _ => Line::Message(line.into()),
    })
}

/// Writes messages, each in one line; flushes when no more wait.
async fn write<W: AsyncWrite + Unpin>(mut outbox: mpsc::Receiver<Bytes>, mut output: W) -> std::io::Result<()> {
    while let Some(message) = outbox.recv().await {
        put(&mut output, message).await?;
        while let Ok(message) = outbox.try_recv() {
            put(&mut output, message).await?;
        }
        output.flush().await?;
    }
    output.shutdown().await
}

async fn put<W: AsyncWrite + Unpin>(output: &mut W, message: Bytes) -> std::io::Result<()> {
    output.write_all(&one_line(message)).await?;
    output.write_all(b"\n").await
}
