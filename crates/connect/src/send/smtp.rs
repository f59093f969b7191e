//! SMTP (RFC 5321) with TLS (RFC 3207, RFC 8314) and login (RFC 4954).

mod session;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::letter::{self, Letter, Ready};
use super::{Limits, fault, words};
use crate::egress::{Policy, Resolver, system_resolver};
use crate::mask::Mask;
use crate::{Error, ErrorKind, Job, Tls};
use session::{Fault, Session};

/// What is attempted, for errors.
const SEND: &str = "send a letter";
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(20);

/// How the connection is kept from others' eyes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// TLS by `STARTTLS`, which the server has to offer (port 587).
    #[default]
    StartTls,
    /// TLS from the start (port 465).
    Tls,
    /// None. Only on this machine.
    None,
}

impl Security {
    /// The usual port.
    pub fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// How a mail server is reached.
#[derive(Clone)]
pub struct SmtpSettings {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS or not.
    pub security: Security,
    /// The login: user and password.
    pub login: Option<(String, Secret)>,
    /// Whom letters come from.
    pub from: String,
    /// Whether a letter may come from somebody else.
    pub any_sender: bool,
    /// Domains that letters may go to; all when empty.
    pub to_domains: Vec<String>,
    /// Bounds of a letter.
    pub limits: Limits,
    /// Where connections may go.
    pub policy: Policy,
    /// How names become addresses.
    pub resolver: Resolver,
    /// PEM file of the accepted certificate authorities.
    pub ca_file: Option<PathBuf>,
}

impl SmtpSettings {
    /// A server with `STARTTLS` and without login.
    pub fn new(host: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: Security::StartTls.port(),
            security: Security::StartTls,
            login: None,
            from: from.into(),
            any_sender: false,
            to_domains: Vec::new(),
            limits: Limits::default(),
            policy: Policy::default(),
            resolver: system_resolver(),
            ca_file: None,
        }
    }
}

/// A mail server.
pub struct Smtp {
    name: String,
    settings: SmtpSettings,
    tls: TlsConnector,
    server: ServerName<'static>,
    mask: Mask,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Its `Message-ID`.
    pub id: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// What the server said when it took it.
    pub answer: String,
}

impl Smtp {
    /// Checks the settings. Nothing is sent.
    pub fn open(name: &str, settings: SmtpSettings) -> Result<Self, Error> {
        let config = |message: String| fault(name, ErrorKind::Config, "open", message);
        letter::mailbox(&settings.from, "from").map_err(config)?;
        let shown = if settings.host.contains(':') { format!("[{}]", settings.host) } else { settings.host.clone() };
        settings
            .policy
            .check(&format!("https://{shown}:{}/", settings.port))
            .map_err(|refused| config(refused.to_string()))?;
        let server = ServerName::try_from(settings.host.clone())
            .map_err(|_| config(format!("`{}` is no name of a host", settings.host)))?;
        let tls = crate::tls::client(Tls::VerifyFull, settings.ca_file.as_deref(), None).map_err(config)?;
        let mask = Mask::default();
        if let Some((user, password)) = &settings.login {
            mask.add(password);
            mask.add(&Secret::new(STANDARD.encode(format!("\0{user}\0{}", password.expose()))));
        }
        Ok(Self { name: name.to_owned(), settings, tls: TlsConnector::from(Arc::new(tls)), server, mask })
    }

