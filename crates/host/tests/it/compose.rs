//! Tools that are made of other tools: replies with templates, calls, steps and commands.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use engine::{CallContext, Content, FailureKind, Outcome};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Place, Variables, World};

const TOOLS: &str = "
  - name: greet
    parameters: {name: {type: string, required: true}, tone: {type: string, default: warm}}
    reply: {json: {hello: '{{ args.name }}', tone: '{{ args.tone }}'}, content: ['Hello {{ args.name }}', {link: {uri: 'a://{{ args.name }}', name: link}}]}
  - name: alias
    call: greet
  - name: greet_ann
    parameters: {}
    call: {tool: greet, arguments: {name: Ann}, select: $.hello}
  - name: remember
    parameters: {word: {type: string, required: true}}
    sql: {query: INSERT INTO words (word) VALUES (:word), write: true}
  - name: remember_twice
    parameters: {word: {type: string, required: true}}
    steps:
      - {name: first, call: {tool: remember}}
      - {name: second, call: {tool: remember, arguments: {word: '{{ args.word }}2'}}}
      - {name: count, sql: {query: SELECT count(*) AS n FROM words, result: value}}
  - name: flow
    parameters: {words: {type: array, items: {type: string}, required: true}, skip: {type: boolean, default: false}}
    steps:
      do:
        - {name: upper, each: '{{ args.words }}', reply: {json: {word: '{{ item | upper }}', at: '{{ index }}'}}}
        - {name: maybe, when: not args.skip, reply: done}
        - {name: lost, call: {tool: greet, arguments: {name: x, tone: 7}}, onError: continue}
        - {name: mended, call: {tool: greet, arguments: {name: x, tone: 7}}, fallback: {kind: '{{ error.kind }}'}}
        - {name: rows, with: {least: '{{ args.words | length }}'}, sql: {query: 'SELECT :least + 1 AS n', result: value}}
      result: {upper: '{{ steps.upper }}', maybe: '{{ steps.maybe }}', lost: '{{ steps.lost.error.kind }}', mended: '{{ steps.mended }}', rows: '{{ steps.rows }}'}
  - name: fails
    parameters: {}
    steps:
      - {name: good, reply: x}
      - {name: bad, call: {tool: greet, arguments: {name: x, tone: 7}}}
  - name: scripted
    parameters: {}
    script: {write: true, code: \"export default async (args, { tools }) => [await tools.greet({ name: 'Bob' }), await tools.remember({ word: 'x' })]\"}
  - name: sneaky
    parameters: {}
    script: \"export default async (args, { tools }) => tools.remember({ word: 'y' })\"
  - name: deep
    parameters: {}
    script: {write: true, code: \"export default async (args, { tools }) => tools.deeper({})\"}
  - name: deeper
    parameters: {}
    script: {write: true, code: \"export default async (args, { tools }) => tools.deep({})\"}
";

async fn world() -> World {
    let spec = format!(
        "name: composed\nlimits: {{concurrency: 1}}\nconnections: [{{name: db, type: sqlite, envVar: DATABASE_URL}}]\ntools:{TOOLS}"
    );
    World::new(Place::sqlite(), &spec, &["CREATE TABLE words (word TEXT)"], Variables::new()).await
}

fn json_of(outcome: &Outcome) -> Value {
    assert!(!outcome.is_error(), "{}", outcome.text());
    serde_json::from_slice(outcome.structured.as_ref().unwrap()).unwrap()
}

#[tokio::test]
async fn replies_have_the_values_of_their_call() {
    let world = world().await;
    let outcome = world.call("greet", r#"{"name":"{{ 7 }}"}"#).await;
    assert_eq!(json_of(&outcome), json!({"hello": "{{ 7 }}", "tone": "warm"}));
    assert_eq!(outcome.content[0], Content::Text("Hello {{ 7 }}".to_owned()));
    assert!(matches!(&outcome.content[1], Content::Link { uri, .. } if uri == "a://{{ 7 }}"));
}

#[tokio::test]
async fn tools_call_tools() {
    let world = world().await;
    assert_eq!(json_of(&world.call("alias", r#"{"name":"Eve"}"#).await), json!({"hello": "Eve", "tone": "warm"}));
    assert_eq!(world.call("alias", "{}").await.failure.unwrap().kind, FailureKind::Arguments);
    assert_eq!(json_of(&world.call("greet_ann", "{}").await), json!("Ann"));
    assert_eq!(json_of(&world.call("remember_twice", r#"{"word":"a"}"#).await), json!(2));
    let hints = |name: &str| world.toolset.tool(name).unwrap().info().annotations.read_only_hint;
    assert_eq!((hints("alias"), hints("remember_twice"), hints("flow")), (Some(true), Some(false), Some(true)));
}

#[tokio::test]
async fn steps_name_their_results() {
    let world = world().await;
    let outcome = json_of(&world.call("flow", r#"{"words":["a","b"],"skip":true}"#).await);
    let upper = json!([{"word": "A", "at": 0}, {"word": "B", "at": 1}]);
    let wanted =
        json!({"upper": upper, "maybe": null, "lost": "arguments", "mended": {"kind": "arguments"}, "rows": 3});
    assert_eq!(outcome, wanted);
    let failure = world.call("fails", "{}").await.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Arguments);
    assert!(failure.text.starts_with("`fails` failed in step `bad`: "), "{}", failure.text);
}

#[tokio::test]
async fn scripts_call_tools() {
    let world = world().await;
    let outcome = json_of(&world.call("scripted", "{}").await);
    assert_eq!(outcome, json!([{"hello": "Bob", "tone": "warm"}, {"affected": 1}]));
    let failure = world.call("sneaky", "{}").await.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Denied, "{}", failure.text);
    let failure = world.call("deep", "{}").await.failure.unwrap();
    assert!(failure.text.contains("have called each other 4 times"), "{}", failure.text);
}

/// An upstream that counts how many of its requests are open at once.
#[derive(Default)]
struct Counted {
    open: AtomicUsize,
    most: AtomicUsize,
    started: Mutex<Vec<u64>>,
}

async fn counted() -> (String, Arc<Counted>) {
    let counted = Arc::new(Counted::default());
    let answer = |State(counted): State<Arc<Counted>>, Path(item): Path<u64>| async move {
        let open = counted.open.fetch_add(1, Ordering::SeqCst) + 1;
        counted.most.fetch_max(open, Ordering::SeqCst);
        counted.started.lock().push(item);
        // Later items are often ready before earlier ones.
        tokio::time::sleep(Duration::from_millis(1 + item * 7 % 13)).await;
        counted.open.fetch_sub(1, Ordering::SeqCst);
        let status = if item == 666 { axum::http::StatusCode::CONFLICT } else { axum::http::StatusCode::OK };
        (status, axum::Json(json!(item * 2)))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/items/{item}", get(answer)).with_state(Arc::clone(&counted));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, counted)
}

async fn mapping(parallel: usize) -> (World, Arc<Counted>) {
    let (url, counted) = counted().await;
    let spec = format!(
        "
name: mapping
connections: [{{name: api, type: http, envVar: API_URL}}]
tools:
  - name: map
    parameters: {{items: {{type: array, items: {{type: integer}}, required: true}}}}
    steps: [{{name: doubled, each: '{{{{ args.items }}}}', parallel: {parallel}, with: {{item: '{{{{ item }}}}'}}, http: 'GET /items/{{item}}'}}]
"
    );
    let variables = Variables::from([("API_URL".to_owned(), url)]);
    (World::new(Place::sqlite(), &spec, &[], variables).await, counted)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_are_worked_on_in_parallel_within_a_bound_and_come_back_in_order() {
    for (parallel, count) in [(1, 5), (2, 9), (3, 0), (4, 30), (8, 8), (16, 3), (64, 40)] {
        let (world, counted) = mapping(parallel).await;
        let items: Vec<u64> = (0..count).map(|n| n * 31 % 47).collect();
        let outcome = json_of(&world.call("map", &json!({ "items": items }).to_string()).await);
        assert_eq!(outcome, json!(items.iter().map(|item| item * 2).collect::<Vec<_>>()));
        let most = counted.most.load(Ordering::SeqCst);
        assert!(most <= parallel, "{most} of {parallel}");
        if parallel > 1 && items.len() >= parallel {
            assert!(most > 1, "{most} of {parallel}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_failure_ends_the_others() {
    let (world, counted) = mapping(2).await;
    let items: Vec<u64> = [1, 666].into_iter().chain(2..100).collect();
    let failure = world.call("map", &json!({ "items": items }).to_string()).await.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Constraint, "{}", failure.text);
    assert!(failure.text.contains("in step `doubled`"));
    assert!(counted.started.lock().len() < 20, "{:?}", counted.started.lock());
}

const POLLS: &str = "
name: polls
tools:
  - name: never
    parameters: {}
    steps: [{name: wait, until: result == 'other', everyMs: 20, withinMs: 150, reply: same}]
  - name: long
    parameters: {}
    steps: [{name: wait, until: result == 'other', everyMs: 20, withinMs: 60000, reply: same}]
  - name: at_once
    parameters: {}
    steps: [{name: wait, until: result == 'same', reply: same}]
";

#[tokio::test]
async fn a_step_is_tried_until_its_condition_or_its_end() {
    let world = World::new(Place::sqlite(), POLLS, &[], Variables::new()).await;
    assert_eq!(world.call("at_once", "{}").await.text(), "same");
    let failure = world.call("never", "{}").await.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Timeout, "{}", failure.text);
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.cancel();
    });
    let began = Instant::now();
    let outcome = world.call_with(&CallContext::new(&cancel), "long", "{}").await;
    assert_eq!(outcome.failure.unwrap().kind, FailureKind::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(5));
}

const COMMANDS: &str = "
name: commands
tools:
  - name: say
    parameters: {words: {type: array, items: {type: string}, required: true}, more: string}
    command: [printf, '[%s]', '{{ args.words }}', 'more={{ args.more | default(\"none\") }}']
  - name: show
    parameters: {file: {type: string, required: true}}
    command: [cat, '{{ args.file }}']
  - name: show_safely
    parameters: {file: {type: string, required: true}}
    command: [cat, --, '{{ args.file }}']
  - name: read
    parameters: {text: {type: string, required: true}}
    command: {program: cat, stdin: '{{ args.text }}', output: json}
  - name: lines
    parameters: {}
    command: {program: printf, args: ['a\\nb\\n'], output: lines, write: false}
  - name: seen
    parameters: {}
    command: {program: env, env: {SHOWN: 'value ${env:GIVEN}'}, output: lines}
  - name: codes
    parameters: {code: {type: integer, required: true}}
    command: {program: /bin/sh, args: [-c, 'read code; echo told >&2; exit $code'], stdin: '{{ args.code }}', okCodes: [0, 3], errors: {'4': 'four: {{ errors }}'}}
  - name: floods
    parameters: {}
    command: ['yes']
  - name: sleeps
    parameters: {}
    timeoutMs: 300
    command: {program: /bin/sh, args: [-c, 'sleep 1000 & echo $! > \"$FILE\"; wait'], pass: [FILE]}
  - name: missing
    parameters: {}
    command: [no-such-program]
  - name: forbidden
    parameters: {}
    command: [id]
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_are_run_without_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("child");
    let variables = Variables::from(
        [
            ("PATH", "/usr/bin:/bin".to_owned()),
            ("GIVEN", "a long secret".to_owned()),
            ("HIDDEN", "x".to_owned()),
            ("FILE", file.display().to_string()),
            (host::ALLOW_COMMANDS, "printf,cat,env,/bin/sh,yes,no-such-program".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let world = World::new(Place::sqlite(), COMMANDS, &[], variables).await;
    let warned = world.warnings.iter().filter(|warning| warning.starts_with("MF0924")).count();
    assert_eq!(warned, 2, "{:?}", world.warnings);
    let text = async |tool: &str, arguments: &str| world.call(tool, arguments).await.text();
    assert_eq!(text("say", r#"{"words":["a b","$(id)","; ls"]}"#).await, "[a b][$(id)][; ls][more=none]");
    let refused = world.call("show", r#"{"file":"--help"}"#).await.failure.unwrap();
    assert_eq!(refused.kind, FailureKind::Value, "{}", refused.text);
    assert!(text("show_safely", r#"{"file":"--help"}"#).await.contains("No such file"));
    assert_eq!(json_of(&world.call("read", r#"{"text":"{\"a\":[1]}"}"#).await), json!({"a": [1]}));
    assert_eq!(world.call("read", r#"{"text":"{"}"#).await.failure.unwrap().kind, FailureKind::Output);
    assert_eq!(json_of(&world.call("lines", "{}").await), json!(["a", "b"]));
    let seen = text("seen", "{}").await;
    assert!(seen.contains("SHOWN=***") && !seen.contains("HIDDEN") && !seen.contains("secret"), "{seen}");
    assert!(!world.call("codes", r#"{"code":3}"#).await.is_error());
    let five = world.call("codes", r#"{"code":5}"#).await.failure.unwrap();
    assert_eq!(
        (five.kind, five.text.as_str()),
        (FailureKind::Upstream, "`codes` failed: the program `/bin/sh` ended with exit code 5: told")
    );
    assert_eq!(world.call("codes", r#"{"code":4}"#).await.failure.unwrap().text, "four: told");
    assert_eq!(world.call("floods", "{}").await.failure.unwrap().kind, FailureKind::Limit);
    for tool in ["missing", "forbidden"] {
        assert_eq!(world.call(tool, "{}").await.failure.unwrap().kind, FailureKind::Unavailable);
    }
    assert_eq!(world.call("sleeps", "{}").await.failure.unwrap().kind, FailureKind::Timeout);
    let child: u32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    let began = Instant::now();
    while std::fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(began.elapsed() < Duration::from_secs(10), "the child of the program still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
