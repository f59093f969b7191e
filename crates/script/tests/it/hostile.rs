//! What a script must not reach, and what one run must not leave behind.

use script::{FaultKind, Origin, Script};
use serde_json::{Value, json};

use crate::support::{Run, TestHost, body};

/// Ways to code from text; each must throw.
const CODE_FROM_TEXT: &[&str] = &[
    "eval('1')",
    "(0, eval)('1')",
    "globalThis['ev' + 'al']('1')",
    "new Function('return 1')()",
    "Function('return 1')()",
    "(() => {}).constructor('return 1')()",
    "(async () => {}).constructor('return 1')()",
    "(function* () {}).constructor('return 1')()",
    "(async function* () {}).constructor('return 1')()",
    "Reflect.construct(Object.getPrototypeOf(() => {}).constructor, ['return 1'])()",
    "class A extends Function {} ; new A('return 1')()",
    "Object.getPrototypeOf(async () => {}).constructor.prototype.constructor('return 1')()",
    "[].constructor.constructor('return 1')()",
    "db.echo.constructor('return 1')()",
    "log.constructor('return 1')()",
    "await import('data:text/javascript,export default 1')",
    "await import('script')",
    "await import('prelude')",
    "await import('/etc/passwd')",
    "await import('node:fs')",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)",
];

#[tokio::test]
async fn code_from_text_and_other_modules_are_refused() {
    for text in CODE_FROM_TEXT {
        let fault = Run::default().text(&body(text)).await.expect_err(text);
        assert!(matches!(fault.kind, FaultKind::Thrown | FaultKind::Syntax), "{text}: {fault}");
    }
    let ok = Run::default().text(&body("return (() => {}) instanceof Function")).await;
    assert_eq!(ok, Ok(Value::Bool(true)));
}

/// Spoils everything in reach, then still works as far as it can; the next run must see nothing of it.
const POLLUTION: &[&str] = &[
    "Object.prototype.polluted = 1; Array.prototype.polluted = 1; globalThis.polluted = 1",
    "JSON.parse = () => 'no'; JSON.stringify = () => 'no'",
    "Object.prototype.toJSON = () => 'no'",
    "Promise.prototype.then = () => { throw 1 }",
    "Promise = class { constructor() { throw 1 } }",
    "Object.defineProperty(Object.prototype, 'code', { get() { throw 1 } })",
    "Object.defineProperty(Object.prototype, 'resolve', { set() { throw 1 }, get() { return 1 } })",
    "Error.prepareStackTrace = () => { throw 1 }; Error.stackTraceLimit = 'x'",
    "Array.prototype[Symbol.iterator] = null; Function.prototype.call = null; Function.prototype.bind = null",
    "delete globalThis.JSON; delete globalThis.Object; delete globalThis.Error",
    "globalThis.console = null; Object.freeze(globalThis)",
];

#[tokio::test]
async fn nothing_stays_behind() {
    let probe = Script::compile(
        &body(
            "const seen = [];\n for (const key in {}) seen.push(key);\n\
             const names = Object.getOwnPropertyNames(globalThis).sort().join();\n\
             return { seen, names, polluted: typeof polluted, echo: await db.echo(1), json: JSON.parse('1') }",
        ),
        Origin::default(),
    )
    .expect("it compiles");
    let host = TestHost::default();
    let clean = Run::default().script(&probe, &host).await.expect("a result");
    for text in POLLUTION {
        let spoil = Script::compile(&body(&format!("{text}; return (await db.echo(5))[0]")), Origin::default())
            .expect("it compiles");
        // What it gets is its own affair, but it must get something and in time.
        let _ = Run::default().script(&spoil, &host).await;
        assert_eq!(Run::default().script(&probe, &host).await.as_ref(), Ok(&clean), "{text}");
    }
}

#[tokio::test]
async fn a_script_that_changes_the_language_still_reaches_its_host() {
    for text in POLLUTION.iter().take(2) {
        let got = Run::default().text(&body(&format!("{text}; return (await db.echo(5)).length"))).await;
        assert_eq!(got, Ok(json!(1)).map_err(|fault: script::Fault| fault), "{text}");
    }
}

#[tokio::test]
async fn the_hosts_objects_cannot_be_changed() {
    for text in [
        "db.echo = 1",
        "db.more = 1",
        "delete db.echo",
        "console.log = 1",
        "Object.defineProperty(db, 'echo', { value: 1 })",
    ] {
        let fault = Run::default().text(&body(text)).await.expect_err(text);
        assert!(fault.message.starts_with("TypeError"), "{text}: {fault}");
    }
    let text = "export default (args, host) => { try { host.db = 1 } catch { return Object.keys(host).sort() } }";
    assert_eq!(
        Run::default().text(text).await,
        Ok(json!(["again", "answer", "db", "fail", "log", "progress", "sleep"]))
    );
}

/// Values that answer differently each time, or throw, when they are read.
const TRICKS: &[&str] = &[
    "return { get a() { throw new Error('getter') } }",
    "return { toJSON() { throw new Error('toJSON') } }",
    "return new Proxy({}, { ownKeys() { throw new Error('keys') } })",
    "return new Proxy({}, { ownKeys() { return ['a'] }, getOwnPropertyDescriptor() { return { enumerable: true, configurable: true, get() { throw new Error('late') } } }, get() { throw new Error('late') } })",
    "const a = []; a[0] = a; return a",
    "const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy",
    "return { then(resolve) { throw new Error('then') } }",
    "await db.echo({ get a() { throw new Error('getter') } })",
    "await db.echo(new Proxy([], { get() { throw new Error('trap') } }))",
    "log('x', 'loud')",
    "progress('x')",
    "progress(NaN)",
    "await sleep('1')",
    "await sleep(-1)",
    "await sleep()",
];

#[tokio::test]
async fn tricks_are_errors_of_the_script() {
    for text in TRICKS {
        let fault = Run::default().text(&body(text)).await.expect_err(text);
        assert_eq!(fault.kind, FaultKind::Thrown, "{text}: {fault}");
    }
    // These end well.
    for text in
        ["log({ get a() { throw 1 } })", "console.log(Symbol('x'), Object.create(null), 1n)", "progress(1, 'x', {})"]
    {
        assert_eq!(Run::default().text(&body(text)).await, Ok(Value::Null), "{text}");
    }
    let endless = "return new Proxy({}, { ownKeys: () => Array.from({ length: 1e3 }, (_, n) => `${n}`), getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }), get: (target, key, self) => (key === 'toJSON' ? undefined : self) })";
    let mut run = Run::default();
    run.limits.cpu = std::time::Duration::from_millis(200);
    let fault = run.text(&body(endless)).await.expect_err("it has no end");
    assert!(matches!(fault.kind, FaultKind::Stack | FaultKind::Memory | FaultKind::Cpu | FaultKind::Thrown), "{fault}");
}
