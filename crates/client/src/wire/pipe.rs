//! A program that is spoken to over its standard streams: one message a line.

use std::collections::VecDeque;
use std::sync::Arc;

use base::Secret;
use connect::process::Program;
use connect::{Error, ErrorKind};
use parking_lot::Mutex as Lock;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::ChildStdin;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Fault, error};
use crate::limits::{LOG_BYTES_MAX, LOG_LINE_BYTES_MAX, QUOTED_BYTES_MAX};
use crate::pending::Pending;

/// Replies to the program that wait to be written.
const REPLIES_MAX: usize = 64;

/// A program that runs. Dropping it ends its process group.
pub(crate) struct Pipe {
    name: String,
    input: Arc<Mutex<ChildStdin>>,
    said: Arc<Lock<VecDeque<u8>>>,
    _running: DropGuard,
}

impl Pipe {
    /// Starts the program.
    pub(crate) fn start(
        program: &Program,
        arguments: &[String],
        message_bytes: usize,
        secrets: &[Secret],
        pending: &Arc<Pending>,
    ) -> Result<Self, Error> {
        let mut started = program.start(arguments)?;
        let (Some(input), Some(output), Some(errors)) = started.pipes() else {
            return Err(error(&program.name, ErrorKind::Other, "the program has no standard streams"));
        };
        let (input, said) = (Arc::new(Mutex::new(input)), Arc::new(Lock::new(VecDeque::new())));
        let running = CancellationToken::new();
        let stop = running.clone();
        tokio::spawn(log(program.name.clone(), errors, secrets.to_vec(), Arc::clone(&said)));
        let (replies, mut replied) = mpsc::channel::<bytes::Bytes>(REPLIES_MAX);
        let writer = Arc::clone(&input);
        tokio::spawn(async move {
            while let Some(reply) = replied.recv().await {
                let _ = write(&writer, &reply).await;
            }
        });
        let pending = Arc::clone(pending);
        tokio::spawn(async move {
            let reading = read(BufReader::new(output), message_bytes, &pending, &replies);
            let why = tokio::select! {
                () = stop.cancelled() => "the connection was closed".to_owned(),
                why = reading => why,
            };
            pending.close(&why);
            started.stop().await;
        });
        Ok(Self { name: program.name.clone(), input, said, _running: running.drop_guard() })
    }

    pub(crate) async fn send(&self, body: &[u8]) -> Result<(), Fault> {
        let sent = write(&self.input, body).await;
        sent.map_err(|why| {
            error(&self.name, ErrorKind::Transient, format!("the program does not read any more: {why}")).into()
        })
    }

    pub(crate) fn last_words(&self) -> Option<String> {
        let said = self.said.lock();
        let bytes: Vec<u8> = said.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

async fn write(input: &Mutex<ChildStdin>, body: &[u8]) -> std::io::Result<()> {
    let mut line = Vec::with_capacity(body.len() + 1);
    line.extend_from_slice(body);
    line.push(b'\n');
    let mut input = input.lock().await;
    input.write_all(&line).await?;
    input.flush().await
}

/// Reads messages until there are no more; says why.
async fn read(
    mut output: impl AsyncBufRead + Unpin,
    most: usize,
    pending: &Pending,
    replies: &mpsc::Sender<bytes::Bytes>,
) -> String {
    let mut line = Vec::new();
    loop {
        line.clear();
        let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let count = match (&mut output).take(bound).read_until(b'\n', &mut line).await {
            Ok(0) => return "the program ended".to_owned(),
            Ok(count) => count,
            Err(error) => return format!("the program's output cannot be read: {error}"),
        };
        if count > most {
            return format!("the program wrote a message of more than {most} bytes");
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        for reply in pending.take(&line, None) {
            if replies.try_send(reply).is_err() {
                return format!("the program asks more than {REPLIES_MAX} questions without reading an answer");
            }
        }
    }
}

/// Logs what the program says on standard error, within limits, and keeps the end of it.
async fn log(name: String, errors: impl AsyncRead + Unpin, secrets: Vec<Secret>, said: Arc<Lock<VecDeque<u8>>>) {
    let mut errors = BufReader::new(errors);
    let (mut line, mut total) = (Vec::new(), 0);
    loop {
        line.clear();
        let bound = u64::try_from(LOG_LINE_BYTES_MAX).unwrap_or(u64::MAX);
        match (&mut errors).take(bound).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(count) => total += count,
        }
        let text = String::from_utf8_lossy(&line);
        let text = hide(text.trim_end(), &secrets);
        {
            let mut said = said.lock();
            said.extend(text.bytes().chain([b'\n']));
            let over = said.len().saturating_sub(QUOTED_BYTES_MAX);
            said.drain(..over);
        }
        if total <= LOG_BYTES_MAX && !text.is_empty() {
            tracing::info!(connection = name, "{text}");
        }
    }
}

/// The text without secrets.
pub(crate) fn hide(text: &str, secrets: &[Secret]) -> String {
    /// A shorter one would hide ordinary words.
    const SECRET_BYTES_MIN: usize = 4;
    let secrets = secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= SECRET_BYTES_MIN);
    secrets.fold(text.to_owned(), |text, secret| if text.contains(secret) { text.replace(secret, "***") } else { text })
}
