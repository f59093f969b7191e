//! Questions to the person behind a client, in every revision that has them.

use std::sync::Arc;
use std::time::Duration;

use host::Hosted;
use protocol::{Endpoint, Runtime, RuntimeOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf};

use crate::world::{Place, Variables, World};

const SPEC: &str = "
name: asking
limits: {timeoutMs: 20000}
connections: [{name: db, type: sqlite, envVar: DATABASE_URL}]
tools:
  - name: refund
    title: Refund an order
    description: Gives money back.
    parameters:
      order: {type: string, required: true}
      reason: {type: string, required: true, oneOf: [{const: late, title: It came late}, {const: broken, title: It is broken}]}
      amount: {type: number, required: true, minimum: 1, maximum: 500}
      urgent: {type: boolean, default: false}
    ask:
      fields: [reason, amount, urgent]
      message: 'What is refunded of {{ args.order }}?'
      confirm: 'Refund {{ args.amount }} of {{ args.order }}?'
      when: args.amount > 100
    reply: {json: {order: '{{ args.order }}', reason: '{{ args.reason }}', amount: '{{ args.amount }}', urgent: '{{ args.urgent }}'}}
  - name: greet
    parameters: {tone: {type: string, default: warm}}
    ask: {fields: [tone]}
    reply: '{{ args.tone }}'
  - name: wipe
    parameters: {}
    ask: Delete all words?
    sql: {query: DELETE FROM words, write: true}
  - name: count
    parameters: {}
    sql: {query: SELECT count(*) AS n FROM words, result: value}
  - name: flow
    parameters: {}
    timeoutMs: 1500
    steps:
      - {name: add, sql: {query: \"INSERT INTO words VALUES ('b')\", write: true}}
      - {name: wiped, call: {tool: wipe}}
      - {name: left, sql: {query: SELECT count(*) AS n FROM words, result: value}}
  - name: many
    parameters: {}
    steps:
      do: [{name: all, each: [1, 2, 3], call: {tool: refund, arguments: {order: 'o{{ item }}', amount: 1, urgent: true}}}]
      result: '{{ steps.all | map(attribute=\"reason\") | list }}'
  - name: scripted
    parameters: {}
    timeoutMs: 1500
    script: {write: true, code: 'export default async (args, { tools }) => (await tools.refund({ order: \"7\", amount: 2, urgent: true })).reason'}
  - name: soon
    parameters: {}
    ask: {confirm: Now?, timeoutMs: 1000}
    reply: done
";

/// Which revision a client speaks, and how it says that it can ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Era {
    Session(&'static str),
    Stateless,
}

pub(crate) const ERAS: [Era; 3] = [Era::Session("2025-06-18"), Era::Session("2025-11-25"), Era::Stateless];

/// What the person behind the test's client does next.
type Person<'a> = &'a mut dyn FnMut(&Value) -> Option<Value>;

pub(crate) struct Peer {
    era: Era,
    capabilities: Value,
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    out: WriteHalf<DuplexStream>,
    next: u64,
    /// How long the person takes for each answer.
    thinks: Duration,
}

impl Peer {
    /// A client of its own server over a pair of streams.
    pub(crate) async fn new(world: &World, era: Era, capabilities: Value) -> Self {
        let runtime = Runtime::new(RuntimeOptions::default()).unwrap();
        let hosted = Arc::new(Hosted::new(Arc::clone(&world.toolset)));
        let endpoint = Endpoint::new(hosted, runtime);
        Self::of(endpoint, era, capabilities).await
    }

    async fn of(endpoint: Arc<Endpoint>, era: Era, capabilities: Value) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (read, write) = tokio::io::split(theirs);
        tokio::spawn(protocol::stdio::serve(endpoint, read, write));
        let (read, out) = tokio::io::split(ours);
        let mut peer =
            Self { era, capabilities, lines: BufReader::new(read).lines(), out, next: 0, thinks: Duration::ZERO };
        if let Era::Session(version) = era {
            let hello = json!({ "protocolVersion": version, "capabilities": peer.capabilities, "clientInfo": { "name": "t", "version": "1" } });
            let id = peer.request("initialize", hello).await;
            assert_eq!(peer.read().await["id"], json!(id));
        }
        peer
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.out.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    pub(crate) async fn request(&mut self, method: &str, mut params: Value) -> u64 {
        self.next += 1;
        if self.era == Era::Stateless {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": self.capabilities,
            });
        }
        let message = json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params });
        self.send(&message).await;
        self.next
    }

    pub(crate) async fn read(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(20), self.lines.next_line()).await;
        serde_json::from_str(&line.expect("an answer in time").unwrap().expect("an answer")).unwrap()
    }

    /// Calls a tool, and answers what it asks as the person does; nothing from them is no answer at all.
    async fn call(&mut self, tool: &str, arguments: &Value, person: Person<'_>) -> Value {
        let mut params = json!({ "name": tool, "arguments": arguments });
        let mut id = self.request("tools/call", params.clone()).await;
        loop {
            let message = self.read().await;
            let is_question =
                message["method"] == "elicitation/create" || !message["result"]["inputRequests"].is_null();
            if is_question {
                tokio::time::sleep(self.thinks).await;
            }
            if message["method"] == "elicitation/create" {
                if let Some(answer) = person(&message["params"]) {
                    self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": answer })).await;
                }
            } else if message["id"] == json!(id) {
                let result = &message["result"];
                if result["resultType"] != "input_required" {
                    return if result.is_null() { message["error"].clone() } else { result.clone() };
                }
                let questions = result["inputRequests"].as_object().unwrap();
                assert_eq!(questions.len(), 1, "{questions:?}");
                let (key, question) = questions.iter().next().unwrap();
                assert_eq!(question["method"], "elicitation/create");
                params["requestState"] = result["requestState"].clone();
                params["inputResponses"] = json!({});
                let Some(answer) = person(&question["params"]) else { return result.clone() };
                params["inputResponses"][key] = answer;
                id = self.request("tools/call", params.clone()).await;
            }
        }
    }
}

