//! A fake of a MongoDB server: messages of the protocol in, what a test answers out, with logins and TLS where wanted.
//! Its documents are read and written here by hand, without the code under test.

use std::net::SocketAddr;
use std::sync::Arc;

use connect::mongo::Mongo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::world::settings;

/// A field of a document that a test needs.
#[derive(Clone, Debug)]
pub(super) enum Field {
    Double(f64),
    Text(String),
    Bool(bool),
    Int(i32),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
    Document(Vec<(&'static str, Field)>),
    Documents(Vec<Vec<(&'static str, Field)>>),
}

pub(super) type Fields = Vec<(&'static str, Field)>;

fn framed(content: Vec<u8>) -> Vec<u8> {
    let length = i32::try_from(content.len() + 5).expect("short");
    [&length.to_le_bytes()[..], &content, &[0]].concat()
}

fn string(text: &str) -> Vec<u8> {
    let length = i32::try_from(text.len() + 1).expect("short");
    [&length.to_le_bytes()[..], text.as_bytes(), &[0]].concat()
}

fn field(name: &str, value: &Field) -> Vec<u8> {
    let (kind, bytes) = match value {
        Field::Double(number) => (1, number.to_le_bytes().to_vec()),
        Field::Text(text) => (2, string(text)),
        Field::Document(fields) => (3, document(fields)),
        Field::Texts(texts) => {
            let items = texts.iter().enumerate();
            (4, framed(items.flat_map(|(nth, text)| field(&nth.to_string(), &Field::Text(text.clone()))).collect()))
        }
        Field::Documents(documents) => {
            let items = documents.iter().enumerate();
            (4, framed(items.flat_map(|(nth, one)| field(&nth.to_string(), &Field::Document(one.clone()))).collect()))
        }
        Field::Bytes(bytes) => {
            let length = i32::try_from(bytes.len()).expect("short");
            (5, [&length.to_le_bytes()[..], &[0], bytes].concat())
        }
        Field::Bool(truth) => (8, vec![u8::from(*truth)]),
        Field::Int(number) => (16, number.to_le_bytes().to_vec()),
    };
    [&[kind][..], name.as_bytes(), &[0], &bytes].concat()
}

pub(super) fn document(fields: &[(&'static str, Field)]) -> Vec<u8> {
    framed(fields.iter().flat_map(|(name, value)| field(name, value)).collect())
}

/// A command as it came in: its name, and its bytes to look for texts in.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl Command {
    pub(super) fn holds(&self, text: &[u8]) -> bool {
        self.bytes.windows(text.len()).any(|window| window == text)
    }

    /// The first field of bytes, such as the payload of a login.
    pub(super) fn payload(&self) -> String {
        let at = self.bytes.windows(9).position(|window| window == b"\x05payload\0").expect("a payload") + 9;
        let length = i32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("a length"));
        let start = at + 5;
        let bytes = &self.bytes[start..start + usize::try_from(length).expect("a length")];
        String::from_utf8(bytes.to_vec()).expect("text")
    }
}

/// What a test answers; `None` closes the connection.
pub(super) type Answer = Arc<dyn Fn(&Command) -> Option<Fields> + Send + Sync>;

/// A server that stops with its value.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) seen: Arc<Mutex<Vec<Command>>>,
    answer: Answer,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start(answer: impl Fn(&Command) -> Option<Fields> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::with(listener, Arc::new(answer), None)
    }

    pub(super) async fn secure(
        config: rustls::ServerConfig,
        answer: impl Fn(&Command) -> Option<Fields> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::with(listener, Arc::new(answer), Some(Arc::new(config)))
    }

    fn with(listener: TcpListener, answer: Answer, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let address = listener.local_addr().expect("an address");
        let seen = Arc::<Mutex<Vec<Command>>>::default();
        let task = tokio::spawn(serve(listener, Arc::clone(&answer), Arc::clone(&seen), tls));
        Self { address, seen, answer, task }
    }

    /// Ends, with every connection.
    pub(super) async fn stop(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// Listens again at the same address.
    pub(super) async fn again(&mut self) {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("an option");
        socket.bind(self.address).expect("the port is free");
        let listener = socket.listen(16).expect("a listener");
        self.task = tokio::spawn(serve(listener, Arc::clone(&self.answer), Arc::clone(&self.seen), None));
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.seen.lock().iter().filter(|command| command.name == name).count()
    }

    /// A connection to it, with what stands before and after the address in the URL.
    pub(super) fn mongo(&self, before: &str, after: &str) -> Mongo {
        let url = format!("mongodb://{before}{}/db{after}", self.address);
        Mongo::open(settings(&url)).expect("settings that can be used")
    }
}

async fn serve(
    listener: TcpListener,
    answer: Answer,
    seen: Arc<Mutex<Vec<Command>>>,
    tls: Option<Arc<rustls::ServerConfig>>,
) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(greet(stream, Arc::clone(&answer), Arc::clone(&seen), tls.clone()));
    }
}

async fn greet(
    stream: TcpStream,
    answer: Answer,
    seen: Arc<Mutex<Vec<Command>>>,
    tls: Option<Arc<rustls::ServerConfig>>,
) {
    match tls {
        None => talk(stream, answer, seen).await,
        Some(config) => {
            if let Ok(stream) = tokio_rustls::TlsAcceptor::from(config).accept(stream).await {
                talk(stream, answer, seen).await;
            }
        }
    }
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Answer, seen: Arc<Mutex<Vec<Command>>>) {
    let mut header = [0; 16];
    while stream.read_exact(&mut header).await.is_ok() {
        let part = |nth: usize| i32::from_le_bytes(header[nth * 4..nth * 4 + 4].try_into().expect("four bytes"));
        assert_eq!(part(3), 2013, "the kind of message");
        let mut body = vec![0; usize::try_from(part(0)).expect("a length") - 16];
        stream.read_exact(&mut body).await.expect("a body");
        let bytes = body[5..].to_vec();
        let name = bytes[5..].split(|byte| *byte == 0).next().unwrap_or_default();
        let command = Command { name: String::from_utf8_lossy(name).into_owned(), bytes };
        seen.lock().push(command.clone());
        let Some(fields) = answer(&command) else { return };
        let body = document(&fields);
        let length = i32::try_from(21 + body.len()).expect("short");
        let mut sent = Vec::new();
        for part in [length, 1, part(1), 2013, 0] {
            sent.extend_from_slice(&part.to_le_bytes());
        }
        sent.push(0);
        sent.extend_from_slice(&body);
        stream.write_all(&sent).await.expect("an answer is taken");
    }
}

pub(super) fn ok(mut fields: Fields) -> Option<Fields> {
    fields.push(("ok", Field::Double(1.0)));
    Some(fields)
}

/// The greeting of a server that takes writes.
pub(super) fn primary() -> Option<Fields> {
    ok(vec![("isWritablePrimary", Field::Bool(true))])
}

/// The answer to a find.
pub(super) fn found(documents: Vec<Fields>) -> Option<Fields> {
    let cursor = vec![("id", Field::Int(0)), ("firstBatch", Field::Documents(documents))];
    ok(vec![("cursor", Field::Document(cursor))])
}

/// An answer that is an error.
pub(super) fn refused(code: i32, name: &str, message: &str) -> Option<Fields> {
    Some(vec![
        ("ok", Field::Double(0.0)),
        ("code", Field::Int(code)),
        ("codeName", Field::Text(name.to_owned())),
        ("errmsg", Field::Text(message.to_owned())),
    ])
}
