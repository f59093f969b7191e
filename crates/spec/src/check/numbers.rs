//! Numbers and their ranges.

use super::Check;
use crate::codes;
use crate::limits::{
    ARGUMENT_BYTES_MAX, CONCURRENCY_MAX, PAGE_SIZE_MAX, POOL_SIZE_MAX, RESULT_BYTES_MAX, ROWS_MAX, TIMEOUT_MS_MAX,
};
use crate::syntax::Node;

/// Key, least, most.
type Range = (&'static str, u64, u64);

const LIMITS: [Range; 5] = [
    ("timeoutMs", 1, TIMEOUT_MS_MAX),
    ("rows", 1, ROWS_MAX),
    ("resultBytes", 1, RESULT_BYTES_MAX),
    ("concurrency", 1, CONCURRENCY_MAX),
    ("argumentBytes", 1, ARGUMENT_BYTES_MAX),
];
const POOL: [Range; 3] =
    [("max", 1, POOL_SIZE_MAX), ("acquireTimeoutMs", 1, TIMEOUT_MS_MAX), ("idleTimeoutMs", 1, 24 * TIMEOUT_MS_MAX)];
const TOOL: [Range; 1] = [("timeoutMs", 1, TIMEOUT_MS_MAX)];
const SQL: [Range; 1] = [("rowLimit", 1, ROWS_MAX)];
const PAGE: [Range; 1] = [("size", 1, PAGE_SIZE_MAX)];

pub(super) fn all(check: &mut Check<'_, '_>) {
    ranges(check, check.tree.get("limits"), &LIMITS);
    for connection in check.list("connections") {
        ranges(check, connection.get("pool"), &POOL);
    }
    for tool in check.list("tools") {
        ranges(check, Some(tool), &TOOL);
        let sql = tool.get("sql");
        ranges(check, sql, &SQL);
        ranges(check, sql.and_then(|sql| sql.get("page")), &PAGE);
    }
}

fn ranges(check: &mut Check<'_, '_>, node: Option<&Node>, ranges: &[Range]) {
    for (key, least, most) in ranges {
        let Some(value) = node.and_then(|node| node.get(key)) else { continue };
        let Some(number) = value.as_number().and_then(serde_json::Number::as_u64) else { continue };
        if number < *least || number > *most {
            let message = format!("`{key}` is {number}");
            check.error(codes::OUT_OF_RANGE, value.span, message, format!("allowed: {least} to {most}"));
        }
    }
}
