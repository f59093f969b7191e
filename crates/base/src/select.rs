//! Picks a part of a JSON answer: a pointer (`/data/items`, RFC 6901) or a path (`$.data.items[*].id`).

use serde_json::Value;

/// Longest selection, steps.
const STEPS_MAX: usize = 64;

/// A part of a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A field; of an array, the element when it is a number (pointers do not tell them apart).
    Key(String),
    /// An element, from the end when negative.
    Nth(i64),
    /// Every element or every field's value.
    All,
}

impl Select {
    /// Reads a pointer or a path; the error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let steps = match text {
            "" | "$" => Vec::new(),
            _ if text.starts_with('/') => {
                text[1..].split('/').map(|key| Step::Key(key.replace("~1", "/").replace("~0", "~"))).collect()
            }
            _ if text.starts_with('$') => path(&text[1..]).map_err(|why| format!("`{text}`: {why}"))?,
            _ => return Err(format!("`{text}` is neither a pointer (`/a/0`) nor a path (`$.a[0]`)")),
        };
        if steps.len() > STEPS_MAX {
            return Err(format!("it has more than {STEPS_MAX} steps"));
        }
        Ok(Self(steps))
    }

    /// The part, or nothing when it is not there. With `[*]` it is an array of all that fit.
    pub fn pick(&self, value: &Value) -> Option<Value> {
        let mut found = vec![value];
        for step in &self.0 {
            found = found.into_iter().flat_map(|value| follow(value, step)).collect();
        }
        if self.0.contains(&Step::All) {
            return Some(Value::Array(found.into_iter().cloned().collect()));
        }
        found.into_iter().next().cloned()
    }
}

fn follow<'a>(value: &'a Value, step: &Step) -> Vec<&'a Value> {
    match (step, value) {
        (Step::Key(key), Value::Object(fields)) => fields.get(key).into_iter().collect(),
        (Step::Key(key), Value::Array(items)) => {
            key.parse::<usize>().ok().and_then(|nth| items.get(nth)).into_iter().collect()
        }
        (Step::Nth(nth), Value::Array(items)) => {
            let from_end = || items.len().checked_sub(usize::try_from(nth.unsigned_abs()).ok()?);
            let nth = if *nth < 0 { from_end() } else { usize::try_from(*nth).ok() };
            nth.and_then(|nth| items.get(nth)).into_iter().collect()
        }
        (Step::All, Value::Array(items)) => items.iter().collect(),
        (Step::All, Value::Object(fields)) => fields.values().collect(),
        _ => Vec::new(),
    }
}

fn path(text: &str) -> Result<Vec<Step>, &'static str> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let name = &after[..end];
            if name.is_empty() {
                return Err("a name is missing after `.`");
            }
            steps.push(if name == "*" { Step::All } else { Step::Key(name.to_owned()) });
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix('[') {
            let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let close = quote.map_or("]".to_owned(), |quote| format!("{quote}]"));
            let inside = if quote.is_some() { &after[1..] } else { after };
            let (inside, after) = inside.split_once(&close).ok_or("a `[` is not closed")?;
            steps.push(match (quote, inside) {
                (Some(_), key) => Step::Key(key.to_owned()),
                (None, "*") => Step::All,
                (None, number) => Step::Nth(number.parse().map_err(|_| "between `[` and `]` is no number")?),
            });
            rest = after;
        } else {
            return Err("a step starts with `.` or `[`");
        }
    }
    Ok(steps)
}