    /// Sends a letter to all its recipients, or to none of them.
    pub async fn send(&self, letter: &Letter, job: &Job) -> Result<Sent, Error> {
        let value = |message: String| self.error(Fault::of(ErrorKind::Value, message));
        if letter.from.is_some() && !self.settings.any_sender {
            return Err(value("the connection does not let letters come from others: leave `from` out".to_owned()));
        }
        let ready = letter.ready(&self.settings.from, &self.settings.limits).map_err(value)?;
        self.check_domains(&ready)?;
        let outcome = tokio::select! {
            biased;
            () = job.cancel.cancelled() => Err(Fault::of(ErrorKind::Cancelled, "the caller went away")),
            outcome = tokio::time::timeout_at(job.deadline, self.deliver(&ready)) => outcome
                .unwrap_or_else(|_| Err(Fault::of(ErrorKind::Timeout, "the server was not done before the deadline"))),
        };
        let answer = outcome.map_err(|fault| self.error(fault))?;
        let to = ready.to.iter().map(ToString::to_string).collect();
        Ok(Sent { id: ready.id, to, answer: self.mask.text(&words(&answer)) })
    }

    /// Connects, says hello and logs in: whether letters could be sent.
    pub async fn ping(&self, job: &Job) -> Result<(), Error> {
        let outcome = tokio::time::timeout_at(job.deadline, async {
            let mut session = self.session().await?;
            session.quit().await;
            Ok(())
        });
        let late = |_| Err(Fault::of(ErrorKind::Timeout, "the server gave no answer before the deadline"));
        outcome.await.unwrap_or_else(late).map_err(|fault| self.error(fault))
    }

    async fn deliver(&self, ready: &Ready) -> Result<String, Fault> {
        let mut session = self.session().await?;
        let answer = session.deliver(ready).await;
        session.quit().await;
        answer
    }

    async fn session(&self) -> Result<Session, Fault> {
        let SmtpSettings { host, port, security, login, .. } = &self.settings;
        let opened = tokio::time::timeout(CONNECT, self.settings.policy.connect(&self.settings.resolver, host, *port));
        let stream = match opened.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(unreached(host, *port, &error)),
            Err(_) => return Err(Fault::of(ErrorKind::Unreachable, format!("`{host}:{port}` does not answer"))),
        };
        if *security == Security::None && !is_here(&stream) {
            let why = "letters and passwords go without TLS only to this machine: use STARTTLS or TLS";
            return Err(Fault::of(ErrorKind::Denied, why));
        }
        let mut session = if *security == Security::Tls {
            let stream = self.secured(Box::new(stream)).await?;
            Session::start(stream).await?
        } else {
            Session::start(Box::new(stream)).await?
        };
        session.hello().await?;
        if *security == Security::StartTls {
            let stream = session.start_tls().await?;
            session = Session::again(self.secured(stream).await?);
            session.hello().await?;
        }
        if let Some((user, password)) = login {
            session.login(user, password).await?;
        }
        Ok(session)
    }

    async fn secured(&self, stream: session::Stream) -> Result<session::Stream, Fault> {
        let stream = self.tls.connect(self.server.clone(), stream).await;
        let stream = stream.map_err(|error| Fault::of(ErrorKind::Unreachable, format!("TLS failed: {error}")))?;
        Ok(Box::new(stream))
    }

    fn check_domains(&self, ready: &Ready) -> Result<(), Error> {
        let allowed = &self.settings.to_domains;
        let fits = |domain: &str| allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain));
        match ready.to.iter().find(|address| !allowed.is_empty() && !fits(address.domain())) {
            None => Ok(()),
            Some(address) => {
                let why = format!("`{address}` is not in a domain that letters of this connection may go to");
                Err(self.error(Fault::of(ErrorKind::Denied, why)))
            }
        }
    }

    fn error(&self, outcome: Fault) -> Error {
        let mut error = fault(&self.name, outcome.kind, SEND, self.mask.text(&words(&outcome.message)));
        error.code = outcome.code.map(|code| code.to_string());
        error
    }
}

fn is_here(stream: &TcpStream) -> bool {
    stream.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
}

fn unreached(host: &str, port: u16, error: &std::io::Error) -> Fault {
    let refused = error.get_ref().is_some_and(|inner| inner.is::<crate::egress::Refused>());
    let kind = if refused { ErrorKind::Denied } else { ErrorKind::Unreachable };
    Fault::of(kind, format!("`{host}:{port}` cannot be reached: {error}"))
}
