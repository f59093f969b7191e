//! Where errors point.

use script::{FaultKind, Origin, Place, Script};

use crate::support::{Run, TestHost};

type Broken = (&'static str, FaultKind, Option<(u32, u32)>);

/// A script, what kind of fault compiling it is, and the place.
const BROKEN: &[Broken] = &[
    ("export default function () {\n  return 1 +;\n}", FaultKind::Syntax, Some((2, 13))),
    ("export default (", FaultKind::Syntax, Some((1, 17))),
    ("const a = 1;\nconst a = 2;\nexport default () => a", FaultKind::Syntax, Some((2, 9))),
    ("export default () => 'ä' + €", FaultKind::Syntax, Some((1, 28))),
    ("return 1", FaultKind::Syntax, Some((1, 1))),
    ("", FaultKind::Shape, None),
    ("export const x = 1", FaultKind::Shape, None),
    ("export default 5", FaultKind::Shape, None),
    ("import fs from 'node:fs';\nexport default () => 1", FaultKind::Syntax, None),
    ("await new Promise(() => {});\nexport default () => 1", FaultKind::Shape, None),
    ("export default () => 1;\nthrow new Error('no')", FaultKind::Thrown, Some((2, 11))),
    ("for (;;);\nexport default () => 1", FaultKind::Cpu, Some((1, 1))),
];

#[test]
fn faults_at_create_time() {
    let mut wrong = Vec::new();
    for (text, kind, place) in BROKEN {
        let fault = Script::compile(text, Origin::default()).expect_err(text);
        let place = place.map(|(line, column)| Place { line, column });
        if (fault.kind, fault.place) != (*kind, place) {
            wrong.push(format!("{text}: {:?} {:?} {fault}", fault.kind, fault.place));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn faults_of_runs_point_into_the_users_file() {
    let text = "const table = 'nowhere';\nexport default async function run(args, { db, sleep }) {\n  await sleep(1);\n  return helper(db);\n}\nasync function helper(db) {\n  return await db.fail(table);\n}\n";
    let starts: Vec<_> = (0..9).map(|line| (20 + line, 9)).collect();
    let script = Script::compile(text, Origin::within("shop.yaml", starts)).expect("it compiles");
    let fault = Run::default().script(&script, &TestHost::default()).await.expect_err("the table is not there");
    assert_eq!(fault.code.as_deref(), Some("sql"));
    assert_eq!(fault.to_string(), "no such table: nowhere (shop.yaml:26:32)");
    assert_eq!(fault.trace[0].0, "helper");
    assert_eq!(fault.trace[1], ("run".to_owned(), Place { line: 23, column: 25 }));
}

#[tokio::test]
async fn thrown_values() {
    let cases = [
        ("throw new TypeError('x')", "TypeError: x", Some(1)),
        ("return args.a.b", "TypeError: cannot read property 'b' of undefined", Some(1)),
        ("throw 'plain'", "the script threw plain", None),
        ("throw { code: 7 }", "{\"code\":7}", None),
        ("throw undefined", "the script threw undefined", None),
        ("throw Symbol('s')", "the script threw Symbol(s)", None),
        (
            "const e = new Error('m'); Object.defineProperty(e, 'message', { get() { throw 1 } }); throw e",
            "the script threw a value that cannot be read",
            None,
        ),
        (
            "throw new Proxy({}, { get() { throw new Error('trap') } })",
            "the script threw a value that cannot be read",
            None,
        ),
        ("JSON.parse('{')", "SyntaxError", Some(1)),
        ("nowhere()", "ReferenceError: nowhere is not defined", Some(1)),
    ];
    for (text, message, line) in cases {
        let run = Run { arguments: serde_json::json!({}), ..Run::default() };
        let fault = run.text(&format!("export default (args) => {{ {text} }}")).await.expect_err(text);
        assert_eq!(fault.kind, FaultKind::Thrown, "{text}: {fault}");
        assert!(fault.message.contains(message), "{text}: {fault}");
        assert_eq!(fault.place.map(|place| place.line), line, "{text}: {fault}");
    }
}
