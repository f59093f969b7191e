//! Pages: `limit` from 1 to 100, as a text, and opaque cursors.

use serde_json::{Value, json};
use shim::http::{Response, json_answer};

use crate::orders::problem;
use crate::uri;

/// The most that a page holds.
const LIMIT_MAX: usize = 100;
const LIMIT: usize = 20;

/// A page of a list. The cursor names the last item of the page before, so that what is added in front moves nothing.
pub(super) fn page(key: &str, id: &str, items: Vec<Value>, query: &str) -> Response {
    let limit = match uri::value(query, "limit").map(|text| text.parse::<usize>()) {
        None => LIMIT,
        Some(Ok(limit @ 1..=LIMIT_MAX)) => limit,
        Some(_) => return problem(400, "limit must be a number between 1 and 100"),
    };
    let from = match uri::value(query, "cursor") {
        None => 0,
        Some(cursor) => {
            let last = cursor.strip_prefix("after_").unwrap_or_default();
            match items.iter().position(|item| item[id] == last) {
                Some(at) => at + 1,
                None => return problem(400, "cursor is not valid"),
            }
        }
    };
    let rest = items.get(from..).unwrap_or_default();
    let shown = &rest[..rest.len().min(limit)];
    let more = rest.len() > limit;
    let last = shown.last().and_then(|item| item[id].as_str()).filter(|_| more);
    let next = last.map(|last| format!("after_{last}"));
    json_answer(200, &json!({ key: shown, "pagination": { "hasMore": more, "nextCursor": next } }))
}
