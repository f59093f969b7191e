//! What is found, how well it is ranked, and that what comes and goes leaves no trace.

use std::time::{Duration, Instant};

use base::Digest;
use serde_json::{Value, json};
use store::{Format, Release, Store};

use super::Index;
use super::capability::Capability;

fn put(store: &Store, spec: &Value) {
    let spec: spec::Spec = serde_json::from_value(spec.clone()).unwrap();
    let canonical = spec.canonical_json();
    let release = Release {
        name: spec.name.clone(),
        version: spec.version.clone(),
        digest: Digest::of(canonical.as_bytes()),
        title: spec.title.clone(),
        description: spec.description.clone(),
        transport: "stdio".to_owned(),
        tools: spec.tools.len(),
        source: String::new(),
        format: Format::Json,
        canonical,
        plan: String::new(),
        dev: false,
        template: None,
    };
    store.put(&release, true).unwrap();
}

fn tool(name: &str, description: &str, parameters: &[(&str, &str)]) -> Value {
    let parameters: Vec<Value> =
        parameters.iter().map(|(name, kind)| json!({"name": name, "schema": {"type": kind}})).collect();
    json!({"name": name, "description": description, "parameters": parameters, "reply": {"text": "x"}})
}

fn server(name: &str, tools: &[Value]) -> Value {
    json!({"name": name, "version": "1.0.0", "tools": tools})
}

fn found(index: &Index, store: &Store, question: &str) -> Vec<String> {
    index.refresh(store).unwrap();
    let (hits, _) = index.find(question, |_: &Capability| true, |_| true, 10);
    hits.into_iter().map(|hit| format!("{} {} {:.4}", hit.capability.server, hit.capability.name, hit.score)).collect()
}

fn names(index: &Index, store: &Store, question: &str) -> Vec<String> {
    let all = found(index, store, question);
    all.into_iter().map(|text| text.split(' ').nth(1).unwrap().to_owned()).collect()
}

fn shops() -> Vec<Value> {
    vec![
        server(
            "shop",
            &[
                tool(
                    "search_products",
                    "Searches the products of the shop",
                    &[("query", "string"), ("limit", "integer")],
                ),
                tool("get_product", "Gives one product by its number", &[("id", "integer")]),
                tool("delete_order", "Removes an order", &[("id", "integer")]),
            ],
        ),
        server("library", &[tool("find_books", "Looks for books by title", &[("title", "string")])]),
        server("mail", &[tool("sendMail", "Sends a letter", &[("to", "string"), ("body", "string")])]),
    ]
}

#[test]
fn questions_find_what_fits_best() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    shops().iter().for_each(|shop| put(&store, shop));
    let index = Index::default();
    let first = |question: &str| names(&index, &store, question).first().cloned();
    let cases = [
        ("who can search products", Some("search_products")),
        ("product", Some("get_product")),
        ("send mails", Some("sendMail")),
        ("books", Some("find_books")),
        ("orders", Some("delete_order")),
        ("serch", Some("search_products")),
        ("prod", Some("get_product")),
        ("body", Some("sendMail")),
        ("zzzzzzzz", None),
    ];
    for (question, wanted) in cases {
        assert_eq!(first(question).as_deref(), wanted, "{question}: {:?}", found(&index, &store, question));
    }
    assert_eq!(names(&index, &store, "the").len(), 5, "a question without words is none");
}

#[test]
fn what_comes_and_goes_leaves_the_ranking_of_a_new_index() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let index = Index::default();
    for round in 0..5 {
        shops().iter().for_each(|shop| put(&store, shop));
        let many: Vec<Value> = (0..250).map(|n| tool(&format!("search_{n}"), "Searches products", &[])).collect();
        put(&store, &server("many", &many));
        assert!(found(&index, &store, "search products").len() == 10, "round {round}");
        store.remove("many").unwrap();
        put(&store, &server("mail", &[tool("send_letter", &format!("Sends {round}"), &[])]));
        let fresh = Index::default();
        for question in ["who can search products", "send", "mail letter", "number"] {
            assert_eq!(found(&index, &store, question), found(&fresh, &store, question), "{question} in round {round}");
        }
    }
}

#[test]
fn what_somebody_does_not_see_plays_no_part() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let index = Index::default();
    shops().iter().for_each(|shop| put(&store, shop));
    let questions = ["who can search products", "product order", "prod", "serch", "the letter of a title", "number"];
    let seen = |question: &str| {
        index.refresh(&store).unwrap();
        let (hits, total) = index.find(question, |one| !one.server.starts_with("hidden"), |_| true, 10);
        let told = hits.into_iter().map(|hit| (hit.capability.name, hit.score.to_bits(), hit.matched));
        (total, told.collect::<Vec<_>>())
    };
    let before = questions.map(seen);
    // Words that would be rare, frequent, the beginning of others, or spelled alike.
    let tools: Vec<Value> = (0..200)
        .map(|n| {
            tool(
                &format!("product_{n}"),
                "A long text of prod and serch for the number of letters",
                &[("order", "string")],
            )
        })
        .collect();
    put(&store, &server("hidden-one", &tools));
    assert_eq!(questions.map(seen), before);
}

#[test]
fn ten_thousand_tools_are_searched_in_a_moment() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    const THINGS: [&str; 10] =
        ["product", "order", "customer", "invoice", "ticket", "book", "issue", "message", "file", "event"];
    const VERBS: [&str; 10] =
        ["search", "create", "delete", "update", "list", "count", "export", "import", "approve", "archive"];
    for number in 0..100 {
        let tools: Vec<Value> = (0..100)
            .map(|n| {
                let (verb, thing) = (VERBS[n % 10], THINGS[n / 10]);
                tool(&format!("{verb}_{thing}"), &format!("{verb}s {thing}s of area {number}"), &[("id", "integer")])
            })
            .collect();
        put(&store, &server(&format!("server-{number:03}"), &tools));
    }
    let index = Index::default();
    index.refresh(&store).unwrap();
    let fastest = (0..10)
        .map(|_| {
            let start = Instant::now();
            let (hits, total) = index.find("who can search products", |_: &Capability| true, |_| true, 20);
            assert_eq!((hits[0].capability.name.as_str(), hits.len(), total), ("search_product", 20, 1_900));
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    // An unoptimized build on a busy machine; `cargo xtask bench search` holds the release build to less.
    assert!(fastest < Duration::from_millis(150), "{fastest:?}");
}
