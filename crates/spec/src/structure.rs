//! The shape of a document: the tree is walked against the schema of the canonical form, every
//! dialect is turned into that form on the way, and everything wrong is reported at once.
//!
//! What is wrong is cut out of the tree, so that the meaning of the rest can still be checked.

use base::{Diagnostic, Span, nearest};
use serde_json::{Map, Value as Json};

use crate::codes;
use crate::report::Report;
use crate::schema;
use crate::syntax::{Entry, Node, Value};

pub(crate) mod dialect;
mod fragment;
mod parameters;

pub use fragment::TYPES;
pub(crate) use fragment::{KEYWORDS, OF_NAMED, OF_SCHEMA, OF_SCHEMAS};

/// Makes the canonical tree of a document. `None` when nothing of it can be used.
pub(crate) fn normalise(tree: Node, source: &str, report: &mut Report) -> Option<Node> {
    let mut walk = Walk { source, report };
    walk.node(tree, schema::canonical(), Position { definition: "Spec", key: "" })
}

/// Where the walk is: the key of a definition, for messages and dialects.
#[derive(Clone, Copy)]
struct Position<'a> {
    definition: &'a str,
    key: &'a str,
}

/// The keys of an object: those that are known, with their spelling, and all as written.
struct Keys<'a> {
    seen: &'a [(String, String)],
    written: &'a [String],
}

impl Keys<'_> {
    /// Whether an unknown key is near enough to be this one: then it is reported, and not missing.
    fn has_misspelt(&self, name: &str) -> bool {
        let is_known = |key: &String| self.seen.iter().any(|(_, spelling)| spelling == key);
        self.written.iter().any(|key| !is_known(key) && nearest(key, [name]).is_some())
    }
}

struct Walk<'r> {
    source: &'r str,
    report: &'r mut Report,
}

