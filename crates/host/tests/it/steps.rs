//! The step machine against a model of it that is small enough to be seen to be right.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use engine::Outcome;
use parking_lot::Mutex;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::world::{Place, Variables, World};

/// What a step does when it is done: it fails for these items, and answers how often each was done.
#[derive(Clone, Debug)]
struct Step {
    when: When,
    /// How many items, and how many at once.
    each: Option<(usize, usize)>,
    /// The attempt that is the first good one.
    until: Option<u64>,
    /// Items that fail, by number; without `each` the only one is 0.
    fails: Vec<usize>,
    on_failure: OnFailure,
    /// The upstream is called by a tool of its own.
    is_called: bool,
}

impl Step {
    /// Whether a failure is tried again. Items that fail do so at their first attempt only, then.
    fn retries(&self) -> bool {
        self.until.is_some() && self.on_failure == OnFailure::Continue
    }

    /// How often an item is done.
    fn times(&self, index: usize) -> u64 {
        let good = self.until.unwrap_or(1);
        match (self.fails.contains(&index), self.retries()) {
            (false, _) => good,
            (true, true) => good.max(2),
            (true, false) => 1,
        }
    }
}

#[derive(Clone, Debug)]
enum When {
    Always,
    Never,
    /// The step of this number, counted back, has a result.
    After(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum OnFailure {
    Fail,
    Continue,
    Fallback,
}

fn step() -> impl Strategy<Value = Step> {
    let when = prop_oneof![4 => Just(When::Always), 1 => Just(When::Never), 2 => (1_usize..4).prop_map(When::After)];
    let each = prop_oneof![2 => Just(None), 1 => (0_usize..7, 1_usize..5).prop_map(Some)];
    let until = prop_oneof![3 => Just(None), 1 => (1_u64..4).prop_map(Some)];
    let fails = prop_oneof![3 => Just(Vec::new()), 1 => proptest::collection::vec(0_usize..4, 1..3)];
    let on_failure = prop_oneof![Just(OnFailure::Fail), Just(OnFailure::Continue), Just(OnFailure::Fallback)];
    (when, each, until, fails, on_failure, any::<bool>()).prop_map(
        |(when, each, until, fails, on_failure, is_called)| Step { when, each, until, fails, on_failure, is_called },
    )
}

/// The tool of these steps as a spec.
fn spec(steps: &[Step]) -> String {
    let list: Vec<Value> = steps.iter().enumerate().map(|(number, step)| written(number, step)).collect();
    let needed = |kind: &str| json!({ "type": kind, "required": true });
    let parameters = json!({ "step": needed("integer"), "item": needed("integer"), "fails": needed("string") });
    let one = json!({ "name": "one", "parameters": parameters,
        "http": "GET /do/{step}/{item}/{fails}" });
    let all = json!({ "name": "all", "parameters": {}, "steps": list });
    let connection = json!({ "name": "api", "type": "http", "envVar": "API_URL", "retries": { "max": 0 } });
    json!({ "name": "random", "connections": [connection], "tools": [one, all] }).to_string()
}

fn written(number: usize, step: &Step) -> Value {
    let item = if step.each.is_some() { "{{ index }}" } else { "{{ 0 }}" };
    let fails: Vec<String> = step.fails.iter().map(usize::to_string).collect();
    let arguments = json!({ "step": number, "item": item, "fails": format!("{}{}", if step.retries() { "once" } else { "always" }, fails.join("-")) });
    let mut written = json!({ "name": format!("s{number}") });
    if step.is_called {
        written["call"] = json!({ "tool": "one", "arguments": arguments });
    } else {
        written["with"] = arguments;
        written["http"] = "GET /do/{step}/{item}/{fails}".into();
    }
    match step.when {
        When::Always => {}
        When::Never => written["when"] = "false".into(),
        When::After(back) => {
            written["when"] = match number.checked_sub(back) {
                Some(before) => format!("steps.s{before} is not none").into(),
                None => "true".into(),
            };
        }
    }
    if let Some((count, parallel)) = step.each {
        written["each"] = (0..count).collect::<Vec<_>>().into();
        written["parallel"] = parallel.into();
    }
    if let Some(good) = step.until {
        written["until"] = format!("result.times >= {good}").into();
        written["everyMs"] = 10.into();
    }
    match step.on_failure {
        OnFailure::Fail => {}
        OnFailure::Continue => written["onError"] = "continue".into(),
        OnFailure::Fallback => written["fallback"] = json!({ "instead": "{{ error.kind }}" }),
    }
    written
}

/// What one item of a step gives; nothing when the tool fails there.
fn item(step: &Step, index: usize) -> Option<Value> {
    let fails = step.fails.contains(&index) && !step.retries();
    match (fails, step.on_failure) {
        (false, _) => Some(json!({ "item": index, "times": step.times(index) })),
        (true, OnFailure::Fail) => None,
        (true, OnFailure::Continue) => Some(json!({ "error": { "kind": "constraint" } })),
        (true, OnFailure::Fallback) => Some(json!({ "instead": "constraint" })),
    }
}

/// What the steps give: the value of each, until one fails.
fn model(steps: &[Step]) -> Vec<Result<Value, ()>> {
    let mut values: Vec<Result<Value, ()>> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let is_done = match step.when {
            When::Always => true,
            When::Never => false,
            When::After(back) => number
                .checked_sub(back)
                .is_none_or(|before| values[before].as_ref().is_ok_and(|value| !value.is_null())),
        };
        let value = match (is_done, step.each) {
            (false, _) => Some(Value::Null),
            (true, None) => item(step, 0),
            (true, Some((count, _))) => {
                (0..count).map(|index| item(step, index)).collect::<Option<Vec<_>>>().map(Value::Array)
            }
        };
        values.push(value.ok_or(()));
        if values[number].is_err() {
            break;
        }
    }
    values
}

/// What the upstream saw.
#[derive(Default)]
struct Seen {
    /// Step and item, in the order of their beginning.
    begun: Mutex<Vec<(usize, usize)>>,
    ended: Mutex<Vec<(usize, usize)>>,
    times: Mutex<HashMap<(usize, usize), u64>>,
    open: AtomicUsize,
    most: Mutex<HashMap<usize, usize>>,
}

async fn upstream() -> (String, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let answer = |State(seen): State<Arc<Seen>>, Path((step, item, fails)): Path<(usize, usize, String)>| async move {
        seen.begun.lock().push((step, item));
        let open = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most.lock().entry(step).and_modify(|most| *most = open.max(*most)).or_insert(open);
        let times = *seen.times.lock().entry((step, item)).and_modify(|times| *times += 1).or_insert(1);
        // Later items are often ready before earlier ones.
        tokio::time::sleep(Duration::from_millis((item as u64 * 7 + 3) % 5)).await;
        seen.open.fetch_sub(1, Ordering::SeqCst);
        seen.ended.lock().push((step, item));
        let (once, fails) = match fails.strip_prefix("once") {
            Some(items) => (true, items),
            None => (false, fails.trim_start_matches("always")),
        };
        let fails = fails.split('-').any(|one| one == item.to_string()) && (!once || times == 1);
        let status = if fails { StatusCode::CONFLICT } else { StatusCode::OK };
        (status, axum::Json(json!({ "item": item, "times": times })))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/do/{step}/{item}/{fails}", get(answer)).with_state(Arc::clone(&seen));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

/// Errors say more than the model knows.
fn without_messages(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(key, _)| key != "message");
            Value::Object(kept.map(|(key, value)| (key, without_messages(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(without_messages).collect(),
        other => other,
    }
}

fn check(steps: &[Step], outcome: &Outcome, seen: &Seen) {
    let wanted = model(steps);
    match wanted.last().unwrap() {
        Err(()) => {
            let failure = outcome.failure.as_ref().unwrap_or_else(|| panic!("{}", outcome.text()));
            let place = format!("`all` failed in step `s{}`: ", wanted.len() - 1);
            assert!(failure.text.starts_with(&place), "{place}: {}", failure.text);
        }
        Ok(_) => {
            // Without `result` the tool answers what the last step that was done gave.
            let last = wanted.iter().rev().flatten().find(|value| !value.is_null()).cloned().unwrap_or_default();
            assert!(!outcome.is_error(), "{}", outcome.text());
            let found = serde_json::from_slice(outcome.structured.as_ref().unwrap()).unwrap();
            assert_eq!(without_messages(found), last);
        }
    }
    order(steps, &wanted, seen);
}

/// Whether what was done was done in order, as often as it should be, and within the bounds.
fn order(steps: &[Step], wanted: &[Result<Value, ()>], seen: &Seen) {
    let begun = seen.begun.lock();
    assert!(begun.is_sorted_by_key(|(step, _)| *step), "{begun:?}");
    // A failure takes the others back, which the upstream may see before it has answered.
    if wanted.iter().all(Result::is_ok) {
        assert_eq!(begun.len(), seen.ended.lock().len(), "nothing is left running");
    }
    for (number, step) in steps.iter().enumerate() {
        let mine: Vec<usize> = begun.iter().filter(|(of, _)| *of == number).map(|(_, item)| *item).collect();
        let is_skipped = wanted.get(number).is_none_or(|value| *value == Ok(Value::Null));
        assert!(!is_skipped || mine.is_empty(), "step {number} is not done: {mine:?}");
        let parallel = step.each.map_or(1, |(_, parallel)| parallel);
        let most = seen.most.lock().get(&number).copied().unwrap_or_default();
        assert!(most <= parallel, "step {number}: {most} at once, {parallel} allowed");
        if is_skipped || wanted[number].is_err() {
            continue;
        }
        let count = step.each.map_or(1, |(count, _)| count);
        for index in 0..count {
            let found = mine.iter().filter(|item| **item == index).count() as u64;
            assert_eq!(found, step.times(index), "step {number}, item {index}");
        }
        if parallel == 1 {
            assert!(mine.is_sorted(), "step {number}: {mine:?}");
        }
    }
}

#[test]
fn steps_do_what_their_model_does() {
    const CASES: u32 = 48;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let strategy = proptest::collection::vec(step(), 1..7);
    let outcome = runner.run(&strategy, |steps| {
        runtime.block_on(async {
            let (url, seen) = upstream().await;
            let variables = Variables::from([("API_URL".to_owned(), url)]);
            let world = World::new(Place::sqlite(), &spec(&steps), &[], variables).await;
            let outcome = world.call("all", "{}").await;
            check(&steps, &outcome, &seen);
        });
        Ok(())
    });
    outcome.unwrap();
}
