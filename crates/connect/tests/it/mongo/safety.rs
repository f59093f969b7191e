//! What a request that may not write cannot do.

use connect::ErrorKind;
use connect::egress::Policy;
use connect::mongo::{Mongo, Request, Settings, Verb};
use serde_json::json;

use super::world::{request, run, settings};

/// Nothing listens there: what is refused is refused before anything is sent.
fn nobody() -> Mongo {
    Mongo::open(settings("mongodb://127.0.0.1:1/db")).expect("settings that can be used")
}

#[tokio::test]
async fn writing_and_javascript_need_a_writing_request() {
    let javascript = json!({"$function": {"body": "function() {}", "args": [], "lang": "js"}});
    let cases = [
        (Verb::Insert, json!({"document": {}})),
        (Verb::Update, json!({"filter": {"a": 1}, "update": {"$set": {"a": 2}}})),
        (Verb::Delete, json!({"filter": {"a": 1}})),
        (Verb::Aggregate, json!({"pipeline": [{"$out": "users"}]})),
        (Verb::Aggregate, json!({"pipeline": [{"$merge": {"into": "users"}}]})),
        (Verb::Aggregate, json!({"pipeline": [{"$facet": {"a": [{"$out": "users"}]}}]})),
        (Verb::Aggregate, json!({"pipeline": [{"$group": {"_id": 1, "a": {"$accumulator": {}}}}]})),
        (Verb::Aggregate, json!({"pipeline": [{"$addFields": {"a": javascript.clone()}}]})),
        (Verb::Find, json!({"filter": {"$where": "sleep(1000)"}})),
        (Verb::Find, json!({"filter": {"$or": [{"a": 1}, {"$where": "1"}]}})),
        (Verb::Find, json!({"filter": {"$expr": javascript.clone()}})),
        (Verb::Find, json!({"projection": {"a": javascript}})),
        (Verb::Count, json!({"filter": {"$and": [{"$where": "1"}]}})),
        (Verb::Distinct, json!({"field": "a", "filter": {"$where": "1"}})),
    ];
    let mongo = nobody();
    for (verb, options) in cases {
        let refused = run(&mongo, &Request { write: false, ..request(verb, options.clone()) }).await;
        let refused = refused.expect_err("refused");
        assert_eq!(refused.kind, ErrorKind::Denied, "{options}: {refused}");
    }
}

#[test]
fn urls_that_cannot_be_used_are_told_without_their_secrets() {
    for (url, word) in [
        ("mongodb+srv://u:sesame@cluster.example/db", "standard form"),
        ("http://u:sesame@host", "`mongodb://`"),
        ("mongodb://u:sesame@/db", "no host"),
        ("mongodb://u:sesame@host:0/db", "port"),
        ("mongodb://u@host/db", "without a password"),
        ("mongodb://u:sesame@host/db?readPreference=secondary", "not supported"),
        ("mongodb://u:sesame@host/db?w=0", "not supported"),
        ("mongodb://u:sesame@host/db?authMechanism=GSSAPI", "SCRAM-SHA-256"),
        ("mongodb://u:sesame@host/db?proxyHost=x", "not known"),
        ("mongodb://u:sesame@%2Ftmp%2Fmongodb-27017.sock/db", "Unix socket"),
    ] {
        let error = Mongo::open(settings(url)).expect_err("refused");
        assert_eq!(error.kind, ErrorKind::Config, "{url}");
        assert!(error.to_string().contains(word) && !error.to_string().contains("sesame"), "{url}: {error}");
    }
}

#[test]
fn private_addresses_need_the_operator() {
    for host in [
        "127.0.0.1",
        "10.0.0.1:27017",
        "[::1]:27017",
        "localhost",
        "169.254.169.254",
        "db.internal",
        "db1.example,mongo",
    ] {
        let refused = Mongo::open(Settings { policy: Policy::default(), ..settings(&format!("mongodb://{host}/db")) });
        let refused = refused.expect_err("refused");
        assert!(refused.to_string().contains("is refused"), "{host}: {refused}");
    }
}

#[tokio::test]
async fn a_database_must_be_named() {
    let mongo = Mongo::open(settings("mongodb://127.0.0.1:1")).expect("settings that can be used");
    let error = run(&mongo, &request(Verb::Find, json!({}))).await.expect_err("refused");
    assert!(error.to_string().contains("no database is named"), "{error}");
}
