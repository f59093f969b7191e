//! Questions of other MCP servers, passed on to the person behind the caller: each era to each era.

use std::sync::Arc;

use host::Hosted;
use protocol::http::{Router, ServeOptions, serve};
use protocol::{Endpoint, Runtime, RuntimeOptions};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::asking::{ERAS, Peer, accept, play, text};
use crate::world::{Place, Variables, World};

const OTHER: &str = "
name: other-server
tools:
  - name: refund
    parameters:
      order: {type: string, required: true}
      amount: {type: integer, required: true, minimum: 1}
    ask: {fields: [amount], message: 'How much of {{ args.order }}?', confirm: 'Refund {{ args.amount }}?', when: args.amount > 100}
    reply: '{{ args.order }}: {{ args.amount }}'
";

const MIDDLE: &str = "
tools:
  - name: refund
    parameters: {order: {type: string, required: true}}
    call: {tool: refund, arguments: {order: '{{ args.order }}'}}
    connection: other
  - name: scripted
    parameters: {}
    script: {write: true, code: \"export default async (args, { other }) => other.call('refund', { order: 'S' })\"}
";

struct Other {
    origin: String,
    _world: World,
    stop: CancellationToken,
}

impl Other {
    async fn start() -> Self {
        let world = World::new(Place::sqlite(), OTHER, &[], Variables::new()).await;
        let hosted = Arc::new(Hosted::new(Arc::clone(&world.toolset)));
        let endpoint = Endpoint::new(hosted, Runtime::new(RuntimeOptions::default()).unwrap());
        let router = Router::new().mcp("/mcp", Arc::clone(&endpoint)).legacy("/sse", "/messages", endpoint);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, Arc::new(router), ServeOptions::default(), stop.clone()));
        Self { origin, _world: world, stop }
    }

    /// A server that calls this one in some way.
    async fn middle(&self, path: &str, settings: &str) -> World {
        let connection = format!("{{name: other, type: mcp, envVar: OTHER_URL{settings}}}");
        let spec = format!("name: middle\nlimits: {{concurrency: 1}}\nconnections: [{connection}]{MIDDLE}");
        let variables = Variables::from([("OTHER_URL".to_owned(), format!("{}{path}", self.origin))]);
        World::new(Place::sqlite(), &spec, &[], variables).await
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn amount(amount: u64) -> Value {
    accept(json!({ "amount": amount })).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_of_another_server_reach_the_person() {
    let other = Other::start().await;
    let ways = [
        ("/mcp", ", protocol: stateless"),
        ("/mcp", ", protocol: initialize, transport: streamable"),
        ("/sse", ", transport: sse"),
    ];
    for (path, settings) in ways {
        let middle = other.middle(path, settings).await;
        for era in ERAS {
            let case = format!("{settings} for {era:?}");
            let peer = &mut Peer::new(&middle, era, json!({ "elicitation": {} })).await;
            let yes = accept(json!({ "confirm": true })).unwrap();
            let (asked, result) = play(peer, "refund", json!({ "order": "A" }), &[amount(0), amount(200), yes]).await;
            assert_eq!(text(&result), "A: 200", "{case}: {result}");
            assert_eq!(asked.len(), 3, "{case}: {asked:?}");
            assert_eq!(asked[0]["message"], "`other` asks: How much of A?", "{case}");
            let field = &asked[0]["requestedSchema"]["properties"]["amount"];
            assert_eq!(field, &json!({ "type": "integer", "minimum": 1 }), "{case}");
            let (_, result) = play(peer, "refund", json!({ "order": "A" }), &[json!({ "action": "decline" })]).await;
            assert!(text(&result).contains("the person who was asked declined"), "{case}: {result}");
            let (_, result) = play(peer, "scripted", json!({}), &[amount(5)]).await;
            assert_eq!(text(&result), "S: 5", "{case}: {result}");
            // Whoever cannot be asked is told as if there were no way.
            let peer = &mut Peer::new(&middle, era, json!({})).await;
            let (asked, result) = play(peer, "refund", json!({ "order": "A" }), &[]).await;
            assert!(asked.is_empty() && result["isError"] == true, "{case}: {result}");
            assert!(text(&result).contains("nothing was done"), "{case}: {result}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_for_a_person_holds_no_permit() {
    let other = Other::start().await;
    let middle = other.middle("/mcp", "").await;
    for tool in ["refund", "scripted"] {
        let peer = &mut Peer::new(&middle, ERAS[1], json!({ "elicitation": {} })).await;
        let arguments = if tool == "refund" { json!({ "order": "first" }) } else { json!({}) };
        let first = peer.request("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        let question = peer.read().await;
        assert_eq!(question["method"], "elicitation/create", "{question}");
        // The only permit of the server is free meanwhile.
        let (_, result) = play(peer, "refund", json!({ "order": "second" }), &[amount(2)]).await;
        assert_eq!(text(&result), "second: 2", "{tool}");
        peer.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": amount(1) })).await;
        let answer = peer.read().await;
        assert_eq!(answer["id"], json!(first));
        assert!(text(&answer["result"]).ends_with(": 1"), "{answer}");
    }
}
