//! Whether a caller takes JSON (RFC 9110, section 12.5.1).

use http::HeaderMap;
use http::header::ACCEPT;

/// Whether the answer may be JSON. Without the header it may be anything.
pub(super) fn takes_json(headers: &HeaderMap) -> bool {
    let mut asked = headers.get_all(ACCEPT).iter().peekable();
    if asked.peek().is_none() {
        return true;
    }
    asked.any(|value| value.to_str().is_ok_and(|text| text.trim().is_empty() || text.split(',').any(range_takes_json)))
}

fn range_takes_json(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let refused = parts.any(|part| {
        let weight = part.to_ascii_lowercase();
        weight.strip_prefix("q=").is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
    });
    !refused && matches!(kind.as_str(), "*/*" | "application/*" | "application/json" | "application/problem+json")
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::ACCEPT;

    #[test]
    fn json_is_taken_unless_it_is_excluded() {
        let cases = [
            (None, true),
            (Some("*/*"), true),
            (Some("text/html, application/json;q=0.5"), true),
            (Some("Application/*"), true),
            (Some("text/csv"), false),
            (Some("application/json;q=0"), false),
            (Some(""), true),
        ];
        for (accept, taken) in cases {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(super::takes_json(&headers), taken, "{accept:?}");
        }
    }
}
