//! Headers of a call.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD_NO_PAD};
use http::header::{CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::TIMEOUT_MAX;
use crate::http::USER_AGENT as OURS;

/// Base64 with padding or without, as the protocol allows both.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The headers of a call. Names of the protocol itself cannot be given.
pub(super) fn headers<'a>(
    given: impl Iterator<Item = &'a (String, String)>,
    left: Duration,
) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(USER_AGENT, HeaderValue::from_static(OURS));
    headers.insert("grpc-accept-encoding", HeaderValue::from_static("identity,gzip"));
    headers.insert("grpc-timeout", timeout(left));
    for (name, value) in given {
        let lower = name.to_ascii_lowercase();
        let reserved = lower.starts_with("grpc-") || crate::http::is_reserved(&lower) || lower == "content-type";
        if reserved {
            return Err(format!("the metadata `{lower}` belongs to the protocol and cannot be set"));
        }
        let parsed = HeaderName::try_from(lower.as_str());
        let parsed = parsed.map_err(|_| format!("`{}` is no name of metadata", name.escape_debug()))?;
        let bytes = if lower.ends_with("-bin") { LENIENT.decode(value).ok() } else { None };
        let value = match bytes {
            Some(bytes) => STANDARD_NO_PAD.encode(bytes),
            None if lower.ends_with("-bin") => {
                return Err(format!("the value of the metadata `{lower}` is not base64"));
            }
            None => value.clone(),
        };
        let is_text = value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let value = HeaderValue::try_from(value).ok().filter(|_| is_text);
        let why =
            || format!("the value of the metadata `{lower}` is not plain ASCII; name it `{lower}-bin` and give base64");
        headers.append(parsed, value.ok_or_else(why)?);
    }
    Ok(headers)
}

/// At most eight digits and a unit.
fn timeout(left: Duration) -> HeaderValue {
    let left = left.min(TIMEOUT_MAX);
    let text =
        if left.as_millis() < 100_000_000 { format!("{}m", left.as_millis()) } else { format!("{}S", left.as_secs()) };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("1S"))
}

/// The bytes of a header whose name ends in `-bin`.
pub(super) fn binary(value: &HeaderValue) -> Option<Vec<u8>> {
    LENIENT.decode(value.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{headers, timeout};

    #[test]
    fn metadata_is_checked() {
        let with =
            |name: &str, value: &str| headers([(name.to_owned(), value.to_owned())].iter(), Duration::from_secs(1));
        for (name, value, sent) in [("X-Plain", "a b", "a b"), ("x-bin", "AQI=", "AQI"), ("x-bin", "AQI", "AQI")] {
            let found = with(name, value).expect("good metadata");
            assert_eq!(found[&name.to_ascii_lowercase()], sent);
        }
        for (name, value) in [
            ("grpc-timeout", "1S"),
            ("TE", "x"),
            ("content-type", "x"),
            ("host", "x"),
            ("a b", "x"),
            ("", "x"),
            ("x", "a\r\nb: c"),
            ("x", "é"),
            ("x-bin", "*"),
        ] {
            assert!(with(name, value).is_err(), "{name}: {value}");
        }
    }

    #[test]
    fn waits_are_written_in_eight_digits() {
        for (left, text) in [(1, "1m"), (99_999_999, "99999999m"), (100_000_000, "100000S"), (u64::MAX, "99999999S")] {
            assert_eq!(timeout(Duration::from_millis(left)), text);
        }
    }
}
