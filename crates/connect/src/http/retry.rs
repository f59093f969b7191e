//! When a request is sent again, and after how long.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};

/// When a request is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Most attempts after the first one.
    pub max: u32,
    /// Wait before the first repetition; it doubles each time.
    pub backoff: Duration,
    /// Longest wait, also when an upstream asks for more: then its answer is passed on.
    pub wait_max: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { max: 2, backoff: Duration::from_millis(200), wait_max: Duration::from_secs(10) }
    }
}

impl Retries {
    /// The wait before repetition number `nth` (from 0): doubled, with a random half so that clients do not return together.
    pub(super) fn wait(&self, nth: u32) -> Duration {
        let whole = self.backoff.saturating_mul(1_u32.checked_shl(nth).unwrap_or(u32::MAX)).min(self.wait_max);
        whole / 2 + (whole / 2).mul_f64(random())
    }
}

/// Whether sending twice is as good as once (RFC 9110, section 9.2.2).
pub(super) fn is_idempotent(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE, Method::TRACE].contains(method)
}

/// Whether an answer says that trying again may help.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 502 | 503 | 504)
}

/// What `Retry-After` asks for: seconds, or a time (RFC 9110, section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some(at.signed_duration_since(chrono::Utc::now()).to_std().unwrap_or_default())
}

/// A number from 0 to 1.
fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness the waits are the same for all: slower, not wrong.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
