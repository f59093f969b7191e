//! Keys: what is signed is taken, what is not is refused, and no error shows a key.

use base::Secret;
use connect::ErrorKind;
use connect::files::{Gcs, Limits, List, Read, S3, Store};
use connect::http::{Body, Call, Method};

use super::world::{self, failed, job};

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let Some(settings) = world::s3("files::keys::a_wrong_key_is_refused").await else { return };
    let (key_id, secret) = settings.keys.clone().unwrap();
    let with = |keys| Store::s3("bucket", S3 { keys, ..settings.clone() }, Limits::default()).unwrap();
    with(Some((key_id.clone(), secret))).list(&List::default(), &job()).await.unwrap();
    for keys in [
        Some((key_id, Secret::new("another-secret-key"))),
        Some(("AKIANOBODY".to_owned(), Secret::new("another-secret-key"))),
    ] {
        let error = with(keys).list(&List::default(), &job()).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Denied, Some("permission")), "{error}");
        assert!(!error.to_string().contains("another-secret"), "{error}");
    }
}

/// The same signature with another service of AWS.
#[tokio::test]
async fn another_service() {
    let Some(settings) = world::s3("files::keys::another_service").await else { return };
    let (key_id, secret) = settings.keys.unwrap();
    let endpoint = settings.endpoint.unwrap();
    let mut call = Call::new(Method::POST, "/");
    let fields = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
    call.body = Body::Form(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
    for (secret, status) in [(secret.expose(), 200), ("wrong", 403)] {
        let api = world::aws(endpoint.expose(), &key_id, secret, "sts");
        let reply = api.send(&call, job().deadline, &job().cancel).await.unwrap();
        assert_eq!(reply.status, status, "{}", String::from_utf8_lossy(&reply.body));
    }
}

#[test]
fn settings_that_cannot_be_used() {
    let s3 = |change: &dyn Fn(&mut S3)| {
        let mut settings = S3::new("my-bucket", "eu-central-1");
        change(&mut settings);
        Store::s3("bucket", settings, Limits::default()).map(drop)
    };
    s3(&|_| {}).unwrap();
    let bad: [&dyn Fn(&mut S3); 7] = [
        &|s| s.bucket = "a".into(),
        &|s| s.bucket = "evil.com/x".into(),
        &|s| s.bucket = "a@b".into(),
        &|s| s.bucket = "-abc".into(),
        &|s| s.endpoint = Some(Secret::new("http://169.254.169.254")),
        &|s| s.prefix = "../x".into(),
        &|s| s.keys = Some((String::new(), Secret::new("x"))),
    ];
    for change in bad {
        let (kind, _) = failed(s3(change));
        assert!(matches!(kind, ErrorKind::Config), "{kind:?}");
    }
    let text = "{\"client_email\": \"a@b\", \"private_key\": \"not a key, but hidden\"}";
    let gcs = Gcs { service_account: Some(Secret::new(text)), ..Gcs::new("my-bucket") };
    let error = Store::gcs("bucket", gcs, Limits::default()).map(drop).unwrap_err();
    assert!(!error.to_string().contains("hidden"), "{error}");
}

/// A store that says back all it was told, keys among it.
#[tokio::test]
async fn a_store_that_echoes() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(|request: axum::extract::Request| async move {
        let body =
            format!("<Error><Code>Odd</Code><Message>{:?} the-token the-key</Message></Error>", request.headers());
        (axum::http::StatusCode::BAD_REQUEST, body)
    });
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = S3 {
        endpoint: Some(Secret::new(url)),
        path_style: true,
        keys: Some(("AKIA".into(), Secret::new("the-key"))),
        session_token: Some(Secret::new("the-token")),
        policy: connect::egress::Policy::default().allow_private(true),
        ..S3::new("my-bucket", "us-east-1")
    };
    let store = Store::s3("bucket", settings, Limits::default()).unwrap();
    for error in [
        store.list(&List::default(), &job()).await.map(drop).unwrap_err(),
        store.read(&Read { path: "a".into(), ..Read::default() }, &job()).await.map(drop).unwrap_err(),
    ] {
        let text = format!("{error} {error:?}");
        assert!(text.contains("Odd") && !text.contains("the-key") && !text.contains("the-token"), "{text}");
    }
    server.abort();
}
