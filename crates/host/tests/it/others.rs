//! Tools of other MCP servers: our own in both eras, and the official reference server.

use std::path::Path;
use std::sync::Arc;

use engine::FailureKind;
use host::Hosted;
use protocol::http::{Router, ServeOptions, serve};
use protocol::{Endpoint, Runtime, RuntimeOptions};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Place, Variables, World, parse, skipped};

const OTHER: &str = "
name: other-server
tools:
  - name: add
    description: Adds.
    parameters: {a: {type: integer, required: true}, b: {type: integer, default: 1}}
    returns: {type: object, properties: {sum: {type: integer}}}
    reply: {json: {sum: '{{ args.a + args.b }}'}, content: ['the sum is {{ args.a + args.b }}']}
  - name: fails
    parameters: {}
    script: 'export default () => { throw new Error(`no such table: nowhere`); }'
  - name: echo_secret
    parameters: {text: {type: string, required: true}}
    reply: '{{ args.text }}'
";

/// Serves the other server; gives its address.
async fn other() -> (String, World, CancellationToken) {
    let world = World::new(Place::sqlite(), OTHER, &[], Variables::new()).await;
    let hosted = Arc::new(Hosted::new(Arc::clone(&world.toolset)));
    let runtime = Runtime::new(RuntimeOptions::default()).unwrap();
    let endpoint = Endpoint::new(hosted, runtime);
    let router = Router::new().mcp("/mcp", Arc::clone(&endpoint)).legacy("/sse", "/messages", endpoint);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    tokio::spawn(serve(listener, Arc::new(router), ServeOptions::default(), stop.clone()));
    (origin, world, stop)
}

fn proxy(settings: &str) -> String {
    format!(
        "
name: proxy
connections: [{{name: other, type: mcp, envVar: OTHER_URL{settings}, credentials: {{type: bearer, token: '${{env:TOKEN}}'}}}}]
tools:
  - {{name: add, call: add}}
  - {{name: sum_only, parameters: {{}}, call: {{tool: add, arguments: {{a: 4}}, select: $.sum}}}}
  - {{name: fails, parameters: {{}}, call: fails}}
  - {{name: echo_secret, call: echo_secret}}
  - name: chain
    parameters: {{}}
    steps:
      - {{name: one, call: {{tool: add, arguments: {{a: 1}}}}, connection: other}}
      - {{name: two, call: {{tool: add, arguments: {{a: '{{{{ steps.one.sum }}}}', b: 10}}}}, connection: other}}
  - name: scripted
    parameters: {{}}
    script: \"export default async (args, {{ other }}) => (await other.call('add', {{ a: 20 }})).sum\"
"
    )
}

