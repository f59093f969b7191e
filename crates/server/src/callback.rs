//! Where the browser of a user comes back to after an authorisation: a port on this machine, open until then (RFC 8252,
//! section 7.3).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The path of the answer.
const PATH: &str = "/callback";
/// Longest head of a request, bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Connections that are served at once.
const CONNECTIONS_MAX: usize = 64;
/// Wait after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest wait for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// A port that waits for the answer of an authorisation.
#[derive(Debug)]
pub struct Callback {
    listener: TcpListener,
    address: SocketAddr,
}

/// What came back.
#[derive(Clone, PartialEq, Eq)]
pub struct Granted {
    /// The code.
    pub code: String,
    /// Who says to have given it (RFC 9207).
    pub issuer: Option<String>,
}

impl std::fmt::Debug for Granted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Granted").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Callback {
    /// Listens on this machine alone; port 0 takes a free one.
    ///
    /// # Errors
    /// The port cannot be listened on.
    pub async fn bind(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where the browser is to be sent.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Waits for the code that belongs to this state. Whatever else comes is told that it is not what is waited for.
    ///
    /// # Errors
    /// The user or the API refused: says why.
    pub async fn wait(self, state: &str) -> Result<Granted, String> {
        let state: Arc<str> = state.into();
        let mut open = JoinSet::new();
        loop {
            // Browsers open connections before they need them, and leave them idle: none keeps another one waiting.
            tokio::select! {
                accepted = self.listener.accept(), if open.len() < CONNECTIONS_MAX => match accepted {
                    Ok((socket, _)) => drop(open.spawn(answer(socket, Arc::clone(&state)))),
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
                Some(answered) = open.join_next() => {
                    if let Ok(Some(done)) = answered {
                        return done;
                    }
                }
            }
        }
    }
}

/// Answers one request; gives what came of the authorisation if it was the one that is waited for.
async fn answer(mut socket: TcpStream, state: Arc<str>) -> Option<Result<Granted, String>> {
    let head = tokio::time::timeout(HEAD_TIMEOUT, head(&mut socket)).await.ok().flatten();
    let (text, done) = judge(head.as_deref().unwrap_or_default(), &state);
    let status = if done.is_some() { "200 OK" } else { "404 Not Found" };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    let _ = tokio::time::timeout(HEAD_TIMEOUT, socket.write_all(answer.as_bytes())).await;
    let _ = socket.shutdown().await;
    done
}

async fn head(socket: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = socket.read(&mut buffer).await.ok()?;
        if read == 0 || bytes.len() + read > HEAD_BYTES_MAX {
            return None;
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(bytes).ok()
}

/// What a request is answered, and what came of the authorisation if it was the one that is waited for.
fn judge(head: &str, state: &str) -> (&'static str, Option<Result<Granted, String>>) {
    const OTHER: &str = "This is not the answer to an authorisation that is waited for.\n";
    let target = head.strip_prefix("GET ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let Some(query) = target.strip_prefix(PATH).and_then(|rest| rest.strip_prefix('?')) else { return (OTHER, None) };
    let value = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    if value("state").as_deref() != Some(state) {
        return (OTHER, None);
    }
    match (value("code"), value("error")) {
        (Some(code), None) if !code.is_empty() => {
            let issuer = value("iss");
            ("Authorised. You may close this page.\n", Some(Ok(Granted { code, issuer })))
        }
        (_, Some(error)) => {
            let more = value("error_description").map(|more| format!(": {more}")).unwrap_or_default();
            ("Not authorised. You may close this page.\n", Some(Err(format!("{error}{more}"))))
        }
        _ => (OTHER, None),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::{Callback, Granted, HEAD_TIMEOUT, judge};

    fn granted(code: &str, issuer: Option<&str>) -> Granted {
        Granted { code: code.to_owned(), issuer: issuer.map(str::to_owned) }
    }

    async fn ask(address: &str, target: &str) -> String {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await.unwrap();
        let mut said = String::new();
        socket.read_to_string(&mut said).await.unwrap();
        said
    }

    #[tokio::test]
    async fn idle_connections_keep_nobody_waiting() {
        let callback = Callback::bind(0).await.unwrap();
        let address = callback.address.to_string();
        let began = Instant::now();
        // What browsers open before they need it, and a request that never ends.
        let mut idle = Vec::new();
        for _ in 0..6 {
            idle.push(TcpStream::connect(&address).await.unwrap());
        }
        idle[0].write_all(b"GET /callback?code=a").await.unwrap();
        let waiting = tokio::spawn(callback.wait("s1"));
        assert!(ask(&address, "/favicon.ico").await.starts_with("HTTP/1.1 404"));
        assert!(ask(&address, "/callback?code=stolen&state=s2").await.starts_with("HTTP/1.1 404"));
        assert!(ask(&address, "/callback?code=c0de&state=s1").await.contains("Authorised."));
        assert_eq!(waiting.await.unwrap(), Ok(granted("c0de", None)));
        assert!(began.elapsed() < HEAD_TIMEOUT / 2, "{:?}", began.elapsed());
    }

    #[test]
    fn only_the_answer_with_the_state_counts() {
        let get = |target: &str| judge(&format!("GET {target} HTTP/1.1\r\n\r\n"), "s1").1;
        assert_eq!(get("/callback?code=a%2Bb&state=s1"), Some(Ok(granted("a+b", None))));
        let said = get("/callback?code=a&iss=https%3A%2F%2Fas.example&state=s1");
        assert_eq!(said, Some(Ok(granted("a", Some("https://as.example")))));
        let refused = get("/callback?error=access_denied&error_description=No+way&state=s1");
        assert_eq!(refused, Some(Err("access_denied: No way".to_owned())));
        for other in
            ["/favicon.ico", "/callback", "/callback?code=a&state=s2", "/callback?code=a", "/callback?state=s1"]
        {
            assert_eq!(get(other), None, "{other}");
        }
        assert_eq!(judge("", "s1").1, None);
    }
}
