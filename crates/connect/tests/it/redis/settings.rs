//! URLs, logins, TLS, the check of outgoing connections.

use connect::egress::Policy;
use connect::redis::{Command, Redis, Settings};
use connect::{ErrorKind, Tls};
use serde_json::json;

use super::world::{World, one, settings, variable};

#[test]
fn urls_that_cannot_be_used_are_told_without_their_secrets() {
    for (url, word) in [
        ("http://localhost", "`redis`"),
        ("redis://:sesame@/", "host"),
        ("redis://:sesame@localhost/x", "number of a database"),
        ("redis://:sesame@localhost?timeout=1", "`timeout`"),
        ("redis+unix:///run/redis.sock", "Unix sockets"),
        ("redis-sentinel://localhost", "sentinels"),
        ("nonsense", "URL"),
    ] {
        let error = Redis::open(settings(url)).expect_err("refused");
        assert_eq!(error.kind, ErrorKind::Config, "{url}");
        assert!(error.to_string().contains(word) && !error.to_string().contains("sesame"), "{url}: {error}");
    }
}

#[tokio::test]
async fn private_addresses_need_the_operator() {
    for host in ["127.0.0.1", "10.0.0.1", "[::1]", "localhost", "169.254.169.254", "cache.internal", "redis"] {
        let settings = Settings { policy: Policy::default(), ..settings(&format!("redis://{host}:6379")) };
        let error = Redis::open(settings).expect_err("refused");
        assert!(error.to_string().contains("is refused"), "{host}: {error}");
    }
    let mut named = Settings { policy: Policy::default(), ..settings("redis://cache.example:6379") };
    named.resolver = std::sync::Arc::new(|_| Box::pin(async { Ok(vec!["127.0.0.1".parse().expect("an address")]) }));
    let error = one(&Redis::open(named).expect("a name"), Command::new(["PING"])).await.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
    assert!(error.message.contains("loopback"), "{error}");
}

#[tokio::test]
async fn users_log_in_and_wrong_passwords_are_told() {
    let Some(world) = World::new("redis: login") else { return };
    let user = format!("u{}", std::process::id());
    let keys = format!("~{}*", world.prefix);
    world.must(&["ACL", "SETUSER", &user, "on", ">p@ss word", &keys, "+get", "+hello"]).await;
    let server = url::Url::parse(&world.url).expect("a URL");
    let at = |password: &str| {
        let mut url = server.clone();
        url.set_username(&user).expect("a user");
        url.set_password(Some(password)).expect("a password");
        Redis::open(settings(url.as_str())).expect("settings that can be used")
    };
    let redis = at("p@ss word");
    let get = one(&redis, world.command(&["GET", "@x"])).await;
    assert_eq!(get.expect("allowed"), json!(null));
    let denied = one(&redis, world.command(&["SET", "@x", "1"])).await.expect_err("not allowed");
    assert_eq!((denied.kind, denied.code.as_deref()), (ErrorKind::Denied, Some("NOPERM")), "{denied}");
    let wrong = one(&at("sesame-street"), world.command(&["GET", "@x"])).await.expect_err("no login");
    assert_eq!((wrong.kind, wrong.code.as_deref()), (ErrorKind::Unreachable, Some("WRONGPASS")), "{wrong}");
    assert!(!wrong.to_string().contains("sesame"), "{wrong}");
    world.must(&["ACL", "DELUSER", &user]).await;
}

#[tokio::test]
async fn the_database_of_the_url_is_used() {
    let Some(world) = World::new("redis: database") else { return };
    let redis = Redis::open(settings(&format!("{}/1", world.url))).expect("settings that can be used");
    let key = format!("{}only-in-1", world.prefix);
    one(&redis, Command::new(["SET", &key, "1", "EX", "60"])).await.expect("it is set");
    assert_eq!(world.must(&["EXISTS", "@only-in-1"]).await, json!(0));
    let redis = Redis::open(settings(&format!("{}/99999", world.url))).expect("settings that can be used");
    let wrong = one(&redis, Command::new(["PING"])).await.expect_err("no such database");
    assert_eq!(wrong.kind, ErrorKind::Config, "{wrong}");
}

#[tokio::test]
async fn certificates_are_checked() {
    let Some(url) = variable("redis: TLS", "MCP_FACTORY_TEST_REDIS_TLS") else { return };
    let Some(authority) = variable("redis: TLS", "MCP_FACTORY_TEST_CA") else { return };
    let trusted = Settings { ca_file: Some(authority.into()), ..settings(&url) };
    let ping = async |settings| one(&Redis::open(settings).expect("settings"), Command::new(["PING"])).await;
    assert_eq!(ping(trusted.clone()).await.expect("an answer"), json!("PONG"));
    let unknown = ping(settings(&url)).await.expect_err("an unknown authority");
    assert_eq!(unknown.kind, ErrorKind::Unreachable);
    assert!(unknown.message.contains("certificate"), "{unknown}");
    let lax = Settings { tls: Some(Tls::Require), ..settings(&url) };
    assert_eq!(ping(lax).await.expect("an answer"), json!("PONG"));
    let plain = settings(&url.replace("rediss:", "redis:"));
    let error = ping(plain).await.expect_err("the port speaks TLS");
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
}
