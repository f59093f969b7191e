//! Takes secrets out of what an upstream sends: some echo the request that they were sent.

use std::collections::VecDeque;

use base::{Secret, spellings};
use bytes::Bytes;
use memchr::memmem::Finder;
use parking_lot::RwLock;

/// What stands in place of a secret.
const STARS: &[u8] = b"***";
/// A shorter value is no secret: hiding it would break unrelated text.
const SECRET_BYTES_MIN: usize = 4;
/// Most tokens that are remembered; the oldest goes first, long after it has expired.
const TOKENS_MAX: usize = 16;

/// The values that no answer may hold.
#[derive(Default)]
pub(crate) struct Mask {
    secrets: RwLock<Secrets>,
}

#[derive(Default)]
struct Secrets {
    fixed: Vec<String>,
    tokens: VecDeque<String>,
    /// Every spelling of all of them, the longest first: one that holds another one leaves no rest.
    spellings: Vec<Finder<'static>>,
}

impl Mask {
    /// Remembers a secret for as long as the connection is there.
    pub(crate) fn add(&self, secret: &Secret) {
        let mut secrets = self.secrets.write();
        secrets.fixed.push(secret.expose().to_owned());
        secrets.rebuild();
    }

    /// Remembers a token.
    pub(crate) fn add_token(&self, token: &Secret) {
        let mut secrets = self.secrets.write();
        secrets.tokens.push_back(token.expose().to_owned());
        if secrets.tokens.len() > TOKENS_MAX {
            secrets.tokens.pop_front();
        }
        secrets.rebuild();
    }

    /// The bytes with stars in place of secrets; the same bytes when there are none.
    pub(crate) fn bytes(&self, bytes: Bytes) -> Bytes {
        self.secrets.read().spellings.iter().fold(bytes, replaced)
    }

    /// The same with further secrets, those of one call.
    pub(crate) fn bytes_without<'a>(&self, bytes: Bytes, further: impl IntoIterator<Item = &'a Secret>) -> Bytes {
        let own = finders(further.into_iter().map(Secret::expose));
        self.bytes(own.iter().fold(bytes, replaced))
    }

    /// The same for a text.
    pub(crate) fn text_without<'a>(&self, text: &str, further: impl IntoIterator<Item = &'a Secret>) -> String {
        let bytes = self.bytes_without(Bytes::copy_from_slice(text.as_bytes()), further);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The same for every text of a value, in place.
    #[cfg(any(feature = "redis", feature = "mongo"))]
    pub(crate) fn value(&self, value: &mut serde_json::Value) {
        use serde_json::Value;
        if self.secrets.read().spellings.is_empty() {
            return;
        }
        match value {
            Value::String(text) if self.holds(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                if fields.keys().any(|key| self.holds(key)) {
                    *fields = std::mem::take(fields).into_iter().map(|(key, value)| (self.text(&key), value)).collect();
                }
                fields.values_mut().for_each(|field| self.value(field));
            }
            _ => {}
        }
    }

    #[cfg(any(feature = "redis", feature = "mongo"))]
    fn holds(&self, text: &str) -> bool {
        let secrets = self.secrets.read();
        secrets.spellings.iter().any(|secret| secret.find(text.as_bytes()).is_some())
    }

    /// The same for a text.
    pub(crate) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(Bytes::copy_from_slice(text.as_bytes()))).into_owned()
    }
}

fn replaced(bytes: Bytes, value: &Finder<'static>) -> Bytes {
    let mut found = value.find_iter(&bytes).peekable();
    if found.peek().is_none() {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in found {
        out.extend_from_slice(&bytes[from..at]);
        out.extend_from_slice(STARS);
        from = at + value.needle().len();
    }
    out.extend_from_slice(&bytes[from..]);
    Bytes::from(out)
}

impl Secrets {
    fn rebuild(&mut self) {
        self.spellings = finders(self.fixed.iter().chain(&self.tokens).map(String::as_str));
    }
}

/// What finds every spelling of secrets.
fn finders<'a>(secrets: impl Iterator<Item = &'a str>) -> Vec<Finder<'static>> {
    let mut all: Vec<String> = secrets.filter(|value| value.len() >= SECRET_BYTES_MIN).flat_map(spellings).collect();
    all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    all.dedup();
    all.iter().map(|spelling| Finder::new(spelling.as_bytes()).into_owned()).collect()
}
