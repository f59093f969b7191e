//! Scripts that rest: no engine is held, and the function is called again with what it left.

use std::time::Duration;

use script::{FaultKind, Origin, Script};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Run, TestHost};

fn script(body: &str) -> String {
    format!(
        "let runs = 0;\nexport default async function run(args, {{ again, answer, db, progress }}, state) {{\n{body}\n}}\n"
    )
}

#[tokio::test]
async fn it_goes_on_with_its_state_in_an_engine_of_its_own() {
    // What stands outside the function is new each time; the arguments are the same.
    let text = script(
        "runs += 1; globalThis.left = (globalThis.left ?? 0) + 1;\n\
         const seen = [...(state?.seen ?? []), [runs, globalThis.left, args.n]];\n\
         if (seen.length < 4) return again({ seen }, { inMs: 1 });\n\
         await db.echo(1); return { seen, first: state === undefined };",
    );
    let told = Run { arguments: json!({ "n": 7 }), ..Run::default() }.text(&text).await;
    assert_eq!(told, Ok(json!({ "seen": vec![[1, 1, 7]; 4], "first": false })));
}

#[tokio::test]
async fn what_it_is_given_is_looked_at() {
    for options in
        ["undefined", "{}", "{ inMs: -1 }", "{ inMs: NaN }", "{ inMs: 1, key: 2 }", "{ inMs: 1, version: 'x' }"]
    {
        let fault = Run::default().text(&script(&format!("return again({{}}, {options})"))).await.expect_err(options);
        assert_eq!(fault.kind, FaultKind::Thrown, "{options}: {fault}");
        assert!(fault.message.contains("again(state, {inMs"), "{options}: {fault}");
    }
    // The state is JSON, as results are.
    let fault =
        Run::default().text(&script("return again({ at: new Map() }, { inMs: 1 })")).await.expect_err("no JSON");
    assert!(fault.message.contains("a Map"), "{fault}");
}

#[tokio::test]
async fn limits_hold_for_all_its_engines_together() {
    // Each engine needs a little; only together they need too much.
    let mut run = Run { time: Duration::from_secs(60), ..Run::default() };
    run.limits.cpu = Duration::from_millis(120);
    let text = script("return again(null, { inMs: 0 })");
    let fault = run.text(&text).await.expect_err("it has no end");
    assert_eq!(fault.kind, FaultKind::Cpu, "{fault}");
    let mut run = Run::default();
    run.limits.output = 1_000;
    let fault = run.text(&script("return again('x'.repeat(2000), { inMs: 1 })")).await.expect_err("it is too large");
    assert_eq!(fault.kind, FaultKind::Output, "{fault}");
}

#[tokio::test]
async fn a_rest_ends_with_the_call() {
    let script =
        Script::compile(&script("progress(1); return again(1, { inMs: 3600000 })"), Origin::default()).expect("it");
    let late = Run { time: Duration::from_millis(300), ..Run::default() };
    assert_eq!(late.script(&script, &TestHost::default()).await.expect_err("late").kind, FaultKind::Deadline);
    let cancel = CancellationToken::new();
    let run = Run { cancel: cancel.clone(), ..Run::default() };
    let host = TestHost::default();
    let stop = async {
        while host.progress.lock().is_empty() {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (told, ()) = tokio::join!(run.script(&script, &host), stop);
    assert_eq!(told.expect_err("cancelled").kind, FaultKind::Cancelled);
}
