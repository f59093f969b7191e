//! Choosing between one JSON answer and a stream (RFC 9110, 12.5.1).

use ::http::HeaderMap;
use ::http::header::ACCEPT;

/// What a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepts {
    /// JSON alone. Clients should take both, and those that do not are served nevertheless.
    Json,
    /// Both, JSON rather.
    Both,
    /// Streams rather, or streams alone.
    StreamFirst,
}

/// Reads `Accept`; `None` when the client takes nothing that we have. Of equal weights the first named is preferred.
pub(super) fn accepts(headers: &HeaderMap) -> Option<Accepts> {
    let mut values = headers.get_all(ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return Some(Accepts::Json);
    }
    let (mut json, mut stream) = (0.0f32, 0.0f32);
    let mut stream_named_first = false;
    for value in values {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0f32);
            let takes = |name: &str, family: &str| essence.eq_ignore_ascii_case(name) || essence == family;
            let any = essence == "*/*";
            if any || takes("application/json", "application/*") {
                json = json.max(weight);
            }
            if any || takes("text/event-stream", "text/*") {
                stream_named_first |= json == 0.0;
                stream = stream.max(weight);
            }
        }
    }
    match (json > 0.0, stream > 0.0) {
        (false, false) => None,
        (true, false) => Some(Accepts::Json),
        (false, true) => Some(Accepts::StreamFirst),
        _ if stream > json || (stream_named_first && stream >= json) => Some(Accepts::StreamFirst),
        _ => Some(Accepts::Both),
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderMap;
    use ::http::header::ACCEPT;

    use super::{Accepts, accepts};

    fn read(text: &str) -> Option<Accepts> {
        accepts(&HeaderMap::from_iter([(ACCEPT, text.parse().unwrap())]))
    }

    #[test]
    fn weights_decide_and_then_order() {
        assert_eq!(accepts(&HeaderMap::new()), Some(Accepts::Json));
        assert_eq!(read("application/json"), Some(Accepts::Json));
        assert_eq!(read("application/json, text/event-stream"), Some(Accepts::Both));
        assert_eq!(read("text/event-stream, application/json"), Some(Accepts::StreamFirst));
        assert_eq!(read("text/event-stream;q=0.5, application/json"), Some(Accepts::Both));
        assert_eq!(read("application/json;q=0.1, text/event-stream"), Some(Accepts::StreamFirst));
        assert_eq!(read("application/json, text/event-stream;q=0"), Some(Accepts::Json));
        assert_eq!(read("text/event-stream"), Some(Accepts::StreamFirst));
        assert_eq!(read("*/*"), Some(Accepts::Both));
        assert_eq!(read("text/html"), None);
    }
}
