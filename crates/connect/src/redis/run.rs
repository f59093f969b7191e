//! Runs commands: a place in the pool, one write, all answers, within a deadline.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Failure};
use super::error::failure;
use super::resp::{self, Reply};
use super::shape::shaped;
use super::{Batch, COMMANDS_MAX, Command, Redis};
use crate::socket::Taken;
use crate::{Error, ErrorKind};

const RUN: &str = "run the command";

/// Commands that change the connection itself, which others use afterwards.
const REFUSED: &[&str] = &[
    "ASKING",
    "AUTH",
    "CLIENT",
    "DISCARD",
    "EXEC",
    "HELLO",
    "MONITOR",
    "MULTI",
    "PSUBSCRIBE",
    "PSYNC",
    "PUNSUBSCRIBE",
    "QUIT",
    "READONLY",
    "READWRITE",
    "REPLCONF",
    "RESET",
    "SELECT",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SUNSUBSCRIBE",
    "SYNC",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WATCH",
];

impl Redis {
    /// Runs the commands; one answer for each. Without `atomic` the commands before one that fails have been carried out.
    ///
    /// A batch that only reads is sent once more when its connection turns out to be broken.
    pub async fn run(&self, batch: &Batch, deadline: Instant, cancel: &CancellationToken) -> Result<Vec<Value>, Error> {
        self.check(batch)?;
        let work = self.attempts(batch);
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(failure(self.name(), ErrorKind::Cancelled, RUN, "the caller went away")),
            () = tokio::time::sleep_until(deadline) => Err(self.late()),
            outcome = work => outcome,
        };
        let mut values = outcome?;
        values.iter_mut().for_each(|value| self.masked_value(value));
        Ok(values)
    }

    fn late(&self) -> Error {
        let error = failure(self.name(), ErrorKind::Timeout, RUN, "there was no answer within the time limit");
        Error { hint: Some("ask for less, or raise the tool's timeout".to_owned()), ..error }
    }

    fn check(&self, batch: &Batch) -> Result<(), Error> {
        let wrong = |message| Err(failure(self.name(), ErrorKind::Statement, RUN, message));
        if batch.commands.len() > COMMANDS_MAX {
            return wrong(format!("{} commands at once are more than {COMMANDS_MAX}", batch.commands.len()));
        }
        let max = self.settings.limits.request_bytes;
        if batch.commands.iter().flat_map(|command| &command.words).map(Bytes::len).sum::<usize>() > max {
            let message = format!("what is to be sent is longer than {max} bytes");
            return Err(failure(self.name(), ErrorKind::Limit, RUN, message));
        }
        for command in &batch.commands {
            let name = command.name();
            if name.is_empty() {
                return wrong("a command without a name".to_owned());
            }
            if REFUSED.contains(&name.as_str()) {
                return wrong(format!("`{name}` changes the connection, which is shared by all calls"));
            }
        }
        Ok(())
    }

    async fn attempts(&self, batch: &Batch) -> Result<Vec<Value>, Error> {
        let (mut taken, reused) = self.take().await?;
        match self.once(&mut taken, batch).await {
            Err(Failure::Io(_)) if batch.reads && reused => {
                // Others that were idle for as long have broken too.
                self.pool.forget();
                drop(taken);
                let (mut taken, _) = self.take().await?;
                let replies = self.once(&mut taken, batch).await;
                self.finish(taken, batch, replies)
            }
            replies => self.finish(taken, batch, replies),
        }
    }

    /// A connection, and whether it was used before.
    async fn take(&self) -> Result<(Taken<Connection>, bool), Error> {
        let mut taken = self.pool.take_within(self.settings.limits.acquire, self.name()).await?;
        if let Some(connection) = &mut taken.connection
            && !connection.is_stale()
        {
            return Ok((taken, true));
        }
        taken.connection = Some(self.connect().await?);
        Ok((taken, false))
    }

    async fn once(&self, taken: &mut Taken<Connection>, batch: &Batch) -> Result<Vec<Reply>, Failure> {
        let Some(connection) = &mut taken.connection else {
            return Err(io::Error::from(io::ErrorKind::NotConnected).into());
        };
        let mut sent = BytesMut::new();
        let bracket = |word: &str, sent: &mut BytesMut| {
            if batch.atomic {
                resp::write(&Command::new([word]).words, sent);
            }
        };
        bracket("MULTI", &mut sent);
        batch.commands.iter().for_each(|command| resp::write(&command.words, &mut sent));
        bracket("EXEC", &mut sent);
        let answers = batch.commands.len() + if batch.atomic { 2 } else { 0 };
        connection.exchange(&sent, answers, self.settings.limits.answer_bytes).await
    }

    fn finish(
        &self,
        taken: Taken<Connection>,
        batch: &Batch,
        replies: Result<Vec<Reply>, Failure>,
    ) -> Result<Vec<Value>, Error> {
        // What failed otherwise leaves a connection in an unknown state: dropping it closes it.
        let replies = replies.map_err(|why| self.failed(RUN, why))?;
        taken.give_back();
        let replies = if batch.atomic { self.executed(batch, replies)? } else { replies };
        if replies.len() != batch.commands.len() {
            return Err(failure(self.name(), ErrorKind::Other, RUN, "the transaction has another number of answers"));
        }
        for (nth, reply) in replies.iter().enumerate() {
            if let Reply::Error(text) = reply {
                return Err(self.refusal(RUN, &which(batch, nth), text));
            }
        }
        Ok(batch.commands.iter().zip(replies).map(|(command, reply)| shaped(command, reply)).collect())
    }

    /// The answers within a transaction. A command that was not queued is told rather than `EXECABORT`.
    fn executed(&self, batch: &Batch, mut replies: Vec<Reply>) -> Result<Vec<Reply>, Error> {
        let last = replies.pop();
        for (nth, reply) in replies.iter().enumerate() {
            if let Reply::Error(text) = reply {
                let which = nth.checked_sub(1).map(|nth| which(batch, nth)).unwrap_or_default();
                return Err(self.refusal(RUN, &which, text));
            }
        }
        match last {
            Some(Reply::List(replies)) => Ok(replies),
            Some(Reply::Error(text)) => Err(self.refusal(RUN, "", &text)),
            _ => Err(failure(self.name(), ErrorKind::Transient, RUN, "the transaction was not carried out")),
        }
    }

    pub(super) fn failed(&self, attempted: &'static str, why: Failure) -> Error {
        match why {
            Failure::Io(error) => self.broken(attempted, &error),
            Failure::Malformed(malformed) => self.malformed(attempted, &malformed),
            Failure::TooLong(max) => {
                let message = format!("the answer is longer than {max} bytes");
                let error = failure(self.name(), ErrorKind::Limit, attempted, message);
                Error { hint: Some("ask for a part: a range, a page, fewer keys".to_owned()), ..error }
            }
        }
    }

    /// How long a command may block so that its answer, or that there is none, is known before the deadline.
    pub fn block_max(deadline: Instant) -> Duration {
        const MARGIN: Duration = Duration::from_millis(200);
        deadline.saturating_duration_since(Instant::now()).saturating_sub(MARGIN)
    }
}

/// A command in an error: its name and place, without its arguments.
fn which(batch: &Batch, nth: usize) -> String {
    let name = batch.commands.get(nth).map(Command::name).unwrap_or_default();
    match batch.commands.len() {
        1 => format!("`{name}`"),
        many => format!("`{name}` (command {} of {many})", nth + 1),
    }
}
