//! What a script can do.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use script::{Call, FaultKind, Level, Limits, Origin, Sandbox, Script};
use serde_json::{Value, json};

use crate::support::{Run, TestHost, body, surface};

/// A body and its result, with `args = {"n": 2, "text": "käse"}`.
const RESULTS: &[(&str, &str)] = &[
    ("return args.n + 1", "3"),
    ("return args.text.toUpperCase()", "\"KÄSE\""),
    ("return", "null"),
    ("return { a: undefined, b: null }", r#"{"b":null}"#),
    ("return await db.echo('x', { id: 1 })", r#"["x",{"id":1}]"#),
    ("return (await Promise.all([1, 2, 3].map((n) => db.echo(n)))).flat()", "[1,2,3]"),
    (
        "try { await db.fail() } catch (error) { return [error.message, error.code, error instanceof Error] }",
        r#"["no such table: nowhere","sql",true]"#,
    ),
    ("return await Promise.race([db.never(), sleep(5).then(() => 'late')])", "\"late\""),
    (
        "return (await Promise.allSettled([db.fail(), db.echo(1)])).map((one) => one.status)",
        r#"["rejected","fulfilled"]"#,
    ),
    ("await sleep(0); return 'slept'", "\"slept\""),
    ("return new Date(0)", "\"1970-01-01T00:00:00.000Z\""),
    ("return Object.fromEntries(new Map([['a', 1]]))", r#"{"a":1}"#),
    ("return [...new Set([1, 1, 2])]", "[1,2]"),
    ("return 'a\\u0000b\\ud800'.length", "4"),
    ("return 'a\\ud800'.toWellFormed()", "\"a\u{fffd}\""),
    ("return /(?<year>\\d{4})-(\\d\\d)/u.exec('on 2026-07-28').groups.year", "\"2026\""),
    ("return [3, 1, 2].toSorted()", "[1,2,3]"),
    ("return Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even'))", r#"{"odd":[1,3],"even":[2]}"#),
    ("let n = 0; for await (const one of (async function* () { yield 1; yield 2 })()) n += one; return n", "3"),
    ("return (2n ** 64n).toString()", "\"18446744073709551616\""),
    (
        "return typeof fetch + typeof require + typeof process + typeof setTimeout + typeof performance",
        "\"undefinedundefinedundefinedundefinedundefined\"",
    ),
    ("return JSON.parse('{\"__proto__\": {\"x\": 1}}').x === undefined", "true"),
];

#[tokio::test]
async fn results() {
    for (text, expected) in RESULTS {
        let run = Run { arguments: json!({"n": 2, "text": "käse"}), ..Run::default() };
        let got = run.text(&body(text)).await.unwrap_or_else(|fault| panic!("{text}: {fault}"));
        let expected: Value = serde_json::from_str(expected).expect("a case's result is JSON");
        assert_eq!(got, expected, "{text}");
    }
}

#[tokio::test]
async fn what_json_would_lose_is_an_error() {
    let cases = [
        ("NaN", " is the number NaN"),
        ("{ price: 1 / 0 }", "\"price\" is the number Infinity"),
        ("{ id: 1n }", "\"id\" is a BigInt"),
        ("{ f() {} }", "\"f\" is a function"),
        ("[Symbol()]", "\"0\" is a symbol"),
        ("{ m: new Map() }", "\"m\" is a Map"),
        ("{ t: 'x\\ud800' }", "\"t\" is a text with half a character"),
        ("{ '\\udc00': 1 }", "is a text with half a character"),
        ("{ s: new Set() }", "\"s\" is a Set"),
    ];
    for (value, said) in cases {
        let fault = Run::default().text(&body(&format!("return {value}"))).await.expect_err(value);
        assert_eq!(fault.kind, FaultKind::Thrown, "{value}");
        assert!(fault.message.contains(said), "{value}: {fault}");
        let fault = Run::default().text(&body(&format!("await db.echo({value})"))).await.expect_err(value);
        assert!(fault.message.contains("JSON cannot hold"), "{value}: {fault}");
    }
}

#[tokio::test]
async fn calls_run_at_once_up_to_the_bound() {
    let script = Script::compile(
        &body("return (await Promise.all(Array.from({ length: 50 }, () => db.wait(100)))).length"),
        Origin::default(),
    )
    .expect("it compiles");
    let host = TestHost::default();
    let began = Instant::now();
    assert_eq!(Run::default().script(&script, &host).await, Ok(json!(50)));
    assert_eq!(host.most.load(Ordering::SeqCst), 50);
    // Fifty in a row would be five seconds; the machine that runs the test may be slow.
    assert!(began.elapsed() < Duration::from_millis(2500), "{:?}", began.elapsed());

    let mut run = Run::default();
    run.limits.calls = 7;
    let host = TestHost::default();
    let script = Script::compile(
        &body("return (await Promise.all(Array.from({ length: 50 }, () => db.wait(1)))).length"),
        Origin::default(),
    )
    .expect("it compiles");
    assert_eq!(run.script(&script, &host).await, Ok(json!(50)));
    assert_eq!(host.most.load(Ordering::SeqCst), 7);
}

#[tokio::test]
async fn a_call_begins_while_the_script_computes() {
    let text = body(
        "const call = db.echo('early'); const until = Date.now() + 200; while (Date.now() < until); progress(1); return call",
    );
    let script = Script::compile(&text, Origin::default()).expect("it compiles");
    let host = TestHost::default();
    assert_eq!(Run::default().script(&script, &host).await, Ok(json!(["early"])));
    assert_eq!(host.most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn notes() {
    let text = body(
        "log('plain'); log({ a: 1 }, 'warning'); console.error('bad', 2, new TypeError('x')); progress(1, 3, 'one'); progress(2);\n\
         log(undefined); db.wait(10000); Promise.reject(1); return 1",
    );
    let script = Script::compile(&text, Origin::default()).expect("it compiles");
    let host = TestHost::default();
    assert_eq!(Run::default().script(&script, &host).await, Ok(json!(1)));
    let log = host.log.lock().clone();
    let expected = [
        (Level::Info, "plain"),
        (Level::Warning, r#"{"a":1}"#),
        (Level::Error, "bad 2 TypeError: x"),
        (Level::Info, "undefined"),
    ];
    assert_eq!(log[..4], expected.map(|(level, text)| (level, text.to_owned())));
    assert!(log[4].1.contains("before 1 of its calls"), "{log:?}");
    assert!(log[5].1.contains("1 promises were rejected"), "{log:?}");
    assert_eq!(*host.progress.lock(), [(1.0, Some(3.0), "one".to_owned()), (2.0, None, String::new())]);
    assert_eq!(host.now.load(Ordering::SeqCst), 0, "the call that nobody waited for was taken back");
}

#[tokio::test]
async fn too_many_notes_are_counted() {
    let script =
        Script::compile(&body("for (let n = 0; n < 5000; n++) log(n)"), Origin::default()).expect("it compiles");
    let host = TestHost::default();
    assert_eq!(Run::default().script(&script, &host).await, Ok(Value::Null));
    let log = host.log.lock();
    let told = log.iter().filter(|(_, text)| text.parse::<u32>().is_ok()).count();
    let lost = log.iter().find_map(|(_, text)| text.split_once(" log lines")?.0.parse::<usize>().ok()).unwrap_or(0);
    assert_eq!(told + lost, 5000);
}

#[tokio::test]
async fn cancellation_reaches_the_host() {
    let script = Script::compile(&body("await db.never()"), Origin::default()).expect("it compiles");
    let (host, run) = (TestHost::default(), Run::default());
    let cancel = run.cancel.clone();
    let (result, ()) = tokio::join!(run.script(&script, &host), async {
        while host.now.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    });
    assert_eq!(result.expect_err("cancelled").kind, FaultKind::Cancelled);
    assert_eq!(host.dropped.load(Ordering::SeqCst), 1);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-4_000_000_000i64..4_000_000_000).prop_map(|n| json!(n as f64 / 8.0)),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((".{0,8}", inner), 0..8).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Values pass through the script, to the host and back, unchanged.
    #[test]
    fn values_pass_unchanged(value in value()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let script = Script::compile(&body("return (await db.echo(args))[0]"), Origin::default()).expect("it compiles");
        let run = Run { arguments: value.clone(), ..Run::default() };
        let got = runtime.block_on(run.script(&script, &TestHost::default())).expect("a result");
        prop_assert_eq!(numbers(got), numbers(value));
    }
}

/// Numbers as the language knows them: one kind, and one zero.
fn numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap_or_default() + 0.0),
        Value::Array(items) => items.into_iter().map(numbers).collect(),
        Value::Object(fields) => {
            // The language puts keys that are numbers first.
            let mut fields: Vec<_> = fields.into_iter().map(|(key, value)| (key, numbers(value))).collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(fields.into_iter().collect())
        }
        other => other,
    }
}

#[tokio::test]
async fn an_answer_may_have_a_text_and_a_failure_words_of_its_own() {
    let host = TestHost::default();
    let run = async |text: &str| {
        let script = Script::compile(text, Origin::default()).unwrap();
        let call = Call {
            arguments: b"{}",
            surface: &surface(),
            limits: Limits::default(),
            deadline: tokio::time::Instant::now() + Duration::from_secs(10),
            cancel: &tokio_util::sync::CancellationToken::new(),
        };
        Sandbox::shared().run(&script, &host, call).await
    };
    let answer = run("export default (_, { answer }) => answer({ n: 1 }, 'one')").await.unwrap();
    assert_eq!((&answer.json[..], answer.text.as_deref()), (&b"{\"n\":1}"[..], Some("one")));
    let plain = run("export default () => ({ n: 1 })").await.unwrap();
    assert_eq!((&plain.json[..], plain.text), (&b"{\"n\":1}"[..], None));
    let fault = run("export default (_, { fail }) => { throw fail('there is none', 'not_found', { id: 7 }) }")
        .await
        .unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str(), fault.place), (FaultKind::Told, "there is none", None));
    assert_eq!((fault.code.as_deref(), fault.detail.as_deref()), (Some("not_found"), Some("{\"id\":7}")));
    let thrown = run("export default (_, { answer }) => answer(1, 2)").await.unwrap_err();
    assert_eq!(thrown.kind, FaultKind::Thrown);
}

#[tokio::test]
async fn an_export_is_called_by_its_name() {
    let text = "export const one = () => 1; export const two = () => one() + 1; export const three = 3;";
    for (name, expected) in [("one", 1), ("two", 2)] {
        let script = Script::compile_export(text, name, Origin::default()).unwrap();
        assert_eq!(Run::default().script(&script, &TestHost::default()).await, Ok(json!(expected)));
    }
    for name in ["three", "four", "default"] {
        let fault = Script::compile_export(text, name, Origin::default()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Shape, "{name}: {fault}");
    }
}
