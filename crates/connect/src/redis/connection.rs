//! One connection: login, and commands in one write with their answers in order.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::resp::{self, Malformed, Reply, Scanner};
use super::{Command, Redis};
use crate::Error;
use crate::socket::{Stream, is_stale};

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// A connection on which nothing is under way.
pub(super) struct Connection {
    stream: Stream,
    received: BytesMut,
}

/// Why there is no answer.
pub(super) enum Failure {
    Io(io::Error),
    Malformed(Malformed),
    /// The answers are longer than this many bytes.
    TooLong(usize),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Connection {
    /// Whether it broke while it was idle.
    pub(super) fn is_stale(&mut self) -> bool {
        !self.received.is_empty() || is_stale(&mut self.stream)
    }

    /// Sends the bytes and reads as many answers.
    pub(super) async fn exchange(&mut self, sent: &[u8], answers: usize, max: usize) -> Result<Vec<Reply>, Failure> {
        self.stream.write_all(sent).await?;
        self.stream.flush().await?;
        let mut replies = Vec::with_capacity(answers);
        let mut left = max;
        while replies.len() < answers {
            let whole = self.receive(left, max).await?;
            left -= whole.len();
            // A push of version 3 is nobody's answer.
            if whole.first() == Some(&b'>') {
                continue;
            }
            replies.push(resp::read(&mut whole.clone()).map_err(Failure::Malformed)?);
        }
        Ok(replies)
    }

    async fn receive(&mut self, left: usize, max: usize) -> Result<Bytes, Failure> {
        let mut scanner = Scanner::default();
        loop {
            if let Some(length) = scanner.scan(&self.received).map_err(Failure::Malformed)? {
                if length > left {
                    return Err(Failure::TooLong(max));
                }
                return Ok(self.received.split_to(length).freeze());
            }
            if self.received.len() > left {
                return Err(Failure::TooLong(max));
            }
            self.received.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }
}

/// Most bytes of what a server says to a login.
const LOGIN_BYTES_MAX: usize = 64 * 1024;

impl Redis {
    /// Opens a connection, logs in and chooses the database. Version 3 of the protocol is asked for; servers before Redis 6
    /// keep version 2.
    pub(super) async fn connect(&self) -> Result<Connection, Error> {
        let location = &self.location;
        let stream = self.dialer.dial(&location.host, location.port).await;
        let stream = stream.map_err(|error| self.broken("connect", &error))?;
        let mut connection = Connection { stream, received: BytesMut::new() };
        let user = location.user.as_deref().unwrap_or("default");
        let password = location.password.as_ref().map(base::Secret::expose);
        let mut hello = vec!["HELLO", "3"];
        hello.extend(password.iter().flat_map(|password| ["AUTH", user, *password]));
        match self.ask(&mut connection, &hello).await? {
            Reply::Error(text) if is_unknown(&text) => self.log_in(&mut connection).await?,
            Reply::Error(text) => return Err(self.refusal("log in", "", &text)),
            _ => {}
        }
        if location.database > 0 {
            let number = location.database.to_string();
            if let Reply::Error(text) = self.ask(&mut connection, &["SELECT", &number]).await? {
                return Err(self.refusal("choose the database", "", &text));
            }
        }
        Ok(connection)
    }

    /// The login of version 2.
    async fn log_in(&self, connection: &mut Connection) -> Result<(), Error> {
        let Some(password) = &self.location.password else { return Ok(()) };
        let mut words = vec!["AUTH"];
        words.extend(self.location.user.as_deref());
        words.push(password.expose());
        match self.ask(connection, &words).await? {
            Reply::Error(text) => Err(self.refusal("log in", "", &text)),
            _ => Ok(()),
        }
    }

    async fn ask(&self, connection: &mut Connection, words: &[&str]) -> Result<Reply, Error> {
        let mut sent = BytesMut::new();
        resp::write(&Command::new(words).words, &mut sent);
        let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer to the login in time");
        let answer = connection.exchange(&sent, 1, LOGIN_BYTES_MAX);
        let answer = tokio::time::timeout(self.settings.limits.connect, answer).await;
        let answer = answer.unwrap_or_else(|_| Err(Failure::Io(late())));
        Ok(answer.map_err(|why| self.failed("connect", why))?.pop().unwrap_or(Reply::Null))
    }
}

/// Whether a server does not know `HELLO`, or not version 3.
fn is_unknown(text: &[u8]) -> bool {
    text.starts_with(b"ERR unknown command") || text.starts_with(b"NOPROTO")
}