impl Walk<'_> {
    /// The node in canonical form, or `None` when it cannot be used.
    fn node(&mut self, node: Node, schema: &Json, at: Position<'_>) -> Option<Node> {
        if let Some(name) = reference(schema) {
            let definition = schema::definition(name)?;
            let node = dialect::value(name, node, self.report);
            return self.node(node, definition, Position { definition: name, key: at.key });
        }
        if let Some(choices) = schema.get("oneOf").and_then(Json::as_array) {
            return self.choice(node, choices, at);
        }
        if let Some(word) = schema.get("const").and_then(Json::as_str) {
            return self.word(node, &[word], at);
        }
        if let Some(words) = schema.get("enum").and_then(Json::as_array) {
            let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
            return self.word(node, &words, at);
        }
        match schema.get("type").and_then(Json::as_str) {
            Some("object") => self.object(node, schema, at),
            Some("array") => self.array(node, schema, at),
            Some("string") => self.expect(node, "text", at, |node| matches!(node.value, Value::String(..))),
            Some("boolean") => self.expect(node, "`true` or `false`", at, |node| matches!(node.value, Value::Bool(_))),
            Some("integer") => self.expect(node, "a whole number, 0 or more", at, is_unsigned),
            _ => Some(node),
        }
    }

    fn expect(&mut self, node: Node, wanted: &str, at: Position<'_>, good: fn(&Node) -> bool) -> Option<Node> {
        if good(&node) {
            return Some(node);
        }
        self.wrong_type(&node, wanted, at);
        None
    }

    fn wrong_type(&mut self, node: &Node, wanted: &str, at: Position<'_>) {
        if self.report.is_full() {
            return self.report.count_error();
        }
        let wanted = dialect::expected(at.definition, at.key).unwrap_or(wanted);
        let subject = if at.key.is_empty() { "this".to_owned() } else { format!("`{}`", at.key) };
        let subject = if at.definition == "Spec" && at.key.is_empty() { "a spec".to_owned() } else { subject };
        let problem = Diagnostic::error(codes::WRONG_TYPE, format!("{subject} must be {wanted}, not {}", node.kind()))
            .at(node.span)
            .label(format!("this is {}", node.kind()));
        self.report.push(match mend(node, wanted) {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    /// One of several objects told apart by `type`, or one of several words.
    fn choice(&mut self, node: Node, choices: &[Json], at: Position<'_>) -> Option<Node> {
        let words: Vec<&str> = choices.iter().flat_map(word_of).collect();
        if !choices.iter().any(|choice| choice.get("properties").is_some()) {
            return self.word(node, &words, at);
        }
        if node.as_map().is_none() {
            self.wrong_type(&node, "a map", at);
            return None;
        }
        let Some(word) = node.get("type") else {
            self.missing(node.span, "type", &words);
            return None;
        };
        let word = self.word(word.clone(), &words, Position { definition: at.definition, key: "type" })?;
        let chosen = choices.iter().find(|choice| word_of(choice).contains(&word.as_str().unwrap_or_default()))?;
        self.object(node, chosen, at)
    }

    fn word(&mut self, node: Node, words: &[&str], at: Position<'_>) -> Option<Node> {
        let Some(text) = node.as_str() else {
            self.wrong_type(&node, &format!("one of {}", list(words)), at);
            return None;
        };
        if words.contains(&text) {
            return Some(node);
        }
        if let Some(same) = dialect::word(at.definition, text, words) {
            return Some(Node::text(node.span, same));
        }
        let problem = Diagnostic::error(codes::UNKNOWN_WORD, format!("`{}` does not take `{}`", at.key, clip(text)))
            .at(node.span)
            .help(format!("allowed: {}", list(words)));
        self.report.push(match nearest(text, words.iter().copied()) {
            Some(near) => problem.label(format!("did you mean `{near}`?")),
            None => problem,
        });
        None
    }

    fn array(&mut self, node: Node, schema: &Json, at: Position<'_>) -> Option<Node> {
        let Value::List(items) = node.value else {
            self.wrong_type(&node, "a list", at);
            return None;
        };
        let items = match schema.get("items") {
            None => items,
            Some(schema) => items.into_iter().filter_map(|item| self.node(item, schema, at)).collect(),
        };
        Some(Node::new(node.span, Value::List(items)))
    }

    fn object(&mut self, node: Node, schema: &Json, at: Position<'_>) -> Option<Node> {
        let Value::Map(entries) = node.value else {
            self.wrong_type(&node, "a map", at);
            return None;
        };
        let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
            return Some(Node::new(node.span, Value::Map(entries)));
        };
        let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
        let mut seen: Vec<(String, String)> = Vec::new();
        let written: Vec<String> = entries.iter().map(|entry| entry.key.text.clone()).collect();
        for entry in entries {
            let Some(entry) = self.known(entry, properties, at.definition, &mut seen) else { continue };
            let Some(property) = properties.get(&entry.key.text) else { continue };
            let place = Position { definition: at.definition, key: &entry.key.text };
            let value = dialect::property(at.definition, &entry.key.text, entry.value, self.source, self.report);
            if let Some(value) = value.and_then(|value| self.node(value, property, place)) {
                kept.push(Entry { key: entry.key, value });
            }
        }
        self.required(node.span, schema, Keys { seen: &seen, written: &written }, &mut kept, at)?;
        Some(Node::new(node.span, Value::Map(kept)))
    }

    /// The entry under its canonical key, if there is such a key and it was not seen before.
    fn known(
        &mut self,
        mut entry: Entry,
        properties: &Map<String, Json>,
        definition: &str,
        seen: &mut Vec<(String, String)>,
    ) -> Option<Entry> {
        let written = entry.key.text.clone();
        if dialect::is_ignored(definition, &written) {
            return None;
        }
        if !properties.contains_key(&written) {
            match dialect::key(definition, &written).filter(|name| properties.contains_key(name)) {
                Some(name) => entry.key.text = name,
                None => {
                    self.unknown_key(&entry, properties, definition);
                    return None;
                }
            }
        }
        if let Some((_, first)) = seen.iter().find(|(name, _)| *name == entry.key.text) {
            let problem = Diagnostic::error(codes::SAME_KEY, format!("`{first}` and `{written}` mean the same"))
                .at(entry.key.span)
                .help(format!("keep one of them, best `{}`", entry.key.text));
            self.report.push(problem);
            return None;
        }
        seen.push((entry.key.text.clone(), written));
        Some(entry)
    }

    fn unknown_key(&mut self, entry: &Entry, properties: &Map<String, Json>, definition: &str) {
        if self.report.is_full() {
            return self.report.count_error();
        }
        let text = &entry.key.text;
        let owner = dialect::title(definition);
        let known: Vec<&str> = properties.keys().map(String::as_str).collect();
        let problem = Diagnostic::error(codes::UNKNOWN_KEY, format!("{owner} has no key `{}`", clip(text)))
            .at(entry.key.span)
            .help(format!("keys of {owner}: {}", known.join(", ")));
        self.report.push(match nearest(text, known) {
            Some(near) => problem.label(format!("did you mean `{near}`?")),
            None => problem,
        });
    }

    fn required(
        &mut self,
        span: Span,
        schema: &Json,
        keys: Keys<'_>,
        kept: &mut Vec<Entry>,
        at: Position<'_>,
    ) -> Option<()> {
        let mut usable = true;
        for name in schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
            if kept.iter().any(|entry| entry.key.text == name) {
                continue;
            }
            if !keys.seen.iter().any(|(key, _)| key == name) && !keys.has_misspelt(name) {
                self.missing_in(span, name, at);
            }
            if at.definition == "Spec" && name == "name" {
                // The rest is worth checking under any name.
                let key = crate::syntax::Key { span, text: name.to_owned() };
                kept.push(Entry { key, value: Node::text(span, "unnamed") });
            } else {
                usable = false;
            }
        }
        usable.then_some(())
    }

    fn missing_in(&mut self, span: Span, name: &str, at: Position<'_>) {
        if self.report.is_full() {
            return self.report.count_error();
        }
        let owner = dialect::title(at.definition);
        // The key that people write; `statements` is the full form.
        let shown = if at.definition == "Sql" && name == "statements" { "query" } else { name };
        let problem = Diagnostic::error(codes::MISSING_KEY, format!("{owner} needs `{shown}`"))
            .at(span)
            .label(format!("no `{shown}` here"));
        self.report.push(match dialect::example(at.definition, name) {
            Some(example) => problem.help(format!("add `{example}`")),
            None => problem.help(format!("add `{name}`")),
        });
    }

    fn missing(&mut self, span: Span, name: &str, words: &[&str]) {
        let problem = Diagnostic::error(codes::MISSING_KEY, format!("`{name}` is missing"))
            .at(span)
            .label(format!("no `{name}` here"))
            .help(format!("add `{name}`, one of {}", list(words)));
        self.report.push(problem);
    }
}

