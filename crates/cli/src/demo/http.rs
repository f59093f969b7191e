//! A small HTTP/1.1 client for the demonstration: one request a connection, chunked and plain
//! bodies, bodies read as they come.

use std::time::Duration;

use operations::{Code, Error};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// Longest wait for anything.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);
/// Largest body or line that is read, bytes.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// An answer whose body is still to be read.
pub(super) struct Answer {
    pub(super) status: u16,
    stream: BufReader<TcpStream>,
    length: Length,
    /// What was read of the body and not given yet.
    pending: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Length {
    Chunked,
    Bytes(u64),
    ToEnd,
}

/// Sends a request. `url` is `http://HOST:PORT/PATH`.
pub(super) async fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Result<Answer, Error> {
    let within = tokio::time::timeout(TIMEOUT, exchange(method, url, headers, body)).await;
    match within {
        Ok(answer) => answer.map_err(|error| failed(url, &error.to_string())),
        Err(_) => Err(failed(url, &format!("no answer within {} s", TIMEOUT.as_secs()))),
    }
}

fn failed(url: &str, why: &str) -> Error {
    Error::new(Code::Internal, format!("the demonstration cannot reach its own server at {url}: {why}"))
        .hint("is something between local processes, such as a firewall?")
}

async fn exchange(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&str>) -> std::io::Result<Answer> {
    let rest = url.strip_prefix("http://").ok_or_else(|| broken("the URL is not http"))?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body.unwrap_or_default());
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;

    let status = line(&mut stream).await?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| broken("no status line"))?;
    let mut length = Length::ToEnd;
    loop {
        let header = line(&mut stream).await?.to_ascii_lowercase();
        match header.split_once(':') {
            None => break,
            Some(("transfer-encoding", value)) if value.contains("chunked") => length = Length::Chunked,
            Some(("content-length", value)) => {
                length = Length::Bytes(value.trim().parse().map_err(|_| broken("a bad Content-Length"))?);
            }
            Some(_) => {}
        }
    }
    Ok(Answer { status, stream, length, pending: Vec::new() })
}

impl Answer {
    /// The whole body.
    pub(super) async fn text(mut self) -> Result<String, Error> {
        let mut all = Vec::new();
        while let Some(part) = self.part().await? {
            all.extend(part);
        }
        String::from_utf8(all).map_err(|_| failed("its body", "it is not UTF-8"))
    }

    /// The next server-sent event: its name and its data.
    pub(super) async fn event(&mut self) -> Result<(String, String), Error> {
        loop {
            if let Some((event, rest)) = first_event(&self.pending) {
                self.pending = rest;
                if !event.1.is_empty() {
                    return Ok(event);
                }
                continue;
            }
            match self.part().await? {
                Some(part) => self.pending.extend(part),
                None => return Err(failed("its event stream", "the stream ended")),
            }
        }
    }

    /// The next part of the body, as it comes.
    async fn part(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match tokio::time::timeout(TIMEOUT, self.read()).await {
            Ok(part) => part.map_err(|error| failed("its body", &error.to_string())),
            Err(_) => Err(failed("its body", &format!("nothing came for {} s", TIMEOUT.as_secs()))),
        }
    }

    async fn read(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        match self.length {
            Length::Bytes(0) => Ok(None),
            Length::Bytes(count) if count > BYTES_MAX => Err(broken("the body is too large")),
            Length::Bytes(count) => {
                let mut part = Vec::new();
                (&mut self.stream).take(count).read_to_end(&mut part).await?;
                self.length = Length::Bytes(0);
                Ok(Some(part))
            }
            Length::ToEnd => {
                let mut part = Vec::new();
                (&mut self.stream).take(BYTES_MAX).read_to_end(&mut part).await?;
                self.length = Length::Bytes(0);
                Ok(Some(part))
            }
            Length::Chunked => {
                let head = line(&mut self.stream).await?;
                let size = head.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(size, 16).map_err(|_| broken("a bad chunk"))?;
                if size == 0 || size as u64 > BYTES_MAX {
                    self.length = Length::Bytes(0);
                    return Ok(None);
                }
                let mut part = vec![0; size];
                self.stream.read_exact(&mut part).await?;
                line(&mut self.stream).await?;
                Ok(Some(part))
            }
        }
    }
}

/// Takes the first whole event off a buffer: its name and its data lines.
fn first_event(buffer: &[u8]) -> Option<((String, String), Vec<u8>)> {
    let text = std::str::from_utf8(buffer).ok()?;
    let (end, width) = text.find("\n\n").map(|at| (at, 2)).or_else(|| text.find("\r\n\r\n").map(|at| (at, 4)))?;
    let (mut name, mut data) = ("message".to_owned(), Vec::new());
    for line in text[..end].lines() {
        match line.split_once(':') {
            Some(("event", value)) => name = value.trim().to_owned(),
            Some(("data", value)) => data.push(value.strip_prefix(' ').unwrap_or(value)),
            _ => {}
        }
    }
    Some(((name, data.join("\n")), buffer[end + width..].to_vec()))
}

async fn line(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    stream.take(BYTES_MAX).read_line(&mut text).await?;
    text.truncate(text.trim_end().len());
    Ok(text)
}

fn broken(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::first_event;

    #[test]
    fn events_are_taken_one_by_one() {
        let ((name, data), rest) = first_event(b"event: endpoint\ndata: /messages?x=1\n\ndata: {}\n\n").unwrap();
        assert_eq!((name.as_str(), data.as_str()), ("endpoint", "/messages?x=1"));
        let ((name, data), rest) = first_event(&rest).unwrap();
        assert_eq!((name.as_str(), data.as_str(), rest.len()), ("message", "{}", 0));
        assert!(first_event(b"data: half").is_none());
    }
}
