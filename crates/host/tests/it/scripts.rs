//! Scripts over a server: what is told while they run, and what ends them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use engine::{CallContext, FailureKind, LogLevel, check_scripts};
use parking_lot::Mutex;
use spec::{ParseOptions, parse};
use tokio_util::sync::CancellationToken;

use crate::world::{Place, Variables, World};

const SPEC: &str = "
name: script-server
connections: [{name: db, type: sqlite, envVar: DATABASE_URL}]
tools:
  - name: talks
    description: Says how far it is.
    parameters: {}
    script: |
      export default async function run(args, { log, progress, sleep }) {
        for (let step = 1; step <= 3; step++) {
          progress(step, 3, `step ${step}`);
          await sleep(1);
        }
        log('all done', 'notice');
        return 'ok';
      }
  - name: waits
    description: Waits for a statement that never ends.
    parameters: {}
    script: |
      export default (args, { db }) =>
        db.query('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n');
  - name: fails
    description: Asks for what is not there.
    parameters: {}
    script: |
      export default (args, { db }) =>
        db.query('SELECT * FROM nowhere');
  - name: computes
    description: Never ends.
    parameters: {}
    timeoutMs: 200
    script: 'export default () => { for (;;); }'
  - name: parallel
    description: Fifty statements at once.
    parameters: {}
    script: |
      export default async (args, { db }) =>
        (await Promise.all(Array.from({ length: 50 }, (_, n) => db.query('SELECT :n AS n', { n })))).flat().length;
";

async fn world() -> World {
    World::new(Place::sqlite(), SPEC, &[], Variables::new()).await
}

#[tokio::test]
async fn progress_and_log_reach_the_caller() {
    let world = world().await;
    let (cancel, steps, said) = (CancellationToken::new(), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let report = |done: f64, total: Option<f64>, message: &str| {
        let step = steps.fetch_add(1, Ordering::SeqCst) + 1;
        assert_eq!((done, total, message), (step as f64, Some(3.0), format!("step {step}").as_str()));
    };
    let log = |level: LogLevel, text: &str| said.lock().push((level, text.to_owned()));
    let context = CallContext::new(&cancel).progress(&report).logger(&log);
    let outcome = world.call_with(&context, "talks", "{}").await;
    assert_eq!(outcome.text(), "\"ok\"");
    assert_eq!(steps.load(Ordering::SeqCst), 3);
    assert_eq!(*said.lock(), [(LogLevel::Notice, "all done".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_script_cancels_its_statement() {
    let world = world().await;
    let cancel = CancellationToken::new();
    let canceller = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        canceller.cancel();
    });
    let began = Instant::now();
    let outcome = world.call_with(&CallContext::new(&cancel), "waits", "{}").await;
    assert_eq!(outcome.failure.unwrap().kind, FailureKind::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // The connections are free again: none still counts.
    let outcome = world.call("parallel", "{}").await;
    assert_eq!(outcome.text(), "50");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_ends_a_script_that_waits() {
    let world = world().await;
    let cancel = CancellationToken::new();
    let context = CallContext::new(&cancel).deadline(Instant::now() + Duration::from_millis(200));
    let outcome = world.call_with(&context, "waits", "{}").await;
    assert_eq!(outcome.failure.unwrap().kind, FailureKind::Timeout);
    let outcome = world.call("computes", "{}").await;
    assert_eq!(outcome.failure.unwrap().kind, FailureKind::Timeout);
}

#[tokio::test]
async fn what_a_database_refuses_has_a_place_in_the_spec() {
    let outcome = world().await.call("fails", "{}").await;
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Statement);
    let line = 1 + SPEC.lines().position(|line| line.contains("nowhere")).unwrap();
    assert!(failure.text.contains(&format!("(line {line}, column 12 of the spec): ")), "{}", failure.text);
    assert!(failure.text.contains("no such table: nowhere"), "{}", failure.text);
}

/// A tool's script as YAML, and where its fault is in the document.
const PLACES: &[(&str, Option<(usize, usize)>)] = &[
    ("script: |\n      export default () => {\n        return 1 +;\n      }", Some((6, 19))),
    ("script: |\n\n\n      // é\n      export default () => 'é' +;", Some((8, 33))),
    (
        "script:\n      code: |-\n          export default function () {\n            nope nope\n          }",
        Some((7, 18)),
    ),
    ("script: export default (", Some((4, 29))),
    ("script: \"export default () => 1 +;\"", Some((4, 38))),
    ("script: \"export default () => {\\n  1 +;\\n}\"", None),
    ("script: >\n      export default () =>\n      1 +;", None),
];

#[test]
fn faults_of_scripts_are_found_in_the_document() {
    let mut wrong = Vec::new();
    for (script, place) in PLACES {
        let text = format!("name: places\ntools:\n  - name: tool\n    {script}\n    parameters: {{}}\n");
        let parsed = parse(base::Source { name: "places.yaml", text: &text }, &ParseOptions::default());
        let spec = parsed.spec.unwrap_or_else(|| panic!("{text}: {:?}", parsed.diagnostics));
        let mut found = check_scripts(&spec);
        assert_eq!(found.len(), 1, "{text}");
        let problem = &mut found[0];
        assert_eq!(problem.code, "MF0908");
        problem.locate(&text);
        let at = problem.span.map(|span| (span.line, span.column));
        if at != *place || problem.path != "/tools/0/script" {
            wrong.push(format!("{text}{at:?} rather than {place:?}: {problem:?}"));
        }
        if let Some(span) = problem.span {
            let before = text.split('\n').take(span.line - 1).map(|line| line.len() + 1).sum::<usize>();
            assert!(span.start >= before && span.end <= text.len() && text.is_char_boundary(span.start), "{text}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let good = parse(base::Source { name: "good.yaml", text: SPEC }, &ParseOptions::default()).spec.unwrap();
    assert_eq!(check_scripts(&good), []);
    assert_eq!(good.tools.len(), 5);
}
