//! How often a caller may come, as answers tell it (draft-ietf-httpapi-ratelimit-headers).

use ::http::{HeaderMap, HeaderName, HeaderValue};

/// What remains of a limit.
pub const RATE: HeaderName = HeaderName::from_static("ratelimit");
/// What the limit is.
pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Longest value that is told, bytes: a name and two numbers.
const VALUE_BYTES_MAX: usize = 96;

/// What remains of a limit of one caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Which limit it is: a word of ASCII letters.
    pub policy: &'static str,
    /// How many more may come now.
    pub left: u32,
    /// How many may come in a window.
    pub quota: u32,
    /// The window, seconds.
    pub window: u64,
}

impl Limit {
    /// Tells it in the headers of an answer. Nothing is allocated but the values.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let mut text = Text::default();
        text.push(b"\"").push(self.policy.as_bytes()).push(b"\";r=").number(self.left);
        headers.extend(text.value().map(|value| (RATE, value)));
        let mut text = Text::default();
        text.push(b"\"")
            .push(self.policy.as_bytes())
            .push(b"\";q=")
            .number(self.quota)
            .push(b";w=")
            .number(self.window);
        headers.extend(text.value().map(|value| (POLICY, value)));
    }
}

/// A short text on the stack.
struct Text {
    bytes: [u8; VALUE_BYTES_MAX],
    length: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self { bytes: [0; VALUE_BYTES_MAX], length: 0 }
    }
}

impl Text {
    fn push(&mut self, more: &[u8]) -> &mut Self {
        if let Some(room) = self.bytes.get_mut(self.length..self.length + more.len()) {
            room.copy_from_slice(more);
        }
        self.length += more.len();
        self
    }

    fn number(&mut self, number: impl itoa::Integer) -> &mut Self {
        self.push(itoa::Buffer::new().format(number).as_bytes())
    }

    /// The text; nothing where it was too long.
    fn value(&self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(self.bytes.get(..self.length)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Limit;

    #[test]
    fn it_is_told_as_the_draft_has_it() {
        let told = |policy| {
            let mut headers = ::http::HeaderMap::new();
            Limit { policy, left: 199, quota: u32::MAX, window: 86_400 }.tell(&mut headers);
            let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            (value("ratelimit"), value("ratelimit-policy"))
        };
        let wanted = ("\"key-day\";r=199".to_owned(), "\"key-day\";q=4294967295;w=86400".to_owned());
        assert_eq!(told("key-day"), (Some(wanted.0), Some(wanted.1)));
        assert_eq!(
            told("a name that is far longer than any limit is called, so that it does not fit into the room for it"),
            (None, None)
        );
    }
}
