//! Schemas: told by an API, or given as text.

use connect::ErrorKind;
use connect::graphql::{Client, Schema};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::requests::{client, settings, soon};

#[tokio::test]
async fn an_api_tells_its_schema() {
    let mut texts = Vec::new();
    for path in ["graphql", "old"] {
        let Some(client) = client("graphql an_api_tells_its_schema", path) else { return };
        let schema = client.introspect(soon(), &CancellationToken::new()).await.unwrap();
        let text = schema.text();
        for part in [
            "type Order implements Node",
            "interface Node",
            "union Found = Order | Customer",
            "first: Int! = 10",
            "status: Status = OPEN",
            "SENT @deprecated(reason: \"Use \\\"OPEN\\\"\")",
            "directive @audit(reason: String = \"none\") on FIELD_DEFINITION",
            "children: [LineInput!]",
            "A moment, as RFC 3339 has it",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert_eq!(Schema::parse(&text).unwrap().text(), text, "what is written can be read");
        texts.push(text);
    }
    assert!(texts[0].contains("input Key @oneOf") && texts[1].contains("input Key {"), "older servers know less");
}

#[tokio::test]
async fn an_api_may_keep_its_schema_to_itself() {
    let Some(client) = client("graphql an_api_may_keep_its_schema_to_itself", "closed") else { return };
    let error = client.introspect(soon(), &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Other);
    assert!(error.to_string().contains("does not tell its schema") && error.to_string().contains("file"), "{error}");
    let Some(settings) = settings("graphql an_api_may_keep_its_schema_to_itself", "nothing") else { return };
    let error = Client::open(settings).unwrap().introspect(soon(), &CancellationToken::new()).await.unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
}

#[test]
fn faults_of_schemas_are_told_with_their_line() {
    for (text, expected) in [
        ("type Query {\n  a: Nothing\n}", "line 2: cannot find type `Nothing`"),
        ("type Query {\n", "line"),
        ("type A { a: Int }", "query"),
        ("", "line 1: syntax error"),
        ("type Query { a: Int }\ntype Query { b: Int }", "defined multiple times"),
        (&format!("type Query {{ a: {}Int{} }}", "[".repeat(500), "]".repeat(500)), "limit"),
    ] {
        let why = Schema::parse(text).map(drop).unwrap_err();
        assert!(why.contains(expected), "{text}: {why}");
    }
    assert!(Schema::parse(&" ".repeat(33 << 20)).is_err());
}

#[test]
fn what_an_api_says_of_itself_is_not_trusted() {
    let query = json!({"kind": "OBJECT", "name": "Query", "fields": [
        {"name": "a", "args": [], "type": {"kind": "SCALAR", "name": "Int"}}]});
    let schema =
        |types: serde_json::Value| Schema::from_introspection(&json!({"queryType": {"name": "Query"}, "types": types}));
    assert!(schema(json!([query])).is_ok());
    let mut wrapped = json!({"kind": "SCALAR", "name": "Int"});
    for _ in 0..50 {
        wrapped = json!({"kind": "LIST", "ofType": wrapped});
    }
    for odd in [
        json!({"kind": "SCALAR", "name": "A }\ntype B"}),
        json!({"kind": "SCALAR", "name": ""}),
        json!({"kind": "SCALAR"}),
        json!({"kind": "NOTHING", "name": "A"}),
        json!({"kind": "OBJECT", "name": "A", "fields": [{"name": "a", "args": [], "type": wrapped}]}),
        json!({"kind": "INPUT_OBJECT", "name": "A", "inputFields": [
            {"name": "a", "type": {"kind": "SCALAR", "name": "Int"}, "defaultValue": "1 } type B {"}]}),
        json!("x"),
    ] {
        assert!(schema(json!([query, odd])).is_err(), "{odd}");
    }
    for nothing in [json!(null), json!([]), json!({"types": 5})] {
        assert!(Schema::from_introspection(&nothing).is_err(), "{nothing}");
    }
}
