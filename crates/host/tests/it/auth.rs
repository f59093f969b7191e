//! Keys of callers.

use http::Request;
use protocol::http::{AuthOutcome, Authenticator as _, Peer};

use crate::world::parse;

fn spec(auth: &str) -> spec::Spec {
    parse(&format!(
        "name: key-server\nauth: {auth}\ntools: [{{name: hello, description: Greets., parameters: {{}}, reply: {{text: hi}}}}]\n"
    ))
}

/// What a request with this header is answered: the caller's name, or status and challenge.
fn ask(keys: &host::Keys, header: Option<(&str, &str)>) -> Result<String, (u16, String, String)> {
    let mut request = Request::builder();
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    let AuthOutcome::Ready(outcome) = keys.authenticate(&head, &Peer::UNKNOWN) else { panic!("it answers at once") };
    outcome.map(|principal| principal.id().to_owned()).map_err(|challenge| {
        let header = challenge.www_authenticate.unwrap().to_str().unwrap().to_owned();
        (challenge.status.as_u16(), header, String::from_utf8(challenge.body.to_vec()).unwrap())
    })
}

#[test]
fn a_key_in_a_header() {
    let spec = spec("{type: api_key}");
    let lookup = |name: &str| (name == "KEY_SERVER_API_KEY").then(|| "first-key, second-key".to_owned());
    let keys = host::auth(&spec, &lookup).unwrap().unwrap();
    assert_eq!(ask(&keys, Some(("x-api-key", "first-key"))).unwrap(), "key-1");
    assert_eq!(ask(&keys, Some(("X-API-Key", "second-key"))).unwrap(), "key-2");
    for bad in
        [None, Some(("x-api-key", "")), Some(("x-api-key", "first-key,")), Some(("authorization", "Bearer first-key"))]
    {
        let (status, challenge, body) = ask(&keys, bad).unwrap_err();
        assert_eq!((status, challenge.as_str()), (401, "ApiKey realm=\"key-server\", header=\"x-api-key\""));
        assert!(body.contains("`x-api-key`"), "{body}");
    }
}

#[test]
fn a_bearer_token() {
    let spec = spec("{type: bearer, envVar: TOKEN}");
    let keys = host::auth(&spec, &|name: &str| (name == "TOKEN").then(|| "a-token".to_owned())).unwrap().unwrap();
    assert_eq!(ask(&keys, Some(("Authorization", "bearer a-token"))).unwrap(), "key-1");
    for none in ["a-token", "Bearer", "Basic a-token"] {
        let (status, challenge, _) = ask(&keys, Some(("authorization", none))).unwrap_err();
        assert_eq!((status, challenge.as_str()), (401, "Bearer realm=\"key-server\""), "{none}");
    }
    let (status, challenge, _) = ask(&keys, Some(("authorization", "Bearer b-token"))).unwrap_err();
    assert_eq!((status, challenge.as_str()), (401, "Bearer realm=\"key-server\", error=\"invalid_token\""));
}

#[test]
fn a_server_without_its_key_is_not_served() {
    let none = |_: &str| None;
    assert!(host::auth(&spec("{type: none}"), &none).unwrap().is_none());
    let missing = host::auth(&spec("{type: bearer, envVar: TOKEN}"), &none).unwrap_err();
    assert_eq!(missing.code, "MF0915");
    assert!(missing.message.contains("environment variable TOKEN is not set"), "{}", missing.message);
    assert_eq!(
        host::auth(&spec("{type: bearer, envVar: TOKEN}"), &|_: &str| Some(" , ".to_owned())).unwrap_err().code,
        "MF0915"
    );
    assert_eq!(host::auth(&spec("{type: oauth2, issuer: 'https://example.com'}"), &none).unwrap_err().code, "MF0916");
}

#[test]
fn connections_are_opened_or_say_why_not() {
    let spec = parse(
        "name: open-server\nconnections:\n  - {name: a, type: postgresql, envVar: A_URL}\n  - {name: b, type: mariadb, envVar: B_URL}\n  \
         - {name: c, type: sqlite, envVar: C_URL}\ntools:\n  - {name: t, description: Asks., connection: a, parameters: {}, sql: SELECT 1 AS one}\n",
    );
    let variable = |name: &str| match name {
        "B_URL" => Some("mysql://me:p%40ssword@localhost/x".to_owned()),
        "C_URL" => Some("postgresql://localhost/x".to_owned()),
        _ => None,
    };
    let codes = |dev: bool| {
        let opened = host::open(&spec, &variable, dev);
        let mut open: Vec<String> = opened.connections.databases.keys().cloned().collect();
        open.sort();
        assert_eq!(open, ["b", "c"]);
        let closed: Vec<(&str, &str)> =
            opened.connections.unavailable.iter().map(|(name, why)| (name.as_str(), why.as_str())).collect();
        assert_eq!(closed, [("a", "environment variable A_URL is not set")]);
        assert_eq!(opened.secrets.iter().map(base::Secret::expose).collect::<Vec<_>>(), ["p%40ssword"]);
        opened.diagnostics.iter().map(|found| (found.code.clone(), found.is_error())).collect::<Vec<_>>()
    };
    assert_eq!(codes(false), [("MF0911".to_owned(), false), ("MF0913".to_owned(), true)]);
    assert_eq!(codes(true), [("MF0911".to_owned(), false), ("MF0913".to_owned(), false)]);
}
