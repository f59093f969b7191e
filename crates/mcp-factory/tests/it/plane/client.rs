//! A running control plane, and raw requests to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::world::World;

/// A control plane on a free port; killed when dropped.
pub(crate) struct Plane {
    child: Child,
    pub(crate) address: String,
    pub(crate) url: String,
    /// What it printed when it began.
    pub(crate) told: Value,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Plane {
    pub(crate) fn start(world: &World) -> Self {
        Self::start_with(world, &[])
    }

    pub(crate) fn start_with(world: &World, more: &[&str]) -> Self {
        Self::start_at(world, "0", more)
    }

    /// The same on a port that is known.
    pub(crate) fn start_at(world: &World, port: &str, more: &[&str]) -> Self {
        let arguments = [&["serve", "--port", port, "--output", "json"], more].concat();
        let mut child = world
            .command(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(world.path("serve.log")).expect("a log"))
            .spawn()
            .expect("the control plane starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut text = String::new();
        while out.read_line(&mut text).is_ok_and(|read| read > 0) && !text.ends_with("}\n") {}
        let told: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{error} in {text:?}\n{}", std::fs::read_to_string(world.path("serve.log")).unwrap_or_default())
        });
        let word = |name: &str| told[name].as_str().expect("a word").to_owned();
        Self { child, address: word("address"), url: word("url"), told }
    }

    /// Names the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as the kernel would: without a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Waits until it ended, and says whether it did so in order.
    pub(crate) fn ended(mut self) -> bool {
        self.child.wait().expect("it ends").success()
    }

    /// Asks it to end, and waits until it did.
    pub(crate) fn end(mut self) {
        let ended = std::process::Command::new("kill").arg(self.pid().to_string()).status().expect("kill runs");
        assert!(ended.success() && self.child.wait().expect("it ends").success());
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_send(method, path, headers, body).expect("an answer")
    }

    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<Answer> {
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            text.push_str(&format!("Host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        ask(&self.address, &text)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/json")], &body.to_string())
    }

    /// Asks until the answer is as wanted.
    pub(crate) fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..600 {
            let found = self.get(path).json();
            if wanted(&found) {
                return found;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("{path} never was as wanted: {}", self.get(path).body);
    }

    /// Asks until the answer has a status: at most as long as a revocation may take.
    pub(crate) fn until_status(&self, path: &str, headers: &[(&str, &str)], wanted: u16) {
        let late = std::time::Instant::now() + Duration::from_secs(5);
        while self.send("GET", path, headers, "").status != wanted {
            assert!(std::time::Instant::now() < late, "{path} never was {wanted}");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

/// Sends a request to an address and reads the whole answer.
pub(crate) fn ask(address: &str, request: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Answer::read(&answer).ok_or_else(|| std::io::Error::other(format!("half an answer: {answer:?}")))
}

impl Drop for Plane {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    fn read(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if chunked { unchunked(body) } else { body.to_owned() };
        Some(Self { status, headers, body })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }
}

fn unchunked(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        out.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    out
}
