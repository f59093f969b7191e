//! However a document is laid out, it means the same: block and flow, quotes, comments, indentation,
//! key order. And `fmt` changes none of it.

use base::Source;
use proptest::prelude::*;
use serde_json::Value;

use crate::corpus;

/// Choices, one after the other, from one number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// A text in one of the styles of YAML that can hold it.
fn scalar(text: &str, flow: bool, dice: &mut Dice) -> String {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.'))
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null");
    let is_single = text.chars().all(|c| !c.is_control()) && !text.contains(['\u{85}', '\u{2028}', '\u{2029}']);
    match dice.roll(3) {
        0 if is_plain => text.to_owned(),
        1 if is_single => format!("'{}'", text.replace('\'', "''")),
        2 if !flow && is_single => format!("!!str '{}'", text.replace('\'', "''")),
        _ => Value::String(text.to_owned()).to_string(),
    }
}

fn flow(value: &Value, dice: &mut Dice) -> String {
    match value {
        Value::String(text) => scalar(text, true, dice),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(item, dice)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let entries: Vec<String> = ordered(map, dice)
                .into_iter()
                .map(|(key, value)| format!("{}: {}", scalar(key, true, dice), flow(value, dice)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn ordered<'v>(map: &'v serde_json::Map<String, Value>, dice: &mut Dice) -> Vec<(&'v String, &'v Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    for at in (1..entries.len()).rev() {
        let other = usize::try_from(dice.roll(at as u64 + 1)).unwrap_or_default();
        entries.swap(at, other);
    }
    entries
}

/// A value behind a key or a dash, from the space on.
fn block(value: &Value, indent: usize, dice: &mut Dice, out: &mut String) {
    let is_empty = match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    if is_empty || dice.roll(4) == 0 {
        out.push(' ');
        out.push_str(&match value {
            Value::String(text) => scalar(text, false, dice),
            other => flow(other, dice),
        });
        if dice.roll(4) == 0 {
            out.push_str("   # why");
        }
        out.push('\n');
        return;
    }
    out.push('\n');
    entries(value, indent + 1 + usize::try_from(dice.roll(4)).unwrap_or_default(), dice, out);
}

fn entries(value: &Value, indent: usize, dice: &mut Dice, out: &mut String) {
    let margin = " ".repeat(indent);
    let comment = |out: &mut String, dice: &mut Dice| {
        if dice.roll(5) == 0 {
            out.push_str(&format!("{margin}# about this\n"));
        }
        if dice.roll(8) == 0 {
            out.push('\n');
        }
    };
    match value {
        Value::Object(map) => {
            for (key, value) in ordered(map, dice) {
                comment(out, dice);
                out.push_str(&format!("{margin}{}:", scalar(key, true, dice)));
                block(value, indent, dice, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                comment(out, dice);
                out.push_str(&format!("{margin}-"));
                block(item, indent, dice, out);
            }
        }
        _ => {}
    }
}

fn digest(name: &str, text: &str) -> Option<base::Digest> {
    spec::parse(Source { name, text }, &Default::default()).spec.map(|spec| spec.digest())
}

fn comments(text: &str) -> usize {
    text.matches("# why").count() + text.matches("# about this").count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_layout_means_the_same_and_fmt_keeps_it(seed in 1_u64.., index in any::<prop::sample::Index>()) {
        let files = corpus::files("valid");
        let spec = corpus::read(&files[index.index(files.len())], false).1.spec.unwrap();
        let value: Value = serde_json::from_str(&spec.canonical_json()).unwrap();
        let mut text = String::new();
        entries(&value, 0, &mut Dice(seed), &mut text);
        prop_assert_eq!(digest("x.yaml", &text), Some(spec.digest()), "{}", text);
        let crlf = text.replace('\n', "\r\n");
        prop_assert_eq!(digest("x.yaml", &crlf), Some(spec.digest()), "{}", text);
        let once = spec::fmt(&text).unwrap();
        prop_assert_eq!(spec::fmt(&once).unwrap(), once.clone(), "{}", text);
        prop_assert_eq!(digest("x.yaml", &once), Some(spec.digest()), "{}\n{}", text, once);
        prop_assert_eq!(comments(&text), comments(&once), "{}\n{}", text, once);
    }
}
