//! How a secret can come back: an upstream that says what it was sent says it in its own way.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Shortest value whose Base64 and digits are looked for: those of a shorter one are in other texts too.
const CODED_BYTES_MIN: usize = 6;
/// What `%XX` never stands for (RFC 3986), and what encoders leave as it is besides: that of a path, `encodeURIComponent`,
/// `encodeURI`.
const KEPT: [&str; 4] = ["-._~", "-._~/", "-._~!'()*", "-._~!'()*;,/?:@&=+$#"];
/// What forms leave as it is; a space is `+` there.
const KEPT_IN_FORMS: &str = "-._*";

/// Every spelling of a value that is looked for where it must not be: plain, within JSON as encoders of several languages write
/// it, within a text of JSON that itself is a text, in URLs and forms, in HTML, in Base64 wherever in a longer text it begins
/// (`Authorization: Basic`), in hexadecimal digits. The longest first: one that holds another one leaves no rest.
pub fn spellings(plain: &str) -> Vec<String> {
    let mut all = vec![plain.to_owned()];
    in_json(plain, &mut all);
    in_urls(plain, &mut all);
    all.extend(in_html(plain));
    if plain.len() >= CODED_BYTES_MIN {
        in_base64(plain, &mut all);
        all.push(digits(plain, "0123456789abcdef"));
        all.push(digits(plain, "0123456789ABCDEF"));
    }
    all.retain(|spelling| !spelling.is_empty());
    all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    all.dedup();
    all
}

fn in_json(plain: &str, all: &mut Vec<String>) {
    let quoted = quoted(plain);
    for once in [ascii(&quoted, false), ascii(&quoted, true), quoted] {
        // PHP puts a backslash before each slash.
        for text in [once.replace('/', "\\/"), once] {
            all.push(self::quoted(&text));
            all.push(text);
        }
    }
}

/// A text as it is within a JSON string.
fn quoted(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap_or_default();
    json.get(1..json.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// JSON of ASCII alone.
fn ascii(text: &str, upper: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
        }
    }
    out
}

fn in_urls(plain: &str, all: &mut Vec<String>) {
    for kept in KEPT {
        for upper in [true, false] {
            let once = percent(plain, kept, upper);
            all.push(once.replace('%', "%25"));
            all.push(once);
        }
    }
    for upper in [true, false] {
        all.push(percent(plain, KEPT_IN_FORMS, upper).replace("%20", "+"));
    }
    let every: Vec<String> = plain.bytes().map(|byte| format!("%{byte:02X}")).collect();
    all.push(every.concat());
    all.push(every.concat().to_ascii_lowercase());
}

fn percent(plain: &str, kept: &str, upper: bool) -> String {
    let mut out = String::with_capacity(plain.len());
    for byte in plain.bytes() {
        match char::from(byte) {
            c if c.is_ascii_alphanumeric() || (c.is_ascii() && kept.contains(c)) => out.push(c),
            _ if upper => out.push_str(&format!("%{byte:02X}")),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

fn in_html(plain: &str) -> [String; 3] {
    let text = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted = text.replace('"', "&quot;");
    [quoted.replace('\'', "&#39;"), quoted.replace('\'', "&#x27;"), text]
}

/// Base64 of a text that holds the value: bytes before it move its beginning, and what is shared with other bytes is left out.
fn in_base64(plain: &str, all: &mut Vec<String>) {
    let mut coded = vec![STANDARD.encode(plain), STANDARD_NO_PAD.encode(plain)];
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(plain.as_bytes());
        let text = STANDARD_NO_PAD.encode(&bytes);
        // One byte before fills a character and a part of the next one, two bytes fill two and a part.
        let from = [0, 2, 3][before];
        let to = text.len() - usize::from(bytes.len() % 3 != 0);
        coded.extend(text.get(from..to).map(str::to_owned));
    }
    for text in coded {
        // Of URLs.
        all.push(text.replace('+', "-").replace('/', "_"));
        all.push(text);
    }
}

fn digits(plain: &str, of: &str) -> String {
    let of = of.as_bytes();
    let both = |byte: u8| [of[usize::from(byte >> 4)], of[usize::from(byte & 15)]];
    plain.bytes().flat_map(both).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::spellings;

    fn is_found(text: &str, secret: &str) -> bool {
        spellings(secret).iter().any(|spelling| text.contains(spelling.as_str()))
    }

    #[test]
    fn a_plain_word_has_few_spellings() {
        let all = spellings("token-of_2026");
        assert!(all.len() <= 14, "{all:?}");
        assert!(all.contains(&"token-of_2026".to_owned()));
        assert_eq!(spellings("abc"), ["%61%62%63", "abc"]);
    }

    #[test]
    fn every_usual_encoding_is_found() {
        let secret = "p@s/s w\u{f6}rd+\"\\=&<'>";
        for text in [
            "p@s/s wörd+\\\"\\\\=&<'>",
            "p@s\\/s w\\u00f6rd+\\\"\\\\=&<'>",
            "p@s\\/s w\\u00F6rd+\\\"\\\\=&<'>",
            "p@s/s w\\\\u00f6rd+\\\\\\\"\\\\\\\\=&<'>",
            "p%40s%2Fs%20w%C3%B6rd%2B%22%5C%3D%26%3C%27%3E",
            "p%40s%2fs%20w%c3%b6rd%2b%22%5c%3d%26%3c%27%3e",
            "p%40s/s%20w%C3%B6rd%2B%22%5C%3D%26%3C%27%3E",
            "p@s/s%20w%C3%B6rd+%22%5C=&%3C'%3E",
            "p%40s%2Fs+w%C3%B6rd%2B%22%5C%3D%26%3C%27%3E",
            "p%2540s%252Fs%2520w%25C3%25B6rd%252B%2522%255C%253D%2526%253C%2527%253E",
            "p@s/s wörd+&quot;\\=&amp;&lt;&#39;&gt;",
        ] {
            assert!(is_found(text, secret), "{text}");
        }
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(is_found(&hex, secret) && is_found(&hex.to_uppercase(), secret));
        for before in ["", "u", "us", "user:", "a longer name:"] {
            for after in ["", "x", "xy", "\n"] {
                let whole = format!("{before}{secret}{after}");
                assert!(is_found(&STANDARD.encode(&whole), secret), "{whole:?}");
                assert!(is_found(&URL_SAFE_NO_PAD.encode(&whole), secret), "{whole:?}");
            }
        }
        assert!(!is_found("cGFzc3dvcmQ=, p@ssword, p%40ssword", secret));
    }
}
