//! Operations checked against a schema, and what is derived from them.

use connect::graphql::{Kind, Limits, Operation, Schema};
use serde_json::{Value, json};

const SCHEMA: &str = r#"
"A day" scalar Date
scalar Odd
scalar Long
enum Status { OPEN PAID }
interface Node { id: ID! }
type User implements Node { id: ID! name: String! friends(first: Int = 3): [User!]! best: User age: Int since: Date odd: Odd tags: [[String]!] }
type Order implements Node { id: ID! total: Float! status: Status! owner: User }
union Found = User | Order
input Line { sku: String! count: Int! = 1 children: [Line!] status: Status }
"A new order" input NewOrder { "Who buys" owner: ID! lines: [Line!]! day: Date odd: Odd long: Long }
input Key @oneOf { id: ID name: String }
type Query { user("Which user" id: ID!): User users(status: [Status!], first: Int! = 10, after: String): [User!]! node(id: ID!): Node find(text: String): [Found!]! by(key: Key!): User }
type Mutation { order(input: NewOrder!): Order! }
type Subscription { ticks: Int }
"#;

fn check(text: &str, name: Option<&str>, limits: Limits) -> Result<Operation, Vec<connect::graphql::Fault>> {
    let schema = Schema::parse(SCHEMA).expect("the schema of the tests");
    Operation::check(&schema, text, name, limits)
}

