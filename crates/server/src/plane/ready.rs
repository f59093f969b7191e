//! Whether requests are wanted, and with `?verbose` what that rests on.

use std::time::{Duration, Instant};

use http::{Response, StatusCode};
use operations::{Code, Context};
use protocol::http::Body;
use serde_json::{Value, json};

use super::answer;

/// Longest wait for one check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Where a process says that it lives.
pub(super) const ALIVE: &str = "/livez";

/// Whether a path is for those who look after the process.
pub(super) fn is_probe(path: &str) -> bool {
    path.strip_suffix('/').unwrap_or(path) == ALIVE || is_asked(path)
}

/// Whether a path asks whether requests are wanted.
pub(super) fn is_asked(path: &str) -> bool {
    matches!(path.strip_suffix('/').unwrap_or(path), "/readyz" | "/startupz" | "/healthz")
}

/// Whether each check is wanted, as Kubernetes asks: the parameter alone.
pub(super) fn is_verbose(query: Option<&str>) -> bool {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .any(|(name, value)| name == "verbose" && !matches!(value.as_ref(), "0" | "false"))
}

/// The answer: 200, or 503 while the process drains and when its catalogue was taken from it.
pub(super) fn answer(
    context: &Context,
    is_ready: bool,
    mut facts: Value,
    checks: Option<Vec<Value>>,
) -> Response<Body> {
    let (status, word) = match (is_ready, context.look()) {
        (true, Ok(())) => (StatusCode::OK, "ok"),
        (true, Err(_)) => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
    };
    facts["status"] = word.into();
    if let Some(mut checks) = checks {
        let requests = if is_ready { "ok" } else { word };
        checks.insert(0, json!({"name": "requests", "status": requests}));
        facts["checks"] = checks.into();
    }
    answer::json(status, &facts)
}

/// Each check. A database server that is away is told here alone: servers that run answer without it, and it comes back, so
/// requests stay wanted.
pub(super) async fn checks(context: &Context, running: usize, lost: u64) -> Vec<Value> {
    let start = Instant::now();
    let read = context.store(|store| store.server("readyz").map(|_| ()));
    let problem = match tokio::time::timeout(CHECK_TIMEOUT, read).await {
        Ok(Ok(())) => None,
        // There is no such server, which is what was read.
        Ok(Err(error)) if error.code == Code::NoServer => None,
        // Where it is, is nobody's business who only asks for health.
        Ok(Err(error)) => Some(error.code.title().to_owned()),
        Err(_) => Some(format!("it does not answer within {} s", CHECK_TIMEOUT.as_secs())),
    };
    let ms = (start.elapsed().as_secs_f64() * 1e6).round() / 1e3;
    let mut catalogue =
        json!({"name": "catalogue", "status": if problem.is_none() { "ok" } else { "failed" }, "ms": ms});
    if let Some(problem) = problem {
        catalogue["message"] = problem.into();
    }
    vec![
        catalogue,
        json!({"name": "servers", "status": "ok", "running": running}),
        json!({"name": "log", "status": if lost == 0 { "ok" } else { "behind" }, "lost": lost}),
    ]
}
