//! A small closed-loop HTTP/1.1 client that never sleeps: keep-alive connections that send one fixed request and
//! check every answer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{self, Server};

/// What was measured in one window.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Calls per second.
    pub rate: f64,
    /// Server CPU per call, microseconds.
    pub cpu_us: f64,
    /// Median latency, milliseconds.
    pub p50_ms: f64,
    /// 99th percentile of the latency, milliseconds.
    pub p99_ms: f64,
    /// Resident memory of the server at the end, MB.
    pub rss_mb: f64,
    /// Percentage of the machine's processors that was busy with anything but the server and the client.
    pub elsewhere: f64,
}

/// A request that is sent again and again, and what every answer must contain.
pub struct Request {
    bytes: Vec<u8>,
    expect: &'static str,
    /// Where eight digits stand that no two requests share.
    number: Option<usize>,
}

impl Request {
    /// A POST of JSON to `/mcp` with further headers.
    pub fn post(port: u16, path: &str, headers: &[(&str, &str)], body: &str, expect: &'static str) -> Self {
        let mut text = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        );
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        Self { bytes: text.into_bytes(), expect, number: None }
    }

    /// A call of a 2026-07-28 server.
    pub fn mcp(
        port: u16,
        method: &str,
        name: Option<&str>,
        params: &str,
        key: Option<&str>,
        expect: &'static str,
    ) -> Self {
        Self::at(port, "/mcp", method, name, params, key, expect)
    }

    /// A call of a 2026-07-28 server at this path.
    pub fn at(
        port: u16,
        path: &str,
        method: &str,
        name: Option<&str>,
        params: &str,
        key: Option<&str>,
        expect: &'static str,
    ) -> Self {
        let comma = if params.is_empty() { "" } else { "," };
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{comma}"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{{"name":"bench","version":"1"}},"io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
        );
        let mut headers = vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method)];
        headers.extend(name.map(|name| ("Mcp-Name", name)));
        let bearer = key.filter(|key| key.starts_with("of_mcp_")).map(|key| format!("Bearer {key}"));
        match &bearer {
            Some(bearer) => headers.push(("Authorization", bearer)),
            None => headers.extend(key.map(|key| ("X-API-Key", key))),
        }
        Self::post(port, path, &headers, &body, expect)
    }

    /// A request to the REST API of the control plane.
    pub fn plane(port: u16, path: &str, key: &str, body: &str, expect: &'static str) -> Self {
        let key = format!("Bearer {key}");
        Self::post(port, path, &[("Authorization", &key)], body, expect)
    }

    /// Every request has another number where the text has eight `@`.
    pub fn numbered(mut self) -> Self {
        self.number = find(&self.bytes, b"@@@@@@@@");
        self
    }
}

impl Request {
    /// What is sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Runs closed loops on so many connections for a while.
pub async fn window(server: &Server, request: &Request, connections: usize, length: Duration) -> Result<Figures> {
    let local = tokio::task::LocalSet::new();
    let (cpu, own, busy) = (server.cpu(), process::own_cpu(), process::busy());
    let start = Instant::now();
    let latencies = local
        .run_until(async {
            // Whoever answers a client that sleeps pays for waking it, and the faster of two servers seldom does.
            let awake = tokio::task::spawn_local(async {
                loop {
                    tokio::task::yield_now().await;
                }
            });
            let loops: Vec<_> = (0..connections)
                .map(|_| {
                    tokio::task::spawn_local(connection(
                        server.port,
                        request.bytes.clone(),
                        request.expect,
                        request.number,
                        start + length,
                    ))
                })
                .collect();
            let mut all = Vec::new();
            for one in loops {
                all.extend(one.await??);
            }
            awake.abort();
            anyhow::Ok(all)
        })
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = server.cpu() - cpu;
    let elsewhere = process::busy() - busy - cpu - (process::own_cpu() - own);
    if latencies.is_empty() {
        bail!("no call was answered in time");
    }
    let mut sorted = latencies;
    sorted.sort_unstable();
    let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part) as usize] as f64 / 1e6;
    Ok(Figures {
        rate: sorted.len() as f64 / seconds,
        cpu_us: cpu * 1e6 / sorted.len() as f64,
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        rss_mb: server.rss_mb(),
        elsewhere: (elsewhere / seconds / process::processors()).max(0.0) * 100.0,
    })
}

/// Numbers of numbered requests.
static NUMBER: AtomicU32 = AtomicU32::new(10_000_000);

async fn connection(
    port: u16,
    mut bytes: Vec<u8>,
    expect: &'static str,
    number: Option<usize>,
    end: Instant,
) -> Result<Vec<u64>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::with_capacity(1 << 16);
    let mut buffer = Vec::with_capacity(1 << 16);
    while Instant::now() < end {
        if let Some(at) = number {
            let next = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
            bytes[at..at + 8].copy_from_slice(next.as_bytes());
        }
        let start = Instant::now();
        stream.write_all(&bytes).await?;
        let body = answer(&mut stream, &mut buffer).await?;
        latencies.push(start.elapsed().as_nanos() as u64);
        if !contains(&buffer[body..], expect.as_bytes()) {
            bail!("an answer without {expect:?}: {}", String::from_utf8_lossy(&buffer));
        }
    }
    Ok(latencies)
}

/// Reads one whole answer; gives where its body starts in the buffer.
pub async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<usize> {
    buffer.clear();
    let mut body = None;
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection: {}", String::from_utf8_lossy(buffer));
        }
        if body.is_none() {
            body = find(buffer, b"\r\n\r\n").map(|at| at + 4);
        }
        let Some(start) = body else { continue };
        let head = &buffer[..start];
        let whole = match header(head, b"content-length:") {
            Some(length) => buffer.len() >= start + length.parse::<usize>()?,
            None => buffer.ends_with(b"0\r\n\r\n"),
        };
        if whole {
            return Ok(start);
        }
    }
}

fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a str> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (start, rest) = line.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then(|| std::str::from_utf8(rest).unwrap_or_default().trim())
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    find(text, part).is_some()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, part)
}
