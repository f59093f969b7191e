//! One connection: messages (`OP_MSG`), the greeting, and the login.

use std::io;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::bson::{self, Form};
use super::error::failure;
use super::scram::Scram;
use super::url::{Address, Login, Mechanism};
use super::{Mongo, Settings};
use crate::socket::{Stream, is_stale};
use crate::{Error, ErrorKind};

/// Bytes before every message: its length, its number, the number that it answers, its kind.
const HEADER_BYTES: usize = 16;
/// The one kind of message, since MongoDB 3.6.
const MESSAGE: i32 = 2013;
/// A checksum ends the message.
const CHECKSUM: u32 = 1;
/// Flags that must be understood.
const REQUIRED: u32 = 0xffff;
/// Most bytes of what a server says to a greeting or a login.
const LOGIN_BYTES_MAX: usize = 256 * 1024;

/// A connection on which nothing is under way.
pub(super) struct Connection {
    stream: Stream,
    next: i32,
}

/// Why there is no answer.
pub(super) enum Failure {
    Io(io::Error),
    /// The message breaks the protocol.
    Malformed(String),
    /// The answer is longer than this many bytes.
    TooLong(usize),
    /// What was to be sent cannot be.
    Unsendable(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Connection {
    /// Whether it broke while it was idle.
    pub(super) fn is_stale(&mut self) -> bool {
        is_stale(&mut self.stream)
    }

    /// Sends a command, as BSON, and reads its answer.
    pub(super) async fn ask(&mut self, command: &[u8], form: Form, max: usize) -> Result<Map<String, Value>, Failure> {
        self.next = self.next.wrapping_add(1);
        let length = HEADER_BYTES + 5 + command.len();
        let length = i32::try_from(length).map_err(|_| Failure::Unsendable("it is longer than 2 GiB".to_owned()))?;
        let mut sent = Vec::with_capacity(HEADER_BYTES + 5 + command.len());
        for part in [length, self.next, 0, MESSAGE, 0] {
            sent.extend_from_slice(&part.to_le_bytes());
        }
        sent.push(0);
        sent.extend_from_slice(command);
        self.stream.write_all(&sent).await?;
        self.stream.flush().await?;
        let mut header = [0; HEADER_BYTES];
        self.stream.read_exact(&mut header).await?;
        let part = |nth: usize| i32::from_le_bytes([0, 1, 2, 3].map(|byte| header[nth * 4 + byte]));
        let malformed = |text: &str| Failure::Malformed(text.to_owned());
        if part(3) != MESSAGE || part(2) != self.next {
            return Err(malformed("the answer is not one to what was asked"));
        }
        let length = usize::try_from(part(0)).ok().and_then(|length| length.checked_sub(HEADER_BYTES));
        let length = length.ok_or_else(|| malformed("the answer's length is wrong"))?;
        if length > max {
            return Err(Failure::TooLong(max));
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        read(&body, form).map_err(Failure::Malformed)
    }
}

fn read(body: &[u8], form: Form) -> Result<Map<String, Value>, String> {
    let (flags, rest) = body.split_first_chunk::<4>().ok_or("the answer is empty")?;
    let flags = u32::from_le_bytes(*flags);
    if flags & REQUIRED & !CHECKSUM != 0 {
        return Err("the answer has flags that nobody asked for".to_owned());
    }
    let end = if flags & CHECKSUM == 0 { rest.len() } else { rest.len().saturating_sub(4) };
    match rest.get(..end).and_then(<[u8]>::split_first) {
        Some((0, document)) => bson::decode(document, form),
        _ => Err("the answer is not one document".to_owned()),
    }
}

/// What a server says of itself.
pub(super) struct Greeting {
    /// Whether it takes writes, and reads what was written.
    pub(super) primary: bool,
    /// Where it says that the primary is.
    pub(super) told: Option<String>,
    /// All servers of its replica set that can become primary.
    pub(super) hosts: Vec<String>,
    pub(super) set: Option<String>,
    mechanisms: Option<Vec<String>>,
}

impl Greeting {
    fn read(said: &Map<String, Value>) -> Self {
        let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
        let texts = |name: &str| {
            let list = said.get(name)?.as_array()?;
            Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
        };
        let is = |name: &str| said.get(name).and_then(Value::as_bool).unwrap_or(false);
        Self {
            primary: is("isWritablePrimary") || is("ismaster"),
            told: text("primary"),
            hosts: texts("hosts").unwrap_or_default(),
            set: text("setName"),
            mechanisms: texts("saslSupportedMechs"),
        }
    }

    /// The strongest way that the server and the URL allow.
    fn mechanism(&self, login: &Login) -> Mechanism {
        login.mechanism.unwrap_or_else(|| match &self.mechanisms {
            Some(names) if !names.iter().any(|name| name == Mechanism::Sha256.as_str()) => Mechanism::Sha1,
            _ => Mechanism::Sha256,
        })
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

impl Mongo {
    /// Opens a connection to a server and greets it.
    pub(super) async fn greet(&self, address: &Address) -> Result<(Connection, Greeting), Error> {
        let stream = self.dialer.dial(&address.host, address.port).await;
        let stream = stream.map_err(|error| self.broken("connect", address, &error))?;
        let mut connection = Connection { stream, next: 0 };
        let client = json!({
            "driver": {"name": "mcp-factory", "version": env!("CARGO_PKG_VERSION")},
            "os": {"type": std::env::consts::OS},
        });
        let mut hello = object(json!({"hello": 1, "helloOk": true, "client": client, "$db": "admin"}));
        if let Some(login) = &self.location.login {
            hello.insert("saslSupportedMechs".to_owned(), format!("{}.{}", login.source, login.user).into());
        }
        let mut said = self.say(&mut connection, address, &hello).await?;
        if is_unknown(&said) {
            // Servers before 4.4.2 know the word's older form alone.
            hello = std::iter::once(("isMaster".to_owned(), json!(1))).chain(hello.into_iter().skip(1)).collect();
            said = self.say(&mut connection, address, &hello).await?;
        }
        self.check("connect", &said)?;
        Ok((connection, Greeting::read(&said)))
    }

    /// Logs in, if the URL names a user.
    pub(super) async fn log_in(
        &self,
        connection: &mut Connection,
        address: &Address,
        greeting: &Greeting,
    ) -> Result<(), Error> {
        const LOG_IN: &str = "log in";
        let Some(login) = &self.location.login else { return Ok(()) };
        let wrong = |message: String| self.masked(failure(self.name(), ErrorKind::Unreachable, LOG_IN, message));
        let mechanism = greeting.mechanism(login);
        let scram = Scram::new(mechanism, login).map_err(wrong)?;
        let payload = |text: &str| {
            use base64::Engine as _;
            json!({"$binary": {"base64": base64::engine::general_purpose::STANDARD.encode(text), "subType": "00"}})
        };
        let start = object(json!({
            "saslStart": 1, "mechanism": mechanism.as_str(), "payload": payload(&scram.first()),
            "options": {"skipEmptyExchange": true}, "$db": login.source,
        }));
        let said = self.say(connection, address, &start).await?;
        self.check(LOG_IN, &said)?;
        let (last, expected) = scram.last(&text_of(&said), login).map_err(wrong)?;
        let go_on = |text: &str, said: &Map<String, Value>| {
            let id = said.get("conversationId").cloned().unwrap_or(json!(1));
            object(json!({"saslContinue": 1, "conversationId": id, "payload": payload(text), "$db": login.source}))
        };
        let said = self.say(connection, address, &go_on(&last, &said)).await?;
        self.check(LOG_IN, &said)?;
        // A server that does not know the password cannot say this.
        if text_of(&said) != expected {
            return Err(wrong("the server does not know the password either; it may be another server".to_owned()));
        }
        if said.get("done") != Some(&Value::Bool(true)) {
            let said = self.say(connection, address, &go_on("", &said)).await?;
            self.check(LOG_IN, &said)?;
        }
        Ok(())
    }

    async fn say(
        &self,
        connection: &mut Connection,
        address: &Address,
        command: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Error> {
        let failed = |why| self.failed("connect", address, why);
        let bytes = bson::encode(command).map_err(|why| failed(Failure::Unsendable(why)))?;
        let Settings { limits, .. } = &self.settings;
        let answer = connection.ask(&bytes, Form::Plain, LOGIN_BYTES_MAX);
        match tokio::time::timeout(limits.connect, answer).await {
            Ok(answer) => answer.map_err(failed),
            Err(_) => Err(failed(Failure::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")))),
        }
    }
}

fn is_unknown(said: &Map<String, Value>) -> bool {
    /// `CommandNotFound`.
    const UNKNOWN: i64 = 59;
    said.get("code").and_then(bson::int) == Some(UNKNOWN)
}

/// The payload of a login's step: bytes, which are base64 in plain form.
fn text_of(said: &Map<String, Value>) -> String {
    use base64::Engine as _;
    let encoded = said.get("payload").and_then(Value::as_str).unwrap_or_default();
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
