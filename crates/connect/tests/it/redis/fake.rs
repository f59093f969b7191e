//! A fake of a Redis server that says what a test tells it to say.

use std::net::SocketAddr;

use connect::ErrorKind;
use connect::redis::{Command, Limits, Redis, Settings};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::world::{one, settings};

/// Answers the greeting of each connection, then one of its answers to each command; an empty one closes the connection.
pub(super) struct Server {
    address: SocketAddr,
    answers: Vec<Vec<u8>>,
    greeting: Vec<u8>,
    task: JoinHandle<()>,
}

const GREETING: &[u8] = b"%1\r\n+proto\r\n:3\r\n";

impl Server {
    pub(super) async fn start(answers: &[&[u8]]) -> Self {
        Self::greeting(GREETING, answers).await
    }

    async fn greeting(greeting: &[u8], answers: &[&[u8]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
        let task = tokio::spawn(serve(listener, greeting.to_vec(), answers.clone()));
        Self { address, answers, greeting: greeting.to_vec(), task }
    }

    /// Takes commands and never answers them.
    pub(super) async fn silent() -> Self {
        Self::start(&[]).await
    }

    pub(super) fn url(&self) -> String {
        format!("redis://:hunter2-secret@{}", self.address)
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
        self.task = tokio::spawn(serve(listener, self.greeting.clone(), self.answers.clone()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, greeting: Vec<u8>, answers: Vec<Vec<u8>>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        let (greeting, answers) = (greeting.clone(), answers.clone());
        connections.spawn(async move {
            let mut bytes = vec![0; 1 << 16];
            for answer in std::iter::once(&greeting).chain(&answers) {
                if !matches!(stream.read(&mut bytes).await, Ok(1..)) || answer.is_empty() {
                    return;
                }
                let _ = stream.write_all(answer).await;
            }
            // Silent from here on.
            while matches!(stream.read(&mut bytes).await, Ok(1..)) {}
        });
    }
}

#[tokio::test]
async fn secrets_are_masked_in_whatever_the_server_says() {
    let echoes: [(&[u8], &[&[u8]]); 3] = [
        (b"-WRONGPASS no user with hunter2-secret\r\n", &[]),
        (GREETING, &[b"-ERR unknown command `hunter2-secret`\r\n"]),
        (GREETING, &[b"*2\r\n$14\r\nhunter2-secret\r\n%1\r\n$14\r\nhunter2-secret\r\n:1\r\n"]),
    ];
    for (greeting, answers) in echoes {
        let server = Server::greeting(greeting, answers).await;
        let redis = Redis::open(settings(&server.url())).expect("settings that can be used");
        let said = match one(&redis, Command::new(["GET", "k"])).await {
            Ok(value) => value.to_string(),
            Err(error) => format!("{error} {error:?} {redis:?}"),
        };
        assert!(said.contains("***") && !said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn version_2_of_the_protocol_is_spoken_too() {
    // The greeting is refused, the login taken, and pairs come flat.
    let answers: [&[u8]; 2] = [b"+OK\r\n", b"*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n"];
    let server = Server::greeting(b"-ERR unknown command `HELLO`\r\n", &answers).await;
    let redis = Redis::open(settings(&server.url())).expect("settings that can be used");
    assert_eq!(one(&redis, Command::new(["HGETALL", "h"])).await.expect("pairs"), json!({"a": "1", "b": "2"}));
}

#[tokio::test]
async fn endless_and_wrong_answers_are_refused() {
    let long = format!("$999999999\r\n{}", "x".repeat(100_000));
    let nested = "*1\r\n".repeat(1000);
    let line = format!("+{}", "x".repeat(100_000));
    let cases: [(&[u8], ErrorKind, &str); 5] = [
        (long.as_bytes(), ErrorKind::Limit, "longer than"),
        (nested.as_bytes(), ErrorKind::Other, "nested"),
        (line.as_bytes(), ErrorKind::Other, "line"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ErrorKind::Other, "is there a Redis server"),
        (b"*3\r\n:1\r\n:x\r\n:3\r\n", ErrorKind::Other, "no integer"),
    ];
    for (answer, kind, word) in cases {
        let server = Server::start(&[answer]).await;
        let limits = Limits { answer_bytes: 80_000, ..Limits::default() };
        let redis = Redis::open(Settings { limits, ..settings(&server.url()) }).expect("settings");
        let error = one(&redis, Command::new(["GET", "k"])).await.expect_err("refused");
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}
