//! Tools on GraphQL APIs and gRPC services, against real servers: derived parameters and outputs, faults at create time, calls, scripts.

use base::Diagnostic;
use engine::{CallContext, Content, FailureKind, Outcome, Toolset};
use parking_lot::Mutex;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{parse, skipped};

const GRAPHQL: &str = "MCP_FACTORY_TEST_GRAPHQL";
const GRPC: &str = "MCP_FACTORY_TEST_GRPC";
const TOKEN: &str = "t0p-s3cr3t-token";

/// The servers' variables, or nothing with a word about it.
fn server(test: &str, variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok();
    if url.is_none() {
        skipped(test, &format!("{variable} is not set"));
    }
    url
}

/// Makes the server of a spec whose connection reads its URL from `URL`.
async fn make(spec: &str, url: &str) -> (Result<Toolset, Vec<Diagnostic>>, Vec<Diagnostic>) {
    let spec = parse(spec);
    let lookup = |name: &str| match name {
        "URL" => Some(url.to_owned()),
        "TOKEN" => Some(TOKEN.to_owned()),
        _ => None,
    };
    let opened = host::open(&spec, &lookup, false);
    let mut found = opened.diagnostics.clone();
    let (plan, planned) = host::make_plan(&spec, &opened.connections, None).await;
    found.extend(planned);
    if found.iter().any(Diagnostic::is_error) {
        return (Err(found.clone()), found);
    }
    let toolset = host::toolset(&spec, &plan, opened);
    if let Ok(toolset) = &toolset {
        assert!(toolset.check().is_empty(), "{:#?}", toolset.check());
    }
    (toolset, found)
}

async fn call(toolset: &Toolset, tool: &str, arguments: &Value) -> Outcome {
    let cancel = CancellationToken::new();
    let raw = RawValue::from_string(arguments.to_string()).unwrap();
    toolset.call(&CallContext::new(&cancel), tool, Some(&raw)).await.unwrap()
}

fn result(outcome: &Outcome) -> Value {
    assert!(outcome.failure.is_none(), "{outcome:?}");
    serde_json::from_slice(outcome.structured.as_ref().unwrap()).unwrap()
}

fn schema(bytes: &bytes::Bytes) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

const GRAPHQL_SPEC: &str = r#"
name: shop-server
connections:
  - {name: shop, type: graphql, envVar: URL, credentials: {type: bearer, token: "${env:TOKEN}"}}
tools:
  - name: get_order
    graphql: "query ($id: ID!) { order(id: $id) { id total status tags } }"
  - name: paid
    parameters: {most: {type: integer, default: 5}}
    graphql:
      operation: "query ($status: [Status!], $n: Int!) { orders(filter: {status: $status}, first: $n) { id } }"
      variables: {status: [PAID], n: "{{ args.most }}"}
      select: $.orders[*].id
  - name: risks
    graphql: "{ orders { id risk } }"
  - name: place
    graphql: "mutation ($input: PlaceOrder!) { placeOrder(input: $input) { total note status } }"
  - name: fail
    graphql: "query ($code: String!) { failAll(code: $code) }"
  - name: echo
    graphql: "{ echo }"
  - name: both
    parameters: {id: {type: string, required: true}}
    script: |
      export default async ({id}, {shop}) => {
        const [one, whole] = await Promise.all([
          shop.query('query ($id: ID!) { order(id: $id) { total } }', {id}),
          shop.request('{ orders { risk } }'),
        ]);
        let refused = null;
        try { await shop.query('mutation { clear }') } catch (error) { refused = error.code }
        return {total: one.order.total, problems: whole.problems.length, refused};
      }
"#;

