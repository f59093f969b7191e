//! Secrets never leave: what was resolved for use is replaced by `***` wherever it comes back.

use std::borrow::Cow;

use base::{Secret, spellings};
use memchr::memmem::{self, Finder};

use crate::limits::MASKED_BYTES_MIN;
use crate::uri::percent_decoded;

/// The known secrets of a server in all their [`spellings`], also of what a percent-encoded one (a password in a URL) stands for. Secrets
/// shorter than [`MASKED_BYTES_MIN`] are not masked: they would hide ordinary words.
#[derive(Clone, Default)]
pub struct Mask {
    needles: Vec<Finder<'static>>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({})", self.needles.len())
    }
}

const STARS: &str = "***";

impl Mask {
    /// Masks these secrets.
    pub fn new(secrets: &[Secret]) -> Self {
        let mut forms: Vec<String> = Vec::new();
        for secret in secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= MASKED_BYTES_MIN) {
            let decoded = percent_decoded(secret).filter(|decoded| decoded != secret);
            forms.extend(spellings(secret).into_iter().chain(decoded.iter().flat_map(|decoded| spellings(decoded))));
        }
        forms.retain(|form| form.len() >= MASKED_BYTES_MIN);
        // A secret that holds another one is replaced as a whole.
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self { needles: forms.iter().map(|form| Finder::new(form.as_bytes()).into_owned()).collect() }
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Cow::Borrowed(text);
        for needle in &self.needles {
            if needle.find(out.as_bytes()).is_some()
                && let Ok(secret) = std::str::from_utf8(needle.needle())
            {
                out = Cow::Owned(out.replace(secret, STARS));
            }
        }
        out
    }

    /// The bytes without secrets.
    pub(crate) fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out = Cow::Borrowed(bytes);
        for needle in &self.needles {
            if needle.find(&out).is_none() {
                continue;
            }
            let mut clean = Vec::with_capacity(out.len());
            let mut rest = &out[..];
            while let Some(at) = needle.find(rest) {
                clean.extend_from_slice(&rest[..at]);
                clean.extend_from_slice(STARS.as_bytes());
                rest = &rest[at + needle.needle().len()..];
            }
            clean.extend_from_slice(rest);
            out = Cow::Owned(clean);
        }
        out
    }

    /// The JSON without secrets in its strings, names included; it stays JSON. `None` when there were none. Numbers
    /// are kept: a secret is a text.
    pub(crate) fn json(&self, json: &[u8]) -> Option<Vec<u8>> {
        let suspicious = !self.is_empty()
            && (self.needles.iter().any(|needle| needle.find(json).is_some()) || memmem::find(json, b"\\").is_some());
        if !suspicious {
            return None;
        }
        let mut out = Vec::with_capacity(json.len());
        let mut changed = false;
        let mut rest = json;
        while let Some(start) = memchr::memchr(b'"', rest) {
            let (before, string) = rest.split_at(start);
            out.extend_from_slice(before);
            let (string, after) = string.split_at(string_end(string));
            match self.string(string) {
                Some(masked) => {
                    out.extend_from_slice(masked.as_bytes());
                    changed = true;
                }
                None => out.extend_from_slice(string),
            }
            rest = after;
        }
        out.extend_from_slice(rest);
        changed.then_some(out)
    }

    /// A JSON string with its quotes, masked; `None` when nothing was to mask.
    fn string(&self, string: &[u8]) -> Option<String> {
        let text: Cow<'_, str> = if string.contains(&b'\\') {
            serde_json::from_slice::<String>(string).ok()?.into()
        } else {
            std::str::from_utf8(string.get(1..string.len().checked_sub(1)?)?).ok()?.into()
        };
        match self.text(&text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(masked) => serde_json::to_string(&masked).ok(),
        }
    }
}

/// Length of the JSON string at the start of `json`, quotes included.
fn string_end(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = json.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if json[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use base::Secret;
    use serde_json::{Value, json};

    use super::Mask;

    fn mask(secrets: &[&str]) -> Mask {
        Mask::new(&secrets.iter().map(|secret| Secret::new(*secret)).collect::<Vec<_>>())
    }

    #[test]
    fn texts_lose_secrets_in_every_form() {
        let mask = mask(&["p@ss/word", "short"]);
        assert_eq!(mask.text("pw p@ss/word, p%40ss%2Fword, p%40ss%2fword, short"), "pw ***, ***, ***, short");
        assert_eq!(mask.text("nothing here"), "nothing here");
        let mask = self::mask(&["back\\slash\"quote"]);
        assert_eq!(mask.text(r#"back\slash"quote, back\\slash\"quote, back\\\\slash\\\"quote"#), "***, ***, ***");
    }

    #[test]
    fn json_stays_json() {
        let mask = mask(&["say \"hi\" now", "1234567", "schlüssel"]);
        let value = json!({"a": "x say \"hi\" now y", "1234567": 1_234_567, "b": ["schlüssel", "plain \\ text"]});
        let text = value.to_string().replace("schlüssel", "schl\\u00fcssel");
        let masked: Value = serde_json::from_slice(&mask.json(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(masked, json!({"a": "x *** y", "***": 1_234_567, "b": ["***", "plain \\ text"]}));
        assert_eq!(mask.json(br#"{"a":"\u0041"}"#), None);
    }
}
