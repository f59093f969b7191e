//! One conversation with a mail server.

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};

use crate::ErrorKind;
use crate::send::letter::Ready;

/// Longest line of an answer, bytes; the standard allows 512.
const LINE_BYTES_MAX: u64 = 2048;
/// Most lines of an answer.
const LINES_MAX: usize = 100;
/// What we call ourselves: our address is nobody's business.
const HELLO: &str = "EHLO [127.0.0.1]";

/// What a conversation travels on.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A stream, with or without TLS.
pub(super) type Stream = Box<dyn Duplex>;

/// What failed.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
    /// The server's code.
    pub(super) code: Option<u16>,
}

impl Fault {
    pub(super) fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None }
    }

    fn broken(error: &std::io::Error) -> Self {
        Self::of(ErrorKind::Transient, format!("the connection broke: {error}"))
    }
}

/// An answer: its code and its lines.
struct Answer {
    code: u16,
    lines: Vec<String>,
}

impl Answer {
    fn text(&self) -> String {
        self.lines.join(" ")
    }
}

/// A conversation.
pub(super) struct Session {
    stream: BufReader<Stream>,
    /// What the server said it can, in capitals.
    abilities: Vec<String>,
}

impl Session {
    /// Waits for the greeting.
    pub(super) async fn start(stream: Stream) -> Result<Self, Fault> {
        let mut session = Self::again(stream);
        let greeting = session.answer().await?;
        if greeting.code != 220 {
            return Err(refusal("the server does not serve", &greeting, ErrorKind::Unreachable));
        }
        Ok(session)
    }

    /// Goes on with a stream that has been greeted on.
    pub(super) fn again(stream: Stream) -> Self {
        Self { stream: BufReader::new(stream), abilities: Vec::new() }
    }

    pub(super) async fn hello(&mut self) -> Result<(), Fault> {
        let answer = self.say(HELLO).await?;
        if answer.code != 250 {
            return Err(refusal("the server refuses to talk", &answer, ErrorKind::Unreachable));
        }
        self.abilities = answer.lines.iter().skip(1).map(|line| line.trim().to_ascii_uppercase()).collect();
        Ok(())
    }

    /// Gives the stream for TLS.
    pub(super) async fn start_tls(mut self) -> Result<Stream, Fault> {
        if !self.can("STARTTLS") {
            let why = "the server does not offer STARTTLS, and nothing is sent without TLS";
            return Err(Fault::of(ErrorKind::Denied, why));
        }
        let answer = self.say("STARTTLS").await?;
        if answer.code != 220 {
            return Err(refusal("the server refuses TLS", &answer, ErrorKind::Denied));
        }
        // What came before TLS could be somebody else's words, to be taken for the server's.
        if !self.stream.buffer().is_empty() {
            return Err(Fault::of(ErrorKind::Denied, "the server, or somebody on the way, spoke before TLS began"));
        }
        Ok(self.stream.into_inner())
    }

    pub(super) async fn login(&mut self, user: &str, password: &Secret) -> Result<(), Fault> {
        let ways = self.abilities.iter().find_map(|line| line.strip_prefix("AUTH ").or(line.strip_prefix("AUTH=")));
        let ways: Vec<String> = ways.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let offers = |way: &str| ways.iter().any(|offered| offered == way);
        let encode = |text: &str| STANDARD.encode(text);
        let answer = if offers("PLAIN") {
            let text = Secret::new(encode(&format!("\0{user}\0{}", password.expose())));
            self.say(&format!("AUTH PLAIN {}", text.expose())).await?
        } else if offers("LOGIN") {
            let mut answer = self.say("AUTH LOGIN").await?;
            for text in [encode(user), encode(password.expose())] {
                if answer.code == 334 {
                    answer = self.say(&text).await?;
                }
            }
            answer
        } else {
            return Err(Fault::of(ErrorKind::Denied, "the server offers neither the login PLAIN nor LOGIN"));
        };
        if answer.code == 235 {
            Ok(())
        } else {
            Err(refusal("the server refuses the login", &answer, ErrorKind::Denied))
        }
    }