#[tokio::test]
async fn graphql_tools_run() {
    let Some(url) = server("host graphql_tools_run", GRAPHQL) else { return };
    let (toolset, found) = make(GRAPHQL_SPEC, &format!("{url}/graphql")).await;
    assert!(found.is_empty(), "{found:#?}");
    let toolset = toolset.unwrap();
    let info = toolset.tool("get_order").unwrap().info();
    let input = schema(&info.input_schema);
    assert_eq!(input["properties"]["id"], json!({"type": "string", "description": "Which order"}));
    assert_eq!(input["required"], json!(["id"]));
    let output = schema(info.output_schema.as_ref().unwrap());
    assert_eq!(output["properties"]["order"]["required"], json!(["id", "total", "status", "tags"]));
    assert_eq!(info.annotations.read_only_hint, Some(true));
    assert_eq!(toolset.tool("place").unwrap().info().annotations.read_only_hint, Some(false));
    let order = json!({"order": {"id": "1", "total": 100, "status": "OPEN", "tags": ["new"]}});
    assert_eq!(result(&call(&toolset, "get_order", &json!({"id": "1"})).await), order);
    assert_eq!(result(&call(&toolset, "get_order", &json!({"id": "77"})).await), json!({"order": null}));
    assert_eq!(result(&call(&toolset, "paid", &json!({})).await), json!(["2"]));
    let place = json!({"input": {"customer": "c1", "lines": [{"sku": "a", "count": 2}]}});
    assert_eq!(result(&call(&toolset, "place", &place).await)["placeOrder"]["total"], 2);
    let wrong = call(&toolset, "place", &json!({"input": {"customer": "c1"}})).await.failure.unwrap();
    assert_eq!(wrong.kind, FailureKind::Arguments, "the derived schema is checked: {wrong:?}");
    let partial = call(&toolset, "risks", &json!({})).await;
    assert_eq!(result(&partial)["orders"][1], json!({"id": "2", "risk": null}));
    let Some(Content::Text(note)) = partial.content.first() else { panic!("{partial:?}") };
    assert!(note.contains("NO_RISK, at `orders.1.risk`"), "{note}");
    let failed = call(&toolset, "fail", &json!({"code": "FORBIDDEN"})).await.failure.unwrap();
    assert_eq!(failed.kind, FailureKind::Denied, "{failed:?}");
    assert!(failed.text.contains("It fails with FORBIDDEN"), "{failed:?}");
    let both = result(&call(&toolset, "both", &json!({"id": "3"})).await);
    assert_eq!(both, json!({"total": 300, "problems": 1, "refused": "denied"}));
    let echo = result(&call(&toolset, "echo", &json!({})).await).to_string();
    let told = call(&toolset, "fail", &json!({"code": TOKEN})).await;
    assert!(echo.contains("Bearer ***") && !format!("{echo} {told:?}").contains(TOKEN), "{echo} {told:?}");
}

#[tokio::test]
async fn operations_that_do_not_fit_are_refused_at_create_time() {
    let Some(url) = server("host operations_that_do_not_fit_are_refused_at_create_time", GRAPHQL) else { return };
    let spec = |tool: &str| {
        format!("name: a\nconnections: [{{name: shop, type: graphql, envVar: URL}}]\ntools: [{{name: t, {tool}}}]\n")
    };
    for (tool, part) in [
        ("graphql: '{ order(id: 1) { nothing } }'", "nothing"),
        ("graphql: 'query ($a: Int!) { order(id: $a) { id } }'", "line 1, column"),
        ("graphql: {operation: '{ orders { id } }', variables: {x: 1}}", "no variable `$x`"),
        ("parameters: {}, graphql: 'query ($id: ID!) { order(id: $id) { id } }'", "`$id` needs a value"),
    ] {
        let (_, found) = make(&spec(tool), &format!("{url}/graphql")).await;
        assert!(found.iter().any(|one| one.code == "MF0918" && one.message.contains(part)), "{tool}: {found:#?}");
    }
    // An API that keeps its schema to itself is a warning, and the tool runs.
    let (toolset, found) = make(&spec("graphql: '{ orders { id } }'"), &format!("{url}/closed")).await;
    assert!(found.iter().all(|one| one.code == "MF0919") && found.len() == 1, "{found:#?}");
    assert_eq!(result(&call(&toolset.unwrap(), "t", &json!({})).await)["orders"].as_array().map(Vec::len), Some(3));
    // A schema that the spec gives is used instead, whatever the API says.
    let given = "name: a\nconnections: [{name: shop, type: graphql, envVar: URL, schema: 'type Query { a: Int }'}]\ntools: [{name: t, graphql: '{ orders { id } }'}]\n";
    let (_, found) = make(given, &format!("{url}/graphql")).await;
    assert!(found.iter().any(|one| one.code == "MF0918" && one.message.contains("orders")), "{found:#?}");
}

const GRPC_SPEC: &str = r#"
name: shop-server
connections:
  - {name: shop, type: grpc, envVar: URL, headers: {x-tenant: t1}, credentials: {type: bearer, token: "${env:TOKEN}"}}