async fn world() -> World {
    World::new(
        Place::sqlite(),
        SPEC,
        &["CREATE TABLE words (word TEXT)", "INSERT INTO words VALUES ('a')"],
        Variables::new(),
    )
    .await
}

fn forms() -> Value {
    json!({ "elicitation": {} })
}

pub(crate) fn accept(content: Value) -> Option<Value> {
    Some(json!({ "action": "accept", "content": content }))
}

/// Answers in order, and what was asked.
pub(crate) async fn play(peer: &mut Peer, tool: &str, arguments: Value, answers: &[Value]) -> (Vec<Value>, Value) {
    let (mut asked, mut answers) = (Vec::new(), answers.iter());
    let mut person = |question: &Value| {
        asked.push(question.clone());
        answers.next().cloned()
    };
    let result = peer.call(tool, &arguments, &mut person).await;
    (asked, result)
}

pub(crate) fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}"))
}

#[tokio::test]
async fn what_is_missing_is_asked_for_and_checked() {
    let world = world().await;
    let input: Value = serde_json::from_slice(&world.toolset.tool("refund").unwrap().info().input_schema).unwrap();
    assert_eq!(input["required"], json!(["order"]));
    for era in ERAS {
        let peer = &mut Peer::new(&world, era, forms()).await;
        let bad = json!({ "action": "accept", "content": { "reason": "late", "amount": 0 } });
        let good = json!({ "action": "accept", "content": { "reason": "broken", "amount": 5 } });
        let (asked, result) = play(peer, "refund", json!({ "order": "A1" }), &[bad, good]).await;
        let wanted = json!({ "order": "A1", "reason": "broken", "amount": 5, "urgent": false });
        assert_eq!(result["structuredContent"], wanted, "{era:?}: {result}");
        assert_eq!(asked[0]["message"], "What is refunded of A1?");
        let fields = &asked[0]["requestedSchema"];
        assert_eq!(fields["required"], json!(["reason", "amount"]), "{era:?}");
        assert_eq!(fields["properties"]["amount"], json!({ "type": "number", "minimum": 1, "maximum": 500 }));
        assert_eq!(fields["properties"]["urgent"]["default"], json!(false));
        let choices = if era == Era::Session("2025-06-18") {
            json!({ "type": "string", "enum": ["late", "broken"], "enumNames": ["It came late", "It is broken"] })
        } else {
            json!({ "type": "string", "oneOf": [{ "const": "late", "title": "It came late" }, { "const": "broken", "title": "It is broken" }] })
        };
        assert_eq!(fields["properties"]["reason"], choices, "{era:?}");
        let again = asked[1]["message"].as_str().unwrap();
        assert!(again.starts_with("The last answer cannot be used: `amount`: "), "{again}");
        // What the caller gives is not asked for.
        let (asked, _) = play(
            peer,
            "refund",
            json!({ "order": "A1", "reason": "late", "amount": 7 }),
            &[accept(json!({})).unwrap()],
        )
        .await;
        assert_eq!(asked[0]["requestedSchema"]["properties"].as_object().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_person_has_to_say_yes() {
    let world = world().await;
    for era in ERAS {
        let peer = &mut Peer::new(&world, era, forms()).await;
        let given = json!({ "order": "B", "reason": "late", "urgent": true });
        let amount = accept(json!({ "amount": 200 })).unwrap();
        let yes = accept(json!({ "confirm": true })).unwrap();
        let (asked, result) = play(peer, "refund", given.clone(), &[amount.clone(), yes]).await;
        assert_eq!(asked[1]["message"], "Refund 200 of B?", "{era:?}");
        assert_eq!(result["structuredContent"]["amount"], 200);
        let refusals = [
            (json!({ "action": "decline" }), "the person who was asked declined"),
            (json!({ "action": "cancel" }), "closed the question without an answer"),
            (accept(json!({ "confirm": false })).unwrap(), "the person who was asked declined"),
            (accept(json!({})).unwrap(), "the person who was asked declined"),
            (json!({ "action": "shrug" }), "could not be asked"),
        ];
        for (answer, told) in refusals {
            let (_, result) = play(peer, "refund", given.clone(), &[amount.clone(), answer]).await;
            assert_eq!(result["isError"], true, "{era:?}: {result}");
            assert!(text(&result).contains("nothing was done") && text(&result).contains(told), "{era:?}: {result}");
        }
        let (_, result) = play(peer, "wipe", json!({}), &[json!({ "action": "decline" })]).await;
        assert_eq!(result["isError"], true);
        let (_, result) = play(peer, "count", json!({}), &[]).await;
        assert_eq!(result["content"][0]["text"], "1", "{era:?}: nothing was deleted");
    }
}

#[tokio::test]
async fn clients_that_cannot_ask_are_told_what_is_missing() {
    let world = world().await;
    for era in ERAS {
        for capabilities in [json!({}), json!({ "elicitation": { "url": {} } })] {
            let peer = &mut Peer::new(&world, era, capabilities).await;
            let (_, result) = play(peer, "refund", json!({ "order": "A1", "amount": 3 }), &[]).await;
            assert_eq!(result["isError"], true);
            assert!(text(&result).contains("`reason` is missing") && text(&result).contains("elicitation"), "{result}");
            assert_eq!(result["_meta"]["mcp-factory/error"]["detail"]["missing"], json!(["reason"]));
            let (_, result) = play(peer, "wipe", json!({}), &[]).await;
            assert!(text(&result).contains("the yes of a person to this: Delete all words?"), "{result}");
            // What is not required has its default.
            let (_, result) = play(peer, "greet", json!({}), &[]).await;
            assert_eq!(text(&result), "warm");
        }
    }
}

#[tokio::test]
async fn tools_within_tools_ask_and_time_stands_still() {
    for era in ERAS {
        let world = world().await;
        let peer = &mut Peer::new(&world, era, forms()).await;
        // Longer than the whole call may take.
        peer.thinks = Duration::from_millis(1_700);
        let (asked, result) = play(peer, "flow", json!({}), &[accept(json!({ "confirm": true })).unwrap()]).await;
        assert_eq!((text(&result), asked.len()), ("0", 1), "{era:?}: {result}");
        let (_, result) = play(peer, "scripted", json!({}), &[accept(json!({ "reason": "late" })).unwrap()]).await;
        assert_eq!(text(&result), "late", "{era:?}: {result}");
        peer.thinks = Duration::ZERO;
        let answers = ["late", "broken", "late"].map(|reason| accept(json!({ "reason": reason })).unwrap());
        let (asked, result) = play(peer, "many", json!({}), &answers).await;
        let mut found: Vec<String> = serde_json::from_value(result["structuredContent"].clone())
            .or_else(|_| serde_json::from_str(text(&result)))
            .unwrap();
        found.sort();
        assert_eq!(
            (asked.len(), found),
            (3, vec!["broken".to_owned(), "late".to_owned(), "late".to_owned()]),
            "{era:?}"
        );
        let (_, result) = play(peer, "flow", json!({}), &[json!({ "action": "decline" })]).await;
        let said = text(&result);
        assert!(said.starts_with("`flow` failed in step `wiped`: `wipe` was not run"), "{era:?}: {said}");
        let (_, result) = play(peer, "count", json!({}), &[]).await;
        assert_eq!(text(&result), "1", "{era:?}: the step before stays done");
    }
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let world = world().await;
    let peer = &mut Peer::new(&world, Era::Session("2025-11-25"), forms()).await;
    peer.request("tools/call", json!({ "name": "soon", "arguments": {} })).await;
    let question = peer.read().await;
    assert_eq!(question["method"], "elicitation/create");
    let taken_back = peer.read().await;
    assert_eq!(
        (&taken_back["method"], &taken_back["params"]["requestId"]),
        (&json!("notifications/cancelled"), &question["id"])
    );
    let late = peer.read().await;
    assert!(text(&late["result"]).contains("nobody answered within 1 s (`ask.timeoutMs`"), "{late}");
    // A client that cancels gets no answer, and the server goes on.
    let id = peer.request("tools/call", json!({ "name": "wipe", "arguments": {} })).await;
    assert_eq!(peer.read().await["method"], "elicitation/create");
    peer.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } })).await;
    let (_, result) = play(peer, "count", json!({}), &[]).await;
    assert_eq!(text(&result), "1");
}

