//! An upstream with TLS of a test's own: its authority, certificates good and bad, HTTP/1.1 and HTTP/2.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use base::Secret;
use connect::http::{ClientCertificate, Settings};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// An authority.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// Its certificate as a file.
    pub(super) file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Authority of a test");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, issuer.pem()).expect("a file");
        Self { issuer, file, _folder: folder }
    }

    /// A certificate and its key, PEM, valid from one year to another.
    pub(super) fn certify(&self, name: &str, from: i32, until: i32) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// A certificate of a client.
    pub(super) fn client(&self) -> ClientCertificate {
        let (chain, key) = self.certify("client", 2020, 2100);
        ClientCertificate { chain: Secret::new(chain), key: Secret::new(key) }
    }
}

/// What an upstream is like.
pub(super) struct Kind<'a> {
    pub(super) certificate: (String, String),
    /// Protocols that it offers.
    pub(super) alpn: &'a [&'a [u8]],
    /// The authority of clients that it asks for.
    pub(super) clients: Option<&'a Authority>,
    /// Most streams of a connection at once.
    pub(super) streams_max: u32,
    /// Whether a connection says after its first answer that it will close.
    pub(super) goes_away: bool,
}

impl<'a> Kind<'a> {
    pub(super) fn new(authority: &Authority, alpn: &'a [&'a [u8]]) -> Self {
        let certificate = authority.certify("localhost", 2020, 2100);
        Self { certificate, alpn, clients: None, streams_max: 100, goes_away: false }
    }
}

/// An upstream that stops with its value.
pub(super) struct SecureUpstream {
    pub(super) port: u16,
    pub(super) connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for SecureUpstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn server_config(kind: &Kind<'_>) -> rustls::ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match kind.clients {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.issuer.der().clone()).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        }
        None => builder.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_slice(kind.certificate.0.as_bytes()).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_slice(kind.certificate.1.as_bytes()).expect("a key");
    let mut config = builder.with_single_cert(chain, key).expect("a configuration");
    config.alpn_protocols = kind.alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// What an upstream answers.
pub(super) type Answer = Arc<dyn Fn(&str, Bytes) -> futures_util::future::BoxFuture<'static, Body> + Send + Sync>;

impl SecureUpstream {
    pub(super) async fn start(kind: Kind<'_>, answer: Answer) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(server_config(&kind)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::<AtomicUsize>::default();
        let (counted, streams_max, goes_away) = (Arc::clone(&connections), kind.streams_max, kind.goes_away);
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                let (acceptor, answer, counted) = (acceptor.clone(), Arc::clone(&answer), Arc::clone(&counted));
                tokio::spawn(async move {
                    // A client that refuses the certificate is part of the tests.
                    let Ok(stream) = acceptor.accept(socket).await else { return };
                    counted.fetch_add(1, Ordering::SeqCst);
                    serve(stream, answer, streams_max, goes_away).await;
                });
            }
        });
        Self { port, connections, task }
    }

    /// Settings that trust the authority.
    pub(super) fn settings(&self, authority: &Authority, host: &str) -> Settings {
        let base = Secret::new(format!("https://{host}:{}/v1", self.port));
        Settings {
            policy: connect::egress::Policy::default().allow_private(true),
            ca_file: Some(authority.file.clone()),
            retries: connect::http::Retries { max: 0, ..connect::http::Retries::default() },
            ..Settings::new("api", base)
        }
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(
    stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    answer: Answer,
    streams_max: u32,
    goes_away: bool,
) {
    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let leaving = CancellationToken::new();
    let left = leaving.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (answer, leaving) = (Arc::clone(&answer), leaving.clone());
        async move {
            let version = format!("{:?}", request.version());
            let path = request.uri().path().to_owned();
            let body = request.into_body().collect().await?.to_bytes();
            let body = answer(&path, body).await;
            if goes_away {
                leaving.cancel();
            }
            let response = Response::builder().header("x-version", version).body(body).expect("an answer");
            Ok::<_, hyper::Error>(response)
        }
    });
    // Errors of a connection are what the tests provoke.
    if h2 {
        let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder
            .max_concurrent_streams(streams_max)
            .initial_stream_window_size(16_384)
            .initial_connection_window_size(65_535);
        let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = left.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }
}

/// Answers with what was sent.
pub(super) fn echo() -> Answer {
    Arc::new(|path, body| {
        let body = if body.is_empty() { Bytes::from(path.to_owned()) } else { body };
        Box::pin(async move { Body::from(body) })
    })
}
