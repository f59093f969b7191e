//! Texts of answers in the character sets that are still met: UTF-8, UTF-16, and Latin-1 as browsers read it.

use std::borrow::Cow;

use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;

/// What windows-1252 has at 0x80 to 0x9f; Latin-1 has nothing that is shown there (WHATWG, Encoding).
const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}', '\u{2030}',
    '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}',
    '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}',
    '\u{17e}', '\u{178}',
];

/// The text of a body whose headers say its character set. Bytes that are none of it become U+FFFD.
pub(super) fn text<'a>(headers: &HeaderMap, body: &'a [u8]) -> Cow<'a, str> {
    if let Some(rest) = body.strip_prefix(b"\xef\xbb\xbf") {
        return String::from_utf8_lossy(rest);
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match charset(kind).as_deref() {
        Some("iso-8859-1" | "latin1" | "l1" | "windows-1252" | "cp1252") => {
            body.iter().map(|byte| latin(*byte)).collect()
        }
        Some("utf-16" | "utf-16le") => utf16(body, body.starts_with(b"\xfe\xff")),
        Some("utf-16be") => utf16(body, !body.starts_with(b"\xff\xfe")),
        _ => String::from_utf8_lossy(body),
    }
}

fn charset(kind: &str) -> Option<String> {
    let parameters = kind.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut found = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    found.next().map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase())
}

fn latin(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn utf16(body: &[u8], big: bool) -> Cow<'_, str> {
    let unit = |pair: &[u8]| match pair {
        [high, low] if big => u16::from_be_bytes([*high, *low]),
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => u16::from(b'\xff') << 8,
    };
    let units = body.chunks(2).map(unit).skip_while(|unit| *unit == 0xfeff);
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use hyper::header::{CONTENT_TYPE, HeaderValue};

    #[test]
    fn texts_are_read_in_the_character_set_that_is_said() {
        for (kind, body, wanted) in [
            ("text/plain", "Gr\u{fc}\u{df}e".as_bytes(), "Gr\u{fc}\u{df}e"),
            ("text/plain; charset=utf-8", b"\xef\xbb\xbfa", "a"),
            ("text/plain; charset=ISO-8859-1", b"Gr\xfc\xdfe \x80", "Gr\u{fc}\u{df}e \u{20ac}"),
            ("text/html; a=b; Charset=\"windows-1252\"", b"\x93a\x94", "\u{201c}a\u{201d}"),
            ("text/plain;charset=utf-16", b"\xff\xfea\0\xfc\0", "a\u{fc}"),
            ("text/plain;charset=utf-16", b"\xfe\xff\0a\0\xfc", "a\u{fc}"),
            ("text/plain;charset=utf-16be", b"\0a\xd8\x3d\xde\0", "a\u{1f600}"),
            ("text/plain;charset=utf-16le", b"a\0\x3d\xd8", "a\u{fffd}"),
            ("text/plain;charset=koi8-r", b"a\xc1", "a\u{fffd}"),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(super::text(&headers, body), wanted, "{kind}");
        }
    }
}