#[tokio::test]
async fn a_question_before_anything_was_done_outlives_its_server() {
    let world = world().await;
    let endpoint = || {
        let options = RuntimeOptions { state_key: Some(vec![7; 32]), ..RuntimeOptions::default() };
        let hosted = Arc::new(Hosted::new(Arc::clone(&world.toolset)));
        Endpoint::new(hosted, Runtime::new(options).unwrap())
    };
    let mut first = Peer::of(endpoint(), Era::Stateless, forms()).await;
    let (_, asked) = play(&mut first, "greet", json!({}), &[]).await;
    let (_, parked) = play(&mut first, "flow", json!({}), &[]).await;
    let mut second = Peer::of(endpoint(), Era::Stateless, forms()).await;
    let answer = |tool: &'static str, asked: &Value, content: Value| {
        let key = asked["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
        json!({ "name": tool, "arguments": {}, "requestState": asked["requestState"], "inputResponses": { key: accept(content) } })
    };
    let params = answer("greet", &asked, json!({ "tone": "cold" }));
    second.request("tools/call", params).await;
    assert_eq!(second.read().await["result"]["content"][0]["text"], "cold");
    // What has done something cannot be begun anew.
    let params = answer("flow", &parked, json!({ "confirm": true }));
    second.request("tools/call", params.clone()).await;
    let gone = second.read().await;
    assert!(text(&gone["result"]).starts_with("The call that asked is not there any more"), "{gone}");
    // Where it waits, an answer that is missing is asked for again, and an answer counts once.
    let mut without = params.clone();
    without.as_object_mut().unwrap().remove("inputResponses");
    first.request("tools/call", without).await;
    let again = first.read().await["result"].clone();
    assert_eq!(again["inputRequests"], parked["inputRequests"]);
    let params = answer("flow", &again, json!({ "confirm": true }));
    first.request("tools/call", params.clone()).await;
    assert_eq!(first.read().await["result"]["content"][0]["text"], "0");
    first.request("tools/call", params).await;
    assert_eq!(first.read().await["result"]["isError"], true);
}