tools:
  - name: get_order
    grpc: {method: GetOrder, write: false}
  - name: list_orders
    parameters: {most: {type: integer, default: 3}}
    grpc: {method: Orders/ListOrders, message: {first: "{{ args.most }}"}, select: "$[*].id", write: false}
  - name: stream
    grpc: ListOrders
  - name: seen
    parameters: {who: {type: string}}
    grpc: {method: Metadata, message: {}, metadata: {x-who: "{{ args.who }}"}}
  - name: both
    parameters: {}
    script:
      write: true
      code: |
        export default async (args, {shop}) => {
          const order = await shop.call('GetOrder', {id: '4'});
          const all = await shop.call('ListOrders', {first: 2});
          let missing = null;
          try { await shop.call('GetOrder', {id: 'x'}) } catch (error) { missing = error.message.includes('No order') }
          return {total: order.totalCents, count: all.length, missing};
        }
"#;

#[tokio::test]
async fn grpc_tools_run() {
    let Some(url) = server("host grpc_tools_run", GRPC) else { return };
    let (toolset, found) = make(GRPC_SPEC, &url).await;
    assert!(found.is_empty(), "{found:#?}");
    let toolset = toolset.unwrap();
    let info = toolset.tool("get_order").unwrap().info();
    assert_eq!(schema(&info.input_schema)["properties"]["id"]["type"], "string");
    assert_eq!(info.annotations.read_only_hint, Some(true));
    let order = result(&call(&toolset, "get_order", &json!({"id": "7"})).await);
    assert_eq!((&order["totalCents"], &order["status"]), (&json!("700"), &json!("STATUS_PAID")));
    let missing = call(&toolset, "get_order", &json!({"id": "x"})).await.failure.unwrap();
    assert_eq!(missing.kind, FailureKind::NotFound, "{missing:?}");
    assert!(missing.text.contains("No order 'x'") && missing.text.contains("NOT_FOUND"), "{missing:?}");
    assert_eq!(result(&call(&toolset, "list_orders", &json!({})).await), json!(["1", "2", "3"]));
    let told = Mutex::new(Vec::new());
    let progress = |done: f64, _: Option<f64>, text: &str| told.lock().push((done, text.to_owned()));
    let cancel = CancellationToken::new();
    let context = CallContext::new(&cancel).progress(&progress);
    let raw = RawValue::from_string(json!({"first": 3}).to_string()).unwrap();
    let outcome = toolset.call(&context, "stream", Some(&raw)).await.unwrap();
    assert_eq!(result(&outcome).as_array().map(Vec::len), Some(3));
    let told = std::mem::take(&mut *told.lock());
    assert_eq!(told.iter().map(|(done, _)| *done).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    assert!(told[1].1.contains("\"id\":\"2\""), "{told:?}");
    let seen = result(&call(&toolset, "seen", &json!({"who": "ann"})).await);
    assert_eq!(
        (&seen["x-tenant"], &seen["x-who"], &seen["authorization"]),
        (&json!("t1"), &json!("ann"), &json!("Bearer ***"))
    );
    let both = result(&call(&toolset, "both", &json!({})).await);
    assert_eq!(both, json!({"total": "400", "count": 2, "missing": true}));
}

#[tokio::test]
async fn methods_that_are_not_there_are_refused_at_create_time() {
    let Some(url) = server("host methods_that_are_not_there_are_refused_at_create_time", GRPC) else { return };
    let spec = |tool: &str| {
        format!("name: a\nconnections: [{{name: shop, type: grpc, envVar: URL}}]\ntools: [{{name: t, {tool}}}]\n")
    };
    for (tool, part) in [
        ("grpc: GetOrders", "no method `GetOrders`; there are `shop.v1.Orders/GetOrder`"),
        ("grpc: Upload", "takes a stream"),
        ("parameters: {order: {type: string}}, grpc: GetOrder", "no field `order`"),
    ] {
        let (_, found) = make(&spec(tool), &url).await;
        assert!(found.iter().any(|one| one.code == "MF0918" && one.message.contains(part)), "{tool}: {found:#?}");
    }
    let proto = r#"syntax = \"proto3\"; package shop.v1; service Orders { rpc GetOrder(A) returns (B); } message A { string id = 1; } message B { string id = 1; int64 total_cents = 2; }"#;
    let given = format!(
        "name: a\nconnections: [{{name: shop, type: grpc, envVar: URL, schema: \"{proto}\"}}]\ntools: [{{name: t, grpc: GetOrder}}]\n"
    );
    let (toolset, found) = make(&given, &url).await;
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(
        result(&call(&toolset.unwrap(), "t", &json!({"id": "2"})).await),
        json!({"id": "2", "totalCents": "200"})
    );
}
