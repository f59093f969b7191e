//! What stops a script.

use std::time::{Duration, Instant};

use script::{FaultKind, Origin, Script};

use crate::support::{Run, TestHost, body};

/// A body, and the limit that must end it.
const ENDLESS: &[(&str, FaultKind)] = &[
    ("for (;;);", FaultKind::Cpu),
    ("while (true) { try { for (;;); } catch {} finally { continue } }", FaultKind::Cpu),
    ("for (;;) await null", FaultKind::Cpu),
    ("(function* () { for (;;) yield 1 })().forEach(() => {})", FaultKind::Cpu),
    ("/^(a+)+$/.test('a'.repeat(40) + 'b')", FaultKind::Cpu),
    ("'a'.repeat(60).match(/(a|a)*(a|a)*(a|a)*b/)", FaultKind::Cpu),
    ("[].indexOf.call({ length: 2 ** 53 - 1 }, 1)", FaultKind::Cpu),
    ("[].forEach.call({ length: 2 ** 53 - 1 }, () => {})", FaultKind::Cpu),
    ("const a = []; for (;;) a.push(a.length.toString().repeat(100))", FaultKind::Memory),
    ("let s = 'x'; for (;;) s += s", FaultKind::Thrown),
    ("new Array(1e9).fill(0)", FaultKind::Memory),
    ("new Uint8Array(2 ** 31)", FaultKind::Thrown),
    ("new Uint8Array(2 ** 30)", FaultKind::Memory),
    ("'x'.repeat(2 ** 29)", FaultKind::Memory),
    ("const m = new Map(); for (let n = 0; ; n++) m.set(n, {})", FaultKind::Memory),
    ("let o = {}; for (;;) o = { o, again: [o] }", FaultKind::Memory),
    ("const f = () => f() + 1; f()", FaultKind::Stack),
    ("const o = {}; o.toString = () => `${o}`; `${o}`", FaultKind::Stack),
    ("let a = []; for (let n = 0; n < 100000; n++) a = [a]; JSON.stringify(a)", FaultKind::Stack),
    ("JSON.parse('['.repeat(100000))", FaultKind::Stack),
    ("return 'x'.repeat(9 * 2 ** 20)", FaultKind::Output),
    ("await new Promise(() => {})", FaultKind::Stalled),
    ("await { then() {} }", FaultKind::Stalled),
    ("await Promise.race([])", FaultKind::Stalled),
    ("await db.never()", FaultKind::Deadline),
    ("await sleep(1e9)", FaultKind::Deadline),
    ("await sleep(Infinity)", FaultKind::Deadline),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_limit_ends_what_it_must() {
    let mut wrong = Vec::new();
    for (text, kind) in ENDLESS {
        let mut run =
            Run { time: Duration::from_secs(if *kind == FaultKind::Deadline { 1 } else { 20 }), ..Run::default() };
        if *kind == FaultKind::Memory {
            run.limits.memory = script::limits::MEMORY_BYTES_MIN;
        }
        run.limits.cpu = Duration::from_millis(if *kind == FaultKind::Cpu { 150 } else { 10_000 });
        let began = Instant::now();
        let fault = run.text(&body(text)).await.expect_err(text);
        if fault.kind != *kind {
            wrong.push(format!("{text}: {:?} rather than {kind:?} after {:?}: {fault}", fault.kind, began.elapsed()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// When memory ends inside a promise, the engine may drop the promise rather than say so.
#[tokio::test]
async fn an_endless_chain_of_promises() {
    let text = body("const again = () => Promise.resolve().then(again); await again()");
    let script = Script::compile(&text, Origin::default()).expect("it compiles");
    let fault = Run::default().script(&script, &TestHost::default()).await.expect_err("it has no end");
    assert!(matches!(fault.kind, FaultKind::Memory | FaultKind::Stalled | FaultKind::Cpu), "{fault}");
}

#[tokio::test]
async fn a_loop_is_stopped_by_the_deadline_and_the_caller() {
    let script = Script::compile(&body("for (;;);"), Origin::default()).expect("it compiles");
    let mut run = Run { time: Duration::from_millis(100), ..Run::default() };
    run.limits.cpu = Duration::from_secs(60);
    let fault = run.script(&script, &TestHost::default()).await.expect_err("it has no end");
    assert_eq!(fault.kind, FaultKind::Deadline);

    let mut run = Run::default();
    run.limits.cpu = Duration::from_secs(60);
    let cancel = run.cancel.clone();
    let host = TestHost::default();
    let (result, ()) = tokio::join!(run.script(&script, &host), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    });
    assert_eq!(result.expect_err("it has no end").kind, FaultKind::Cancelled);
    // Its threads come back, so that it may run again.
    let mut run = Run::default();
    run.limits.cpu = Duration::from_millis(50);
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match run.script(&script, &host).await.expect_err("it has no end").kind {
            FaultKind::Cpu => break,
            FaultKind::Refused if Instant::now() < until => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

/// A native operation that never asks whether to stop: the caller gets its answer at the deadline all the same, the server goes
/// on, and the script is refused while its runs still hold threads.
#[tokio::test]
async fn what_cannot_be_stopped_is_contained() {
    let text = body("const s = 'a'.repeat(3e6); return s.indexOf('a'.repeat(1.5e6) + 'b')");
    let script = Script::compile(&text, Origin::default()).expect("it compiles");
    let run = Run { time: Duration::from_millis(200), ..Run::default() };
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        kinds.push(run.script(&script, &TestHost::default()).await.expect_err("too slow").kind);
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
    assert_eq!(kinds, [FaultKind::Deadline, FaultKind::Deadline, FaultKind::Refused]);
    assert!(Run::default().text(&body("return 1")).await.is_ok(), "others run");
}

#[tokio::test]
async fn too_many_calls_wait() {
    let many = "await Promise.all(Array.from({ length: 2000 }, () => db.never()))";
    let fault = Run::default().text(&body(many)).await.expect_err("too many");
    assert!(fault.message.contains("too many calls"), "{fault}");
    let run = Run { arguments: serde_json::json!("x".repeat(1 << 20)), ..Run::default() };
    let large = "await Promise.all(Array.from({ length: 40 }, () => db.never(args)))";
    let fault = run.text(&body(large)).await.expect_err("too large");
    assert!(fault.message.contains("larger than the memory limit"), "{fault}");
}

/// Memory ends at every possible moment of a run: the result is a fault or a value, never a crash.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_may_end_anywhere() {
    let text = body(
        "const ballast = 'x'.repeat(args.ballast);\n\
         const rows = await Promise.all([db.echo(args), db.fail().catch((e) => e.stack), sleep(0)]);\n\
         const big = new Map(Object.entries({ a: [1n << 200n], b: /x+/u, c: new Date(0), d: new Uint8Array(300) }));\n\
         log([...big.keys()]); class A extends Array { #p = 1; get p() { return this.#p } }\n\
         const made = A.from({ length: 50 }, (_, n) => ({ n, s: `${n}`.repeat(n) }));\n\
         try { [...made].sort((a, b) => b.n - a.n).map((o) => ({ ...o, f() {} })) } catch { await db.echo(made.p) }\n\
         return { rows, made, p: made.p, t: JSON.stringify(made).length + ballast.length }",
    );
    let script = Script::compile(&text, Origin::default()).expect("it compiles");
    let host = TestHost::default();
    let mut ends = std::collections::HashSet::new();
    let memory = script::limits::MEMORY_BYTES_MIN;
    for ballast in (memory - 450_000..memory).step_by(3001) {
        let mut run = Run { arguments: serde_json::json!({"ballast": ballast}), ..Run::default() };
        run.limits.memory = memory;
        ends.insert(run.script(&script, &host).await.map(|_| ()).map_err(|fault| fault.kind));
    }
    assert!(ends.contains(&Ok(())) && ends.contains(&Err(FaultKind::Memory)), "{ends:?}");
}
