//! A host for tests, and how they run scripts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use script::{Call, Fault, FaultKind, Host, HostError, HostFuture, Level, Limits, Origin, Sandbox, Script, Surface};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// `db.echo` gives its arguments, `db.wait` after some milliseconds, `db.fail` an error, `db.never` nothing.
#[derive(Default)]
pub(crate) struct TestHost {
    pub(crate) log: Mutex<Vec<(Level, String)>>,
    pub(crate) progress: Mutex<Vec<(f64, Option<f64>, String)>>,
    pub(crate) now: AtomicUsize,
    pub(crate) most: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
}

struct Under<'a>(&'a TestHost, bool);

impl Drop for Under<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
        if !self.1 {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Host for TestHost {
    fn call(&self, function: usize, arguments: String) -> HostFuture<'_> {
        Box::pin(async move {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            let mut under = Under(self, false);
            let values: Vec<Value> = serde_json::from_str(&arguments).map_err(|e| HostError::new(e.to_string()))?;
            let answer = match function {
                0 => Ok(Bytes::from(arguments)),
                1 => {
                    let milliseconds = values.first().and_then(Value::as_u64).unwrap_or(1);
                    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                    Ok(Bytes::from(arguments))
                }
                2 => Err(HostError::new("no such table: nowhere").code("sql")),
                _ => std::future::pending().await,
            };
            under.1 = true;
            answer
        })
    }

    fn progress(&self, done: f64, total: Option<f64>, message: &str) {
        self.progress.lock().push((done, total, message.to_owned()));
    }

    fn log(&self, level: Level, text: &str) {
        self.log.lock().push((level, text.to_owned()));
    }
}

/// The names of [`TestHost`].
pub(crate) fn surface() -> Surface {
    let mut surface = Surface::new();
    assert!(surface.add("db", ["echo", "wait", "fail", "never"]));
    surface
}

/// How a script is run in a test.
pub(crate) struct Run {
    pub(crate) arguments: Value,
    pub(crate) limits: Limits,
    pub(crate) time: Duration,
    pub(crate) cancel: CancellationToken,
}

impl Default for Run {
    fn default() -> Self {
        let time = Duration::from_secs(20);
        Self { arguments: Value::Null, limits: Limits::default(), time, cancel: CancellationToken::new() }
    }
}

impl Run {
    pub(crate) async fn script(&self, script: &Script, host: &TestHost) -> Result<Value, Fault> {
        let arguments = self.arguments.to_string();
        let call = Call {
            arguments: arguments.as_bytes(),
            surface: &surface(),
            limits: self.limits,
            deadline: Instant::now() + self.time,
            cancel: &self.cancel,
        };
        let answer = Sandbox::shared().run(script, host, call).await?;
        Ok(serde_json::from_slice(&answer.json).expect("a result is JSON"))
    }

    /// Runs the text of a script both compiled and parsed at each run; both must agree.
    pub(crate) async fn text(&self, text: &str) -> Result<Value, Fault> {
        let host = TestHost::default();
        let compiled = self.script(&Script::compile(text, Origin::default())?, &host).await;
        let parsed = self.script(&Script::compile_uncached(text, Origin::default())?, &host).await;
        match (&compiled, &parsed) {
            (Ok(one), Ok(other)) => assert_eq!(one, other, "{text}"),
            (Err(one), Err(other)) if matches!(one.kind, FaultKind::Thrown | FaultKind::Syntax) => {
                assert_eq!((one.kind, one.place), (other.kind, other.place), "{text}: {one} {other}");
            }
            // Where a limit strikes is a matter of luck.
            (Err(one), Err(other)) => assert_eq!(one.kind, other.kind, "{text}: {one} {other}"),
            (one, other) => panic!("{text}: compiled gives {one:?}, parsed gives {other:?}"),
        }
        compiled
    }
}

/// A script whose function has this body.
pub(crate) fn body(text: &str) -> String {
    format!("export default async function run(args, {{ db, log, progress, sleep }}) {{\n{text}\n}}\n")
}