fn structured(outcome: &engine::Outcome) -> Value {
    assert!(!outcome.is_error(), "{}", outcome.text());
    serde_json::from_slice(outcome.structured.as_ref().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_server_in_both_eras_and_on_every_transport_of_http() {
    let (origin, _world, stop) = other().await;
    let ways = [
        ("/mcp", ""),
        ("/mcp", ", protocol: stateless"),
        ("/mcp", ", protocol: initialize, transport: streamable"),
        ("/sse", ", transport: sse"),
        ("/sse", ""),
    ];
    for (path, settings) in ways {
        let variables = Variables::from(
            [("OTHER_URL", format!("{origin}{path}")), ("TOKEN", "a-secret-token".to_owned())]
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let world = World::new(Place::sqlite(), &proxy(settings), &[], variables).await;
        assert!(world.warnings.is_empty(), "{path}{settings}: {:?}", world.warnings);
        let info = world.toolset.tool("add").unwrap().info();
        assert!(std::str::from_utf8(&info.input_schema).unwrap().contains("\"required\":[\"a\"]"), "{info:?}");
        assert!(info.output_schema.is_some() && info.annotations.read_only_hint == Some(true));
        let outcome = world.call("add", r#"{"a":2}"#).await;
        assert_eq!(structured(&outcome), json!({"sum": 3}), "{path}{settings}");
        assert_eq!(outcome.content[0].text(), "the sum is 3");
        assert_eq!(structured(&world.call("sum_only", "{}").await), json!(5));
        assert_eq!(structured(&world.call("chain", "{}").await), json!({"sum": 12}));
        assert_eq!(structured(&world.call("scripted", "{}").await), json!(21));
        let failure = world.call("fails", "{}").await;
        assert_eq!(failure.failure.as_ref().unwrap().kind, FailureKind::Upstream, "{}", failure.text());
        assert!(failure.text().contains("no such table"), "{}", failure.text());
        let echoed = world.call("echo_secret", r#"{"text":"it is a-secret-token"}"#).await;
        assert_eq!(echoed.text(), "it is ***");
    }
    stop.cancel();
}

async fn planned(spec: &str, variables: Variables) -> Vec<String> {
    let spec = parse(spec);
    let opened = host::open(&spec, &|name: &str| variables.get(name).cloned(), true);
    let (_, found) = host::make_plan(&spec, &opened.connections, None).await;
    found.into_iter().chain(opened.diagnostics).map(|found| format!("{}: {}", found.code, found.message)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_do_not_fit_are_found_when_the_server_is_made() {
    let (origin, _world, stop) = other().await;
    let spec = |call: &str| {
        format!(
            "name: proxy\nconnections: [{{name: other, type: mcp, envVar: OTHER_URL}}]\ntools: [{{name: t, connection: other, parameters: {{}}, call: {call}}}]\n"
        )
    };
    let variables = || Variables::from([("OTHER_URL".to_owned(), format!("{origin}/mcp"))]);
    for (call, wanted) in [
        ("ad", "did you mean `add`?"),
        ("{tool: add, arguments: {a: 1, c: 2}}", "it takes no argument `c`"),
        ("{tool: add, arguments: {b: 2}}", "it needs the argument `a`"),
    ] {
        let found = planned(&spec(call), variables()).await;
        assert!(found.len() == 1 && found[0].starts_with("MF0925") && found[0].contains(wanted), "{call}: {found:?}");
    }
    assert!(planned(&spec("{tool: add, arguments: {a: 1}}"), variables()).await.is_empty());
    stop.cancel();
    let away = Variables::from([("OTHER_URL".to_owned(), "http://127.0.0.1:9/mcp".to_owned())]);
    let found = planned(&spec("add"), away).await;
    assert!(found.len() == 1 && found[0].starts_with("MF0926"), "{found:?}");
}

const REFERENCE: &str = "
name: reference
connections: [{name: everything, type: mcp, command: {program: node, args: ['${env:SERVER}', stdio]}}]
tools:
  - {name: echo, call: echo}
  - {name: picture, call: get-tiny-image}
  - {name: weather, call: get-structured-content}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_server_over_standard_streams() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/services/mcp/node_modules/@modelcontextprotocol/server-everything/dist/index.js");
    if !file.is_file() {
        return skipped(
            "the_reference_server_over_standard_streams",
            "the reference servers are not installed: cargo xtask setup --only node",
        );
    }
    let variables = |allowed: &str| {
        Variables::from(
            [
                ("SERVER", file.display().to_string()),
                ("PATH", std::env::var("PATH").unwrap()),
                (host::ALLOW_COMMANDS, allowed.to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        )
    };
    let world = World::new(Place::sqlite(), REFERENCE, &[], variables("node")).await;
    assert!(world.warnings.is_empty(), "{:?}", world.warnings);
    assert_eq!(world.call("echo", r#"{"message":"hi"}"#).await.text(), "Echo: hi");
    assert_eq!(world.call("echo", "{}").await.failure.unwrap().kind, FailureKind::Arguments);
    let picture = world.call("picture", "{}").await;
    assert!(picture.content.iter().any(|content| matches!(content, engine::Content::Image { .. })));
    assert!(structured(&world.call("weather", r#"{"location":"New York"}"#).await)["temperature"].is_number());
    let world = World::new(Place::sqlite(), REFERENCE, &[], variables("npx")).await;
    assert!(world.warnings.iter().any(|warning| warning.starts_with("MF0924")), "{:?}", world.warnings);
    assert_eq!(world.call("echo", "{}").await.failure.unwrap().kind, FailureKind::Unavailable);
}
