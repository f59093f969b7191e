//! What a provider says of a request that it refused, for the log: it may repeat what it was sent, in any spelling.

/// Characters of a text that are looked at. Less of it is shown.
const CHARS_MAX: usize = 1_000;
/// So many letters and digits of a secret in a row tell too much of it.
const TELLING: usize = 8;
/// How HTML and JSON write what may stand in a secret.
const ESCAPES: [(&str, &str); 8] = [
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("\\/", "/"),
    ("\\\"", "\""),
];

/// The text for the log, or what is said in its place when it holds one of these secrets.
pub(super) fn without(secrets: &[&str], text: &str) -> String {
    let text: String = text.chars().take(CHARS_MAX).collect();
    match secrets.iter().any(|secret| holds(&text, secret)) {
        true => "what it says repeats what it was sent, and is left out".to_owned(),
        false => super::failure::quoted(&text),
    }
}

/// Whether a text holds a secret or a good part of one: as it is, or encoded once or twice.
fn holds(text: &str, secret: &str) -> bool {
    let bare = bare(secret);
    if bare.is_empty() {
        return text.contains(secret);
    }
    let parts: Vec<&[u8]> = bare.windows(TELLING.min(bare.len())).collect();
    let escaped = ESCAPES.iter().fold(text.to_owned(), |text, (written, meant)| text.replace(written, meant));
    let once = decoded(&escaped);
    let twice = decoded(&once);
    [text, &escaped, &once, &twice].iter().any(|text| {
        let text = self::bare(text);
        parts.iter().any(|part| text.windows(part.len()).any(|window| window == *part))
    })
}

/// What a form or a URL writes, as it was meant.
fn decoded(text: &str) -> String {
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The letters and digits alone, as small letters: what no spelling changes.
fn bare(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn no_spelling_of_a_secret_is_told() {
        let (secret, code, short) = ("s3 c&ret+/<x>", "bad code no 9/+x", "k&y");
        for telling in [
            "client_secret=s3 c&ret+/<x> is wrong",
            "client_secret=s3+c%26ret%2B%2F%3Cx%3E",
            "client_secret=s3%20c%26ret%2b%2f%3cx%3e",
            "client_secret%3Ds3%2520c%2526ret%252B%252F%253Cx%253E",
            "s3 c&amp;ret+/&lt;x&gt;",
            "S3 C&RET+/<X>",
            "code=bad+code+no+9%2F%2Bx was used",
            "the code bad code n… was used",
            "k%26y",
        ] {
            let said = without(&[secret, code, short], telling);
            assert!(said.contains("is left out"), "{telling}: {said}");
        }
        let plain = "the code was used before\u{1b}[1m";
        assert_eq!(without(&[secret, code, short], plain), r"the code was used before\u{1b}[1m");
        assert_eq!(without(&["&&"], "a && b"), without(&[code], code), "no letters at all");
    }
}