fn reference(schema: &Json) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// The words that a choice stands for.
fn word_of(choice: &Json) -> Vec<&str> {
    let place = choice.pointer("/properties/type").unwrap_or(choice);
    let one = place.get("const").and_then(Json::as_str);
    let many = place.get("enum").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    one.into_iter().chain(many).collect()
}

fn is_unsigned(node: &Node) -> bool {
    node.as_number().is_some_and(serde_json::Number::is_u64)
}

/// Words for a message: `a`, `b`, `c`.
pub(crate) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{}`", clip(word))).collect::<Vec<_>>().join(", ")
}

/// A user's text, short enough for a message.
pub(crate) fn clip(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(SHOWN).collect();
    short.push('…');
    short
}

/// How to make a value the right type, for the usual slips.
fn mend(node: &Node, wanted: &str) -> Option<String> {
    match &node.value {
        Value::String(text, _) if wanted.contains("true") => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" | "1" => Some(format!("`{text}` is text in YAML 1.2: write `true`")),
            "no" | "off" | "n" | "false" | "0" => Some(format!("`{text}` is text in YAML 1.2: write `false`")),
            _ => None,
        },
        Value::String(text, _) if wanted.contains("number") && text.trim().parse::<f64>().is_ok() => {
            Some(format!("write {} without quotes", text.trim()))
        }
        Value::Number(_) | Value::Bool(_) if wanted == "text" => Some("put it in quotes".to_owned()),
        Value::Null => Some("give a value, or remove the key".to_owned()),
        Value::Map(_) if wanted == "a list" => Some("start each item with `- `".to_owned()),
        _ => None,
    }
}
