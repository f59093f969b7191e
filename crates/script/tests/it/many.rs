//! Many runs at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use script::{FaultKind, Origin, Script};
use serde_json::json;

use crate::support::{Run, TestHost, body};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_runs_at_once() {
    let text = body(
        "globalThis.mine = args.n; let sum = 0;\n\
         for (let n = 0; n < 3; n++) { const [m] = await db.wait(5, n); sum += mine + m * 0 }\n\
         return { sum, mine }",
    );
    let script = Script::compile(&text, Origin::default()).expect("it compiles");
    let host = Arc::new(TestHost::default());
    let runs: Vec<_> = (0..200)
        .map(|n| {
            let (script, host) = (script.clone(), host.clone());
            tokio::spawn(
                async move { Run { arguments: json!({ "n": n }), ..Run::default() }.script(&script, &host).await },
            )
        })
        .collect();
    for (n, run) in runs.into_iter().enumerate() {
        assert_eq!(run.await.expect("no panic"), Ok(json!({ "sum": 3 * n, "mine": n })));
    }
}

/// Runs that compute without an end do not keep others from running.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hogs_leave_room() {
    let hog = Script::compile(&body("for (;;);"), Origin::default()).expect("it compiles");
    let quick = Script::compile(&body("return (await db.wait(1)).length"), Origin::default()).expect("it compiles");
    let hogs: Vec<_> = (0..8)
        .map(|_| {
            let hog = hog.clone();
            tokio::spawn(async move {
                let mut run = Run::default();
                run.limits.cpu = Duration::from_millis(400);
                run.script(&hog, &TestHost::default()).await.expect_err("it has no end").kind
            })
        })
        .collect();
    let began = Instant::now();
    let host = TestHost::default();
    assert_eq!(Run::default().script(&quick, &host).await, Ok(json!(1)));
    let quick_took = began.elapsed();
    for hog in hogs {
        assert_eq!(hog.await.expect("no panic"), FaultKind::Cpu);
    }
    assert!(quick_took < began.elapsed(), "the quick one was not last");
}

/// What runs leave behind in the process: nothing that grows with their number.
#[tokio::test]
async fn dropped_runs_let_go_of_everything() {
    let script = Script::compile(&body("await sleep(60000)"), Origin::default()).expect("it compiles");
    let host = Arc::new(TestHost::default());
    for _ in 0..50 {
        let run = Run::default();
        let _ = tokio::time::timeout(Duration::from_millis(2), run.script(&script, &host)).await;
    }
    // None of them counts against the script for longer than its slice took.
    let until = Instant::now() + Duration::from_secs(10);
    let run = Run { time: Duration::from_millis(20), ..Run::default() };
    while run.script(&script, &host).await.expect_err("it sleeps").kind == FaultKind::Refused {
        assert!(Instant::now() < until);
        tokio::task::yield_now().await;
    }
}