fn good(text: &str) -> Operation {
    check(text, None, Limits::default()).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

#[test]
fn faults_are_found_before_anything_is_sent() {
    let mut odd = Vec::new();
    for (text, line, expected) in [
        ("{ user(id: 1) { nam } }", 1, "nam"),
        ("{\n  usr(id: 1) { name }\n}", 2, "usr"),
        ("{ user { name } }", 1, "required argument"),
        ("{ user(id: 1, x: 2) { name } }", 1, "argument"),
        ("{ user(id: true) { name } }", 1, "ID"),
        ("query ($a: Int) { user(id: $a) { name } }", 1, "$a"),
        ("query ($a: Nothing) { user(id: $a) { name } }", 1, "Nothing"),
        ("query ($a: User) { user(id: 1) { name } }", 1, "input type"),
        ("query ($a: ID!) { user(id: 1) { name } }", 1, "$a"),
        ("{ user(id: $a) { name } }", 1, "$a"),
        ("{ user(id: 1) }", 1, "subselection"),
        ("{ user(id: 1) { name { x } } }", 1, "subselections"),
        ("{ users(status: SOLD) { id } }", 1, "SOLD"),
        ("{ users(first: 99999999999) { id } }", 1, "32-bit"),
        ("{ node(id: 1) { name } }", 1, "name"),
        ("{ node(id: 1) { ... on Date { x } } }", 1, "Date"),
        ("{ find { ...F } }", 1, "F"),
        ("{ user(id: 1) { ...F } } fragment F on User { best { ...F } }", 0, "levels"),
        ("{ user(id: 1) { name } } fragment F on User { id }", 1, "F"),
        ("{ user(id: 1) { a: name a: id } }", 1, "a"),
        ("{ user(id: 1) { name @skip } }", 1, "skip"),
        ("{ user(id: 1) { name @nothing } }", 1, "nothing"),
        ("mutation { order(input: {owner: 1}) { id } }", 1, "lines"),
        ("mutation { order(input: {owner: 1, lines: [{sku: 5}]}) { id } }", 1, "type String!"),
        ("subscription { ticks }", 0, "subscription"),
        ("query A { users { id } } query B { users { id } }", 0, "several operations, `A`, `B`"),
        ("type A { a: Int } { users { id } }", 0, "defines types"),
        ("fragment F on User { id }", 0, "no operation"),
        ("", 1, ""),
        ("{ users { id }", 1, "R_CURLY"),
        ("not graphql", 1, ""),
    ] {
        let faults = check(text, None, Limits::default()).map(|found| found.text).expect_err(text);
        let told = faults.iter().map(|fault| fault.message.clone()).collect::<Vec<_>>().join(" | ");
        let at = faults[0].line.unwrap_or_default();
        if !told.contains(expected) || at != line || told.contains('\n') {
            odd.push(format!("{text}: {told} (line {at})"));
        }
    }
    assert!(odd.is_empty(), "{odd:#?}");
}

#[test]
fn operations_are_bounded() {
    let deep =
        |levels: usize| format!("{{ user(id: 1) {} id {} }}", "{ best ".repeat(levels) + "{", "}".repeat(levels + 1));
    assert!(check(&deep(12), None, Limits::default()).is_ok());
    assert!(check(&deep(14), None, Limits::default()).is_err());
    assert!(check(&deep(2), None, Limits { depth: 3, fields: 10 }).is_err());
    // Twenty fragments, each used twice by the one before: a million fields from a short text.
    let bomb: String = (0..20)
        .map(|n| {
            format!("fragment F{n} on User {{ a{n}: name ...F{next} b{n}: best {{ ...F{next} }} }} ", next = n + 1)
        })
        .collect();
    let bomb = format!("{{ user(id: 1) {{ ...F0 }} }} {bomb} fragment F20 on User {{ id }}");
    let limits = Limits { depth: 1000, fields: 1000 };
    for outcome in [check(&bomb, None, limits), Operation::parse(&bomb, None, limits)] {
        let faults = outcome.expect_err("too many fields");
        assert!(faults[0].message.contains("more than 1000 fields"), "{faults:?}");
    }
    let wide = |fields: usize| {
        format!("{{ user(id: 1) {{ {} }} }}", (0..fields).map(|n| format!("a{n}: name ")).collect::<String>())
    };
    assert!(check(&wide(900), None, Limits::default()).is_ok());
    assert!(check(&wide(1100), None, Limits::default()).is_err());
    assert!(check(&format!("{{ users {{ id }} }} # {}", "x".repeat(70_000)), None, Limits::default()).is_err());
    let nested = format!("{{ users(status: {}{}) {{ id }} }}", "[".repeat(5000), "]".repeat(5000));
    assert!(check(&nested, None, Limits::default()).is_err());
}

#[test]
fn one_of_several_operations_is_chosen() {
    let text = "query A { users { id } } mutation B { order(input: {owner: 1, lines: []}) { id } }";
    let found = check(text, Some("B"), Limits::default()).unwrap();
    assert_eq!((found.name.as_deref(), found.kind), (Some("B"), Kind::Mutation));
    assert_eq!(check(text, Some("A"), Limits::default()).unwrap().kind, Kind::Query);
    let faults = check(text, Some("C"), Limits::default()).unwrap_err();
    assert!(faults[0].message.contains("no operation `C`, but `A`, `B`"), "{faults:?}");
}

#[test]
fn variables_become_arguments() {
    let found = good(
        "query ($id: ID!, $status: [Status!], $n: Int = 5, $text: String, $key: Key!) {
           user(id: $id) { name } users(status: $status, first: 1, after: $text) { friends(first: $n) { id } } by(key: $key) { id }
         }",
    );
    assert_eq!(
        found.parameters(),
        json!({
            "type": "object",
            "properties": {
                "id": {"type": "string", "description": "Which user"},
                "status": {"type": "array", "items": {"type": "string", "enum": ["OPEN", "PAID"]}},
                "n": {"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX, "default": 5},
                "text": {"type": "string"},
                "key": {
                    "type": "object",
                    "properties": {"id": {"type": ["string", "null"]}, "name": {"type": ["string", "null"]}},
                    "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
                },
            },
            "required": ["id", "key"],
            "additionalProperties": false,
        })
    );
    let found = good("mutation ($input: NewOrder!) { order(input: $input) { id } }");
    let input = &found.variables[0].schema;
    assert_eq!((&input["description"], &input["required"]), (&json!("A new order"), &json!(["owner", "lines"])));
    let of = |name: &str| &input["properties"][name];
    assert_eq!(of("owner"), &json!({"type": "string", "description": "Who buys"}));
    assert_eq!(of("day"), &json!({"type": ["string", "null"], "format": "date", "description": "A day"}));
    assert_eq!((of("odd"), of("long")), (&json!({}), &json!({"type": ["integer", "number", "string", "null"]})));
    let line = &of("lines")["items"];
    assert_eq!(line["required"], json!(["sku"]));
    assert_eq!(line["properties"]["count"]["default"], 1);
    assert_eq!(line["properties"]["status"], json!({"type": ["string", "null"], "enum": ["OPEN", "PAID", null]}));
    // A type within itself is written out once.
    assert_eq!(
        line["properties"]["children"],
        json!({"type": ["array", "null"], "items": {"type": "object", "description": "An object of the type Line"}})
    );
}

#[test]
fn selections_become_output_schemas() {
    let output = |text: &str| good(text).output.expect("a schema");
    assert_eq!(
        output("{ me: user(id: 1) { name age since tags } }"),
        json!({
            "type": "object", "required": ["me"],
            "properties": {"me": {
                "type": ["object", "null"], "required": ["name", "age", "since", "tags"],
                "properties": {
                    "name": {"type": "string"},
                    "age": {"type": ["integer", "null"], "minimum": i32::MIN, "maximum": i32::MAX},
                    "since": {"description": "A day"},
                    "tags": {"type": ["array", "null"], "items": {"type": "array", "items": {"type": ["string", "null"]}}},
                },
            }},
        })
    );
    let found = output(
        "query ($x: Boolean!) { find { __typename ... on Node { id } ... on User { name @include(if: $x) } ...O } } fragment O on Order { total owner { id } owner { name } }",
    );
    let item = &found["properties"]["find"]["items"];
    assert_eq!(item["required"], json!(["__typename"]));
    let keys: Vec<_> = item["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["__typename", "id", "name", "total", "owner"]);
    assert_eq!(item["properties"]["owner"]["required"], json!(["id", "name"]), "selections of one field are merged");
    let found = output("{ user(id: 1) { ... on Node { id } ... on User { name } ... { age } } }");
    assert_eq!(found["properties"]["user"]["required"], json!(["id", "name", "age"]), "a fragment that always applies");
}

#[test]
fn without_a_schema_the_text_alone_is_checked() {
    let found =
        Operation::parse("query Q($a: Any!, $b: X = [{c: 1.5, d: E}]) { f(a: $a, b: $b) }", None, Limits::default())
            .unwrap();
    assert_eq!((found.name.as_deref(), found.kind, found.output), (Some("Q"), Kind::Query, None));
    let variables: Vec<_> =
        found.variables.iter().map(|one| (one.name.as_str(), one.required, one.schema.clone())).collect();
    let default: Value = json!({"default": [{"c": 1.5, "d": "E"}]});
    assert_eq!(variables, [("a", true, json!({})), ("b", false, default)]);
}