    /// Hands a letter over. A server that refuses one of the recipients gets none of it.
    pub(super) async fn deliver(&mut self, ready: &Ready) -> Result<String, Fault> {
        let size = self.abilities.iter().find_map(|line| line.strip_prefix("SIZE ")?.trim().parse::<usize>().ok());
        if size.is_some_and(|most| most > 0 && ready.bytes.len() > most) {
            let why = format!("the letter has {} bytes, more than the server takes", ready.bytes.len());
            return Err(Fault::of(ErrorKind::Limit, why));
        }
        let plain = ready.to.iter().chain([&ready.from]).all(|address| address.to_string().is_ascii());
        if !plain && !self.can("SMTPUTF8") {
            return Err(Fault::of(ErrorKind::Value, "the server takes only addresses of plain letters (ASCII)"));
        }
        let mut from = format!("MAIL FROM:<{}>", ready.from);
        if size.is_some() {
            from.push_str(&format!(" SIZE={}", ready.bytes.len()));
        }
        if !plain {
            from.push_str(" SMTPUTF8");
        }
        let answer = self.say(&from).await?;
        if answer.code != 250 {
            return Err(refusal("the server refuses the sender", &answer, ErrorKind::Value));
        }
        for to in &ready.to {
            let answer = self.say(&format!("RCPT TO:<{to}>")).await?;
            if !matches!(answer.code, 250..=252) {
                let what = format!("the server refuses the recipient `{to}`, and nothing was sent");
                return Err(refusal(&what, &answer, ErrorKind::Value));
            }
        }
        let answer = self.say("DATA").await?;
        if answer.code != 354 {
            return Err(refusal("the server refuses the letter", &answer, ErrorKind::Value));
        }
        self.write(&stuffed(&ready.bytes)).await?;
        let answer = self.answer().await?;
        if answer.code != 250 {
            return Err(refusal("the server refuses the letter", &answer, ErrorKind::Value));
        }
        Ok(answer.text())
    }

    /// Takes leave; what a server says to that is of no matter.
    pub(super) async fn quit(&mut self) {
        let leave = async {
            self.write(b"QUIT\r\n").await?;
            self.answer().await.map(drop)
        };
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), leave).await;
    }

    fn can(&self, ability: &str) -> bool {
        self.abilities.iter().any(|line| line.split(' ').next() == Some(ability))
    }

    async fn say(&mut self, line: &str) -> Result<Answer, Fault> {
        // Everything was checked before; a line break here would be a command of its own.
        if line.contains(['\r', '\n']) {
            return Err(Fault::of(ErrorKind::Value, "a line break within a command"));
        }
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.answer().await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).await.map_err(|error| Fault::broken(&error))?;
        stream.flush().await.map_err(|error| Fault::broken(&error))
    }

    async fn answer(&mut self) -> Result<Answer, Fault> {
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut self.stream).take(LINE_BYTES_MAX);
            limited.read_until(b'\n', &mut line).await.map_err(|error| Fault::broken(&error))?;
            if !line.ends_with(b"\n") {
                let why = if line.len() as u64 == LINE_BYTES_MAX { "a line of it is too long" } else { "it hung up" };
                return Err(Fault::of(ErrorKind::Transient, format!("the server gave no answer: {why}")));
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let code = line.get(..3).and_then(|digits| digits.parse().ok()).filter(|code| (200..600).contains(code));
            let Some(code) = code else {
                return Err(Fault::of(ErrorKind::Other, "what answers there is no mail server"));
            };
            let more = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if !more {
                return Ok(Answer { code, lines });
            }
            if lines.len() == LINES_MAX {
                return Err(Fault::of(ErrorKind::Other, "the server's answer has no end"));
            }
        }
    }
}

/// A refusal. Codes that begin with 4 say that trying again may help.
fn refusal(what: &str, answer: &Answer, kind: ErrorKind) -> Fault {
    let kind = match answer.code {
        400..=499 => ErrorKind::Transient,
        530 | 534 | 535 | 538 => ErrorKind::Denied,
        552 => ErrorKind::Limit,
        _ => kind,
    };
    Fault { kind, message: format!("{what}: {}", answer.text()), code: Some(answer.code) }
}

/// The letter as it travels: a line that begins with a dot gets another one, and a dot alone is the end (RFC 5321, 4.5.2).
fn stuffed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut start = true;
    for byte in bytes {
        if start && *byte == b'.' {
            out.push(b'.');
        }
        out.push(*byte);
        start = *byte == b'\n';
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}
