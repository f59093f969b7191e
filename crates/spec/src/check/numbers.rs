//! Numbers and their ranges.

use super::Check;
use crate::codes;
use crate::limits::{
    ARGUMENT_BYTES_MAX, ASK_MS_MAX, COMMAND_CONCURRENCY_MAX, CONCURRENCY_MAX, FILE_BYTES_MAX, FILE_ENTRIES_MAX,
    FILE_MATCHES_MAX, HTTP_BODY_BYTES_MAX, HTTP_CONCURRENCY_MAX, HTTP_EVENTS_MAX, HTTP_PAGES_MAX, HTTP_WAITING_MAX,
    PAGE_SIZE_MAX, POOL_SIZE_MAX, REDIRECTS_MAX, RESULT_BYTES_MAX, RETRIES_MAX, ROWS_MAX, SCRIPT_CPU_MS_MAX,
    STATE_FILE_BYTES_MAX, STATE_TIMERS_MAX, STATE_VALUE_BYTES_MAX, STEP_PARALLEL_MAX, TIMEOUT_MS_MAX,
    VECTOR_DIMENSIONS_MAX, VECTOR_SCAN_ROWS_MAX,
};
use crate::syntax::Node;

/// Definition, key, least, most. The published schema and the reference page have them too.
pub(crate) const RANGES: [(&str, &str, u64, u64); 44] = [
    ("Limits", "timeoutMs", 1, TIMEOUT_MS_MAX),
    ("Limits", "rows", 1, ROWS_MAX),
    ("Limits", "resultBytes", 1, RESULT_BYTES_MAX),
    ("Limits", "concurrency", 1, CONCURRENCY_MAX),
    ("Limits", "argumentBytes", 1, ARGUMENT_BYTES_MAX),
    ("Pool", "max", 1, POOL_SIZE_MAX),
    ("Pool", "acquireTimeoutMs", 1, TIMEOUT_MS_MAX),
    ("Pool", "idleTimeoutMs", 1, 24 * TIMEOUT_MS_MAX),
    ("Tool", "timeoutMs", 1, TIMEOUT_MS_MAX),
    ("Shape", "limit", 1, ROWS_MAX),
    ("Sql", "rowLimit", 1, ROWS_MAX),
    ("Page", "size", 1, PAGE_SIZE_MAX),
    ("RateLimit", "requests", 1, 1_000_000),
    ("RateLimit", "periodMs", 1, TIMEOUT_MS_MAX),
    ("RateLimit", "burst", 1, 1_000_000),
    ("Retries", "max", 0, RETRIES_MAX),
    ("Retries", "backoffMs", 1, TIMEOUT_MS_MAX),
    ("Retries", "waitMaxMs", 1, TIMEOUT_MS_MAX),
    ("FileLimits", "readBytes", 1, FILE_BYTES_MAX),
    ("FileLimits", "writeBytes", 1, FILE_BYTES_MAX),
    ("FileLimits", "searchBytes", 1, FILE_BYTES_MAX),
    ("FileLimits", "entries", 1, FILE_ENTRIES_MAX),
    ("FileLimits", "matches", 1, FILE_MATCHES_MAX),
    ("HttpCache", "bytes", 1, HTTP_BODY_BYTES_MAX),
    ("VectorStore", "scanRows", 1, VECTOR_SCAN_ROWS_MAX),
    ("Embedding", "dimensions", 1, VECTOR_DIMENSIONS_MAX),
    ("HttpLimits", "connectTimeoutMs", 1, TIMEOUT_MS_MAX),
    ("HttpLimits", "requestBytes", 1, HTTP_BODY_BYTES_MAX),
    ("HttpLimits", "answerBytes", 1, HTTP_BODY_BYTES_MAX),
    ("HttpLimits", "redirects", 0, REDIRECTS_MAX),
    ("HttpLimits", "concurrency", 1, HTTP_CONCURRENCY_MAX),
    ("HttpLimits", "waiting", 0, HTTP_WAITING_MAX),
    ("HttpEvents", "max", 1, HTTP_EVENTS_MAX),
    ("HttpPages", "max", 1, HTTP_PAGES_MAX),
    ("HttpPages", "first", 0, 1_000_000),
    ("Step", "parallel", 1, STEP_PARALLEL_MAX),
    ("Step", "everyMs", 10, TIMEOUT_MS_MAX),
    ("Step", "withinMs", 1, TIMEOUT_MS_MAX),
    ("Ask", "timeoutMs", 1_000, ASK_MS_MAX),
    ("Command", "concurrency", 1, COMMAND_CONCURRENCY_MAX),
    ("Script", "cpuMs", 1, SCRIPT_CPU_MS_MAX),
    ("State", "valueBytes", 1, STATE_VALUE_BYTES_MAX),
    ("State", "fileBytes", 65_536, STATE_FILE_BYTES_MAX),
    ("State", "timers", 1, STATE_TIMERS_MAX),
];

pub(super) fn all(check: &mut Check<'_, '_>) {
    ranges(check, check.tree.get("limits"), "Limits");
    ranges(check, check.tree.get("state"), "State");
    for connection in check.list("connections") {
        ranges(check, connection.get("pool"), "Pool");
        ranges(check, connection.get("rateLimit"), "RateLimit");
        ranges(check, connection.get("retries"), "Retries");
        ranges(check, connection.get("cache"), "HttpCache");
        match connection.str_of("type") {
            Some("http" | "graphql" | "grpc" | "mcp") => ranges(check, connection.get("limits"), "HttpLimits"),
            Some("files" | "s3" | "gcs") => ranges(check, connection.get("limits"), "FileLimits"),
            Some("vector") => {
                ranges(check, Some(connection), "VectorStore");
                ranges(check, connection.get("embedding"), "Embedding");
            }
            _ => {}
        }
    }
    for tool in check.list("tools") {
        ranges(check, Some(tool), "Tool");
        ranges(check, tool.get("shape"), "Shape");
        ranges(check, tool.get("ask"), "Ask");
        action(check, tool);
        for step in tool.get("steps").and_then(|steps| steps.get("do")).map(Node::items).unwrap_or_default() {
            ranges(check, Some(step), "Step");
            action(check, step);
        }
    }
}

/// The numbers of the action of a tool or a step.
fn action(check: &mut Check<'_, '_>, tool: &Node) {
    ranges(check, tool.get("command"), "Command");
    ranges(check, tool.get("script"), "Script");
    let sql = tool.get("sql");
    ranges(check, sql, "Sql");
    ranges(check, sql.and_then(|sql| sql.get("page")), "Page");
    let fetch = tool.get("script").and_then(|script| script.get("fetch"));
    ranges(check, fetch.and_then(|fetch| fetch.get("limits")), "HttpLimits");
    let http = tool.get("http");
    ranges(check, http.and_then(|http| http.get("events")), "HttpEvents");
    ranges(check, http.and_then(|http| http.get("pages")), "HttpPages");
}

fn ranges(check: &mut Check<'_, '_>, node: Option<&Node>, definition: &str) {
    for (_, key, least, most) in RANGES.iter().filter(|(owner, ..)| *owner == definition) {
        let Some(value) = node.and_then(|node| node.get(key)) else { continue };
        let Some(number) = value.as_number().and_then(serde_json::Number::as_u64) else { continue };
        // A number that could not be kept was reported, and is zero here.
        let is_out = number < *least || number > *most;
        if is_out && !check.is_damaged(value) {
            let message = format!("`{key}` is {number}");
            check.error(codes::OUT_OF_RANGE, value.span, message, format!("allowed: {least} to {most}"));
        }
    }
}
