//! What a failure says, without what the caller sent: arguments are not kept, and refusals repeat them.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;

/// Most values of arguments that are looked for.
const VALUES_MAX: usize = 1_000;
/// Characters of the beginning of a value that give it away: texts cut long values short.
const BEGINNING_CHARS: usize = 8;
/// In place of a value.
const STARS: &str = "***";
/// In place of the text, where the values are too many.
const WITHHELD: &str = "(not kept: the call has more values than are looked for)";

/// A text without the values of the arguments, in whatever spelling they stand there.
pub(super) fn unsaid(text: String, arguments: Option<&RawValue>) -> String {
    let mut values = BTreeSet::new();
    let parsed = arguments.and_then(|arguments| serde_json::from_str::<Value>(arguments.get()).ok());
    if !parsed.is_none_or(|parsed| collect(&parsed, &mut values)) {
        return WITHHELD.to_owned();
    }
    // A value that holds another one is replaced as a whole.
    let mut spellings: Vec<String> = values.iter().flat_map(|value| base::spellings(value)).collect();
    spellings.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    spellings.dedup();
    let text = spellings.iter().fold(text, |text, value| without_all(text, value));
    spellings.iter().fold(text, |text, value| without_beginning(text, value))
}

/// Takes down the texts and numbers; `false` when there are too many.
fn collect(value: &Value, values: &mut BTreeSet<String>) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => {
            values.insert(number.to_string());
            values.len() <= VALUES_MAX
        }
        Value::String(text) => {
            // What a text of several lines or words is made of is shown one by one, too.
            values.insert(text.clone());
            values.extend(
                text.lines().map(str::trim).filter(|line| line.chars().count() >= BEGINNING_CHARS).map(str::to_owned),
            );
            values.len() <= VALUES_MAX
        }
        Value::Array(items) => items.iter().all(|item| collect(item, values)),
        Value::Object(members) => members.values().all(|member| collect(member, values)),
    }
}

/// A text without one value. What is short is looked for as a word of its own.
fn without_all(text: String, value: &str) -> String {
    let is_long = value.chars().nth(BEGINNING_CHARS - 1).is_some();
    let is_word = |side: Option<char>| side.is_some_and(char::is_alphanumeric);
    replaced(text, value, |before, behind| {
        let is_part = is_word(before) || is_word(behind.chars().next());
        (is_long || !is_part).then_some(0)
    })
}

/// A text without the beginnings of a value that are long enough.
fn without_beginning(text: String, value: &str) -> String {
    let Some((length, last)) = value.char_indices().nth(BEGINNING_CHARS - 1) else { return text };
    let (beginning, rest) = value.split_at(length + last.len_utf8());
    replaced(text, beginning, |_, behind| {
        let same = behind.chars().zip(rest.chars()).take_while(|(a, b)| a == b);
        Some(same.map(|(a, _)| a.len_utf8()).sum())
    })
}

/// A text with stars where a part stands. `more` is asked with the character before it and what is behind it, and says how many
/// bytes more are hidden, or that this one stays.
fn replaced(text: String, part: &str, more: impl Fn(Option<char>, &str) -> Option<usize>) -> String {
    if part.is_empty() || !text.contains(part) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, behind)) = rest.split_once(part) {
        let side = before.chars().next_back().or(out.chars().next_back());
        out.push_str(before);
        let hidden = more(side, behind);
        out.push_str(if hidden.is_some() { STARS } else { part });
        rest = &behind[hidden.unwrap_or_default()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{VALUES_MAX, WITHHELD, unsaid};

    fn told(text: &str, arguments: &Value) -> String {
        let arguments = serde_json::value::to_raw_value(arguments).unwrap();
        unsaid(text.to_owned(), Some(&arguments))
    }

    #[test]
    fn values_are_taken_out_in_every_spelling() {
        let arguments =
            json!({"user": "bob", "password": "hunter2 \"SECRET\"", "pin": 4711, "deep": [{"note": "ä/b c d e"}]});
        let text = r#"`pin`: 4711 was sent. An example: {"user":"bob","password":"hunter2 \"SECRET\"","pin":1}, bobby 14711, %C3%A4%2Fb%20c%20d%20e"#;
        let wanted = r#"`pin`: *** was sent. An example: {"user":"***","password":"***","pin":1}, bobby 14711, ***"#;
        assert_eq!(told(text, &arguments), wanted);
    }

    #[test]
    fn values_that_were_cut_short_are_taken_out() {
        let arguments = json!({"key": "0123456789abcdefghijklmnopqrstuvwxyz"});
        assert_eq!(told("`key` is \"0123456789abcdef…\"", &arguments), "`key` is \"***…\"");
    }

    #[test]
    fn too_many_values_withhold_the_text() {
        let many: Vec<usize> = (0..=VALUES_MAX).collect();
        assert_eq!(told("what went wrong", &json!({ "many": many })), WITHHELD);
        assert_eq!(unsaid("what went wrong".to_owned(), None), "what went wrong");
    }

    proptest! {
        /// Whatever stands around it: a value of some length is not in what is left.
        #[test]
        fn no_value_is_left(value in "[a-zA-Z0-9 äß\"\\\\/]{8,40}", before in ".{0,20}", behind in ".{0,20}") {
            prop_assume!(value.trim().len() == value.len() && !value.contains("***"));
            let text = format!("{before}{value} and {}{behind}", Value::from(value.as_str()));
            prop_assert!(!told(&text, &json!([value])).contains(&value));
        }
    }
}
