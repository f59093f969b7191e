//! Calls on their way into the log. Each is made, counted, kept and handed on while others wait: names are shared, not copied.

use std::sync::{Arc, LazyLock};

use serde::Serialize;

/// Who calls when nothing is known of them.
static ANYBODY: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("anonymous"));

/// A call that ended.
#[derive(Clone, Debug)]
pub struct Call {
    /// Grows from call to call: microseconds since 1970 at its end, or one more than the call before.
    pub id: u64,
    /// The server.
    pub server: Arc<str>,
    /// The version that answered.
    pub version: Arc<str>,
    /// The tool.
    pub tool: Arc<str>,
    /// Who called; nobody knows who when absent.
    pub caller: Option<Arc<str>>,
    /// Whether it failed.
    pub is_error: bool,
    /// How long it took, microseconds.
    pub micros: u64,
    /// Size of the arguments, bytes.
    pub bytes_in: u64,
    /// Size of the answer, bytes.
    pub bytes: u64,
    /// What the failure says, with secrets masked.
    pub message: Option<Box<str>>,
}

impl Call {
    /// Who calls when nothing is known of them.
    pub(super) fn anybody() -> &'static Arc<str> {
        &ANYBODY
    }

    /// Who called, for people.
    pub fn caller(&self) -> &Arc<str> {
        self.caller.as_ref().unwrap_or(&ANYBODY)
    }

    /// `ok` or `error`.
    pub fn outcome(&self) -> &'static str {
        if self.is_error { "error" } else { "ok" }
    }

    /// How long it took, milliseconds.
    pub fn ms(&self) -> f64 {
        self.micros as f64 / 1e3
    }

    /// Writes its line.
    pub(super) fn write(&self, times: &mut Times, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let line = Line {
            id: self.id,
            time: times.at(self.id),
            server: &self.server,
            version: &self.version,
            tool: &self.tool,
            caller: self.caller(),
            outcome: self.outcome(),
            ms: self.ms(),
            bytes_in: self.bytes_in,
            bytes: self.bytes,
            message: self.message.as_deref(),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.push(b'\n');
        Ok(())
    }
}

/// An [`super::Entry`] as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    id: u64,
    time: &'a str,
    server: &'a str,
    version: &'a str,
    tool: &'a str,
    caller: &'a str,
    outcome: &'a str,
    ms: f64,
    bytes_in: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

/// Moments as texts (RFC 3339, UTC, milliseconds), of which many are of the same second.
#[derive(Debug, Default)]
pub struct Times {
    second: Option<u64>,
    text: String,
}

impl Times {
    /// The moment so many microseconds after 1970.
    pub fn at(&mut self, micros: u64) -> &str {
        let (second, millis) = (micros / 1_000_000, micros / 1_000 % 1_000);
        if self.second != Some(second) {
            let time = i64::try_from(second).ok().and_then(|second| chrono::DateTime::from_timestamp(second, 0));
            self.text = time.unwrap_or_default().format("%Y-%m-%dT%H:%M:%S.").to_string();
            self.second = Some(second);
        }
        self.text.truncate("2026-01-01T00:00:00.".len());
        for digit in [millis / 100, millis / 10 % 10, millis % 10] {
            self.text.push(char::from(b'0' + digit as u8));
        }
        self.text.push('Z');
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::Times;

    #[test]
    fn moments_are_as_others_write_them() {
        let mut times = Times::default();
        let moments =
            [0, 999, 1_000, 1_999_999, 2_000_000, 1_767_225_599_999_999, 1_767_225_600_000_000, 1_767_225_600_070_001];
        for micros in moments.into_iter().chain(moments.into_iter().rev()) {
            let wanted = chrono::DateTime::from_timestamp_micros(i64::try_from(micros).unwrap()).unwrap();
            let wanted = wanted.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            assert_eq!(times.at(micros), wanted);
        }
    }
}
