//! Whether values that fit an older schema fit a newer one. What callers send must still be taken; what they get must still
//! be what they expect.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Detail;

/// Deepest part of a schema that is looked at.
const DEPTH_MAX: usize = 16;
/// The types of JSON.
const TYPES: [&str; 6] = ["array", "boolean", "null", "number", "object", "string"];

/// Which way values go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// From the caller: less may be taken than before is what breaks.
    In,
    /// To the caller: more may come than before is what breaks.
    Out,
}

impl Flow {
    fn root(self) -> &'static str {
        match self {
            Self::In => "input",
            Self::Out => "output",
        }
    }

    /// Whether a schema that takes less, or more, than before breaks callers.
    fn breaks(self, narrower: bool) -> bool {
        (self == Self::In) == narrower
    }
}

/// Compares two schemas.
pub(super) fn compare(old: &Value, new: &Value, flow: Flow, details: &mut Vec<Detail>) {
    if old != new {
        Walk { flow, details }.at(old, new, flow.root(), 0);
    }
}

struct Walk<'a> {
    flow: Flow,
    details: &'a mut Vec<Detail>,
}

impl Walk<'_> {
    fn tell(&mut self, at: &str, narrower: bool, text: String) {
        self.details.push(Detail::new(at, self.flow.breaks(narrower), text));
    }

    fn at(&mut self, old: &Value, new: &Value, at: &str, depth: usize) {
        if old == new {
            return;
        }
        let is_compared = depth < DEPTH_MAX;
        if is_compared {
            self.types(old, new, at);
            self.choices(old, new, at);
            self.bounds(old, new, at);
            self.texts(old, new, at);
            self.properties(old, new, at, depth);
            self.others(old, new, at, depth);
            self.items(old, new, at, depth);
        }
        if !is_compared || without_words(old) != without_words(new) {
            // A part of the language that is not compared, whatever else is: it has to be looked at.
            self.details.push(Detail::new(at, true, "it is described by another schema; look whether old values fit"));
        }
    }

    fn types(&mut self, old: &Value, new: &Value, at: &str) {
        let (old, new) = (types(old), types(new));
        let gone: Vec<&str> = old.difference(&new).copied().collect();
        let come: Vec<&str> = new.difference(&old).copied().collect();
        if !gone.is_empty() {
            self.tell(at, true, format!("it cannot be {} any more", gone.join(" or ")));
        }
        if !come.is_empty() {
            self.tell(at, false, format!("it may be {} now", come.join(" or ")));
        }
    }

    fn choices(&mut self, old: &Value, new: &Value, at: &str) {
        let of = |schema: &Value| match (&schema["enum"], &schema["const"]) {
            (Value::Array(all), _) => Some(all.clone()),
            (_, Value::Null) => None,
            (_, one) => Some(vec![one.clone()]),
        };
        match (of(old), of(new)) {
            (Some(old), Some(new)) => {
                for gone in old.iter().filter(|one| !new.contains(one)) {
                    self.tell(at, true, format!("{gone} is not among its values any more"));
                }
                for come in new.iter().filter(|one| !old.contains(one)) {
                    self.tell(at, false, format!("{come} is among its values now"));
                }
            }
            (None, Some(_)) => self.tell(at, true, "it is one of a few values now".to_owned()),
            (Some(_), None) => self.tell(at, false, "it is not one of a few values any more".to_owned()),
            (None, None) => {}
        }
    }

    fn bounds(&mut self, old: &Value, new: &Value, at: &str) {
        const LOWER: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
        const UPPER: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
        for (names, is_lower) in [(LOWER, true), (UPPER, false)] {
            for name in names {
                let narrower = match (&old[name], &new[name]) {
                    (old, new) if old == new => continue,
                    (Value::Null, _) => true,
                    (_, Value::Null) => false,
                    (old, new) => match (old.as_f64(), new.as_f64()) {
                        (Some(old), Some(new)) => (new > old) == is_lower,
                        // An older draft of the language: what it means is not compared.
                        _ => self.flow == Flow::In,
                    },
                };
                let word = |bound: &Value| if bound.is_null() { "absent".to_owned() } else { bound.to_string() };
                self.tell(at, narrower, format!("`{name}` was {} and is {}", word(&old[name]), word(&new[name])));
            }
        }
    }

    fn texts(&mut self, old: &Value, new: &Value, at: &str) {
        for name in ["pattern", "format", "multipleOf", "uniqueItems", "contentEncoding"] {
            match (&old[name], &new[name]) {
                (old, new) if old == new => {}
                (Value::Null, new) => self.tell(at, true, format!("`{name}` is {new} now")),
                (old, Value::Null) => self.tell(at, false, format!("`{name}` was {old} and is absent")),
                (old, new) => self.details.push(Detail::new(at, true, format!("`{name}` was {old} and is {new}"))),
            }
        }
        if old["default"] != new["default"] {
            self.details.push(Detail::new(at, false, "what is taken when it is absent is another value"));
        }
        if old["description"] != new["description"] || old["title"] != new["title"] {
            self.details.push(Detail::new(at, false, "it is described in other words"));
        }
    }

    fn properties(&mut self, old: &Value, new: &Value, at: &str, depth: usize) {
        for (name, before) in members(old, "properties") {
            let place = format!("{at}/{name}");
            match new["properties"].get(name) {
                Some(after) => {
                    self.need(needs(old, name), needs(new, name), &place);
                    self.at(before, after, &place, depth + 1);
                }
                None => self.gone(name, (old, before), new, &place, depth),
            }
        }
        for (name, after) in members(new, "properties").filter(|(name, _)| old["properties"].get(name).is_none()) {
            let place = format!("{at}/{name}");
            match (needs(old, name), needs(new, name)) {
                (false, true) => {
                    self.details.push(Detail::new(&place, self.flow == Flow::In, "it is new and has to be there"));
                }
                (was, is) => {
                    self.details.push(Detail::new(&place, false, "it is new"));
                    self.need(was, is, &place);
                }
            }
            // What callers sent under this name was one of the further properties.
            if let Extra::Described(before) = extra(old) {
                self.at(before, after, &place, depth + 1);
            }
        }
        // Names that have to be there and are described nowhere.
        let names: BTreeSet<&str> = required(old).chain(required(new)).collect();
        let described = |name: &str| [old, new].iter().any(|schema| schema["properties"].get(name).is_some());
        for name in names.into_iter().filter(|name| !described(name)) {
            self.need(needs(old, name), needs(new, name), &format!("{at}/{name}"));
        }
    }

    fn need(&mut self, was: bool, is: bool, place: &str) {
        match (was, is) {
            (false, true) => self.tell(place, true, "it has to be there now".to_owned()),
            (true, false) => self.tell(place, false, "it need not be there any more".to_owned()),
            _ => {}
        }
    }

    /// A property that the newer schema does not name.
    fn gone(&mut self, name: &str, (old, before): (&Value, &Value), new: &Value, place: &str, depth: usize) {
        if needs(new, name) {
            self.need(needs(old, name), true, place);
        }
        let text = match self.flow {
            Flow::In => "it is not taken any more",
            Flow::Out => return self.details.push(Detail::new(place, true, "it is not among the answer any more")),
        };
        // A closed object refuses what it does not know; an open one ignores it.
        self.details.push(Detail::new(place, extra(new) == Extra::Closed, text));
        if let Extra::Described(after) = extra(new) {
            self.at(before, after, place, depth + 1);
        }
    }

    /// Properties that are not named.
    fn others(&mut self, old: &Value, new: &Value, at: &str, depth: usize) {
        match (extra(old), extra(new)) {
            (Extra::Described(old), Extra::Described(new)) => self.at(old, new, &format!("{at}/*"), depth + 1),
            (Extra::Open | Extra::Described(_), Extra::Closed) => {
                self.tell(at, true, "it has no further properties any more".to_owned());
            }
            (Extra::Closed, Extra::Open | Extra::Described(_)) => {
                self.details.push(Detail::new(at, false, "it may have further properties now"));
            }
            (Extra::Open, Extra::Described(_)) => {
                self.tell(at, true, "its further properties are described now".to_owned());
            }
            (Extra::Described(_), Extra::Open) => {
                self.tell(at, false, "its further properties are not described any more".to_owned());
            }
            (Extra::Open, Extra::Open) | (Extra::Closed, Extra::Closed) => {}
        }
    }

    fn items(&mut self, old: &Value, new: &Value, at: &str, depth: usize) {
        let place = format!("{at}/*");
        match (old.get("items"), new.get("items")) {
            (Some(old), Some(new)) => self.at(old, new, &place, depth + 1),
            (None, Some(_)) => self.tell(&place, true, "its elements are described now".to_owned()),
            (Some(_), None) => self.tell(&place, false, "its elements are not described any more".to_owned()),
            (None, None) => {}
        }
    }
}

/// What an object may have beside the properties that it names.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Extra<'a> {
    /// Everything.
    Open,
    /// Nothing.
    Closed,
    /// Values that fit a schema.
    Described(&'a Value),
}

fn extra(schema: &Value) -> Extra<'_> {
    match &schema["additionalProperties"] {
        Value::Bool(false) => Extra::Closed,
        described @ Value::Object(keys) if !keys.is_empty() => Extra::Described(described),
        _ => Extra::Open,
    }
}

fn members<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    schema[key].as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn needs(schema: &Value, name: &str) -> bool {
    required(schema).any(|one| one == name)
}

/// The types that a schema lets through; `integer` is a part of `number`.
fn types(schema: &Value) -> BTreeSet<&str> {
    let mut found: BTreeSet<&str> = match &schema["type"] {
        Value::String(one) => BTreeSet::from([one.as_str()]),
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("enum").is_some() || schema.get("const").is_some() => BTreeSet::new(),
        _ => TYPES.into_iter().collect(),
    };
    if found.contains("number") {
        found.insert("integer");
    }
    found
}

/// The parts of a schema that this module does not compare.
fn without_words(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(keys) = schema.as_object_mut() {
        const COMPARED: [&str; 25] = [
            "type",
            "enum",
            "const",
            "minimum",
            "exclusiveMinimum",
            "minLength",
            "minItems",
            "minProperties",
            "maximum",
            "exclusiveMaximum",
            "maxLength",
            "maxItems",
            "maxProperties",
            "pattern",
            "format",
            "multipleOf",
            "uniqueItems",
            "contentEncoding",
            "default",
            "description",
            "title",
            "properties",
            "required",
            "items",
            "examples",
        ];
        keys.retain(|name, _| !COMPARED.contains(&name.as_str()) && name != "additionalProperties");
    }
    schema
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{DEPTH_MAX, Flow, compare};

    fn object(properties: Value, required: Value) -> Value {
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    }

    /// Old schema, new schema, whether it breaks who sends values, whether it breaks who gets them.
    #[test]
    fn each_change_breaks_whom_it_breaks() {
        let one = |schema: Value| object(json!({"a": schema}), json!([]));
        let others =
            |schema: Value| json!({"type": "object", "description": "of words", "additionalProperties": schema});
        let described = |schema: Value| json!({"type": "object", "properties": {"a": schema}, "additionalProperties": {"type": "number"}});
        let deep = |inner: Value| (0..=DEPTH_MAX).fold(inner, |inner, _| json!({"items": inner, "title": "t"}));
        let cases = [
            (one(json!({"type": "string"})), one(json!({"type": "string"})), None, None),
            (one(json!({"type": "string"})), one(json!({"type": ["string", "null"]})), Some(false), Some(true)),
            (one(json!({"type": ["string", "null"]})), one(json!({"type": "string"})), Some(true), Some(false)),
            (one(json!({"type": "integer"})), one(json!({"type": "number"})), Some(false), Some(true)),
            (one(json!({"type": "number"})), one(json!({"type": "integer"})), Some(true), Some(false)),
            (one(json!({"type": "string"})), one(json!({"type": "integer"})), Some(true), Some(true)),
            (one(json!({"type": "string"})), one(json!({})), Some(false), Some(true)),
            (one(json!({"enum": ["x", "y"]})), one(json!({"enum": ["x"]})), Some(true), Some(false)),
            (one(json!({"enum": ["x"]})), one(json!({"enum": ["x", "y"]})), Some(false), Some(true)),
            (one(json!({"type": "string"})), one(json!({"type": "string", "enum": ["x"]})), Some(true), Some(false)),
            (one(json!({"maximum": 9})), one(json!({"maximum": 5})), Some(true), Some(false)),
            (one(json!({"maximum": 9})), one(json!({"maximum": 12})), Some(false), Some(true)),
            (one(json!({"minLength": 1})), one(json!({})), Some(false), Some(true)),
            (one(json!({"pattern": "a"})), one(json!({"pattern": "b"})), Some(true), Some(true)),
            (one(json!({"default": 1})), one(json!({"default": 2})), Some(false), Some(false)),
            (one(json!({"description": "a"})), one(json!({"description": "b"})), Some(false), Some(false)),
            (object(json!({}), json!([])), one(json!({})), Some(false), Some(false)),
            (one(json!({})), object(json!({}), json!([])), Some(true), Some(true)),
            (one(json!({})), object(json!({"a": {}}), json!(["a"])), Some(true), Some(false)),
            (object(json!({"a": {}}), json!(["a"])), one(json!({})), Some(false), Some(true)),
            (object(json!({}), json!([])), object(json!({"a": {}}), json!(["a"])), Some(true), Some(false)),
            (
                one(json!({"items": {"type": "string"}})),
                one(json!({"items": {"type": "integer"}})),
                Some(true),
                Some(true),
            ),
            (one(json!({"anyOf": [{"type": "string"}]})), one(json!({"anyOf": [{}]})), Some(true), Some(true)),
            (
                one(json!({"description": "x", "anyOf": [{"type": "string"}, {"type": "integer"}]})),
                one(json!({"description": "y", "anyOf": [{"type": "boolean"}, {"type": "null"}]})),
                Some(true),
                Some(true),
            ),
            (others(json!({"type": "integer"})), others(json!({"type": "string"})), Some(true), Some(true)),
            (others(json!({"type": "integer"})), others(json!({"type": "number"})), Some(false), Some(true)),
            (others(json!(true)), others(json!({"type": "number"})), Some(true), Some(false)),
            (others(json!({"type": "number"})), others(json!({})), Some(false), Some(true)),
            (others(json!({"type": "number"})), others(json!(false)), Some(true), Some(false)),
            (others(json!({"type": "number"})), described(json!({"type": "string"})), Some(true), Some(true)),
            (described(json!({"type": "string"})), others(json!({"type": "number"})), Some(true), Some(true)),
            (described(json!({"type": "integer"})), others(json!({"type": "number"})), Some(false), Some(true)),
            (json!({"required": ["a"]}), json!({}), Some(false), Some(true)),
            (json!({}), json!({"required": ["a"]}), Some(true), Some(false)),
            (json!({"required": ["a"]}), json!({"properties": {"a": {}}, "required": ["a"]}), Some(false), Some(false)),
            (json!({"properties": {"a": {}}}), json!({"required": ["a"]}), Some(true), Some(true)),
            (deep(json!({"type": "string"})), deep(json!({"type": "integer"})), Some(true), Some(true)),
            (
                one(json!({"minimum": 1, "exclusiveMinimum": false})),
                one(json!({"minimum": 1, "exclusiveMinimum": true})),
                Some(true),
                Some(true),
            ),
        ];
        for (old, new, sends, gets) in cases {
            for (flow, wanted) in [(Flow::In, sends), (Flow::Out, gets)] {
                let mut details = Vec::new();
                compare(&old, &new, flow, &mut details);
                let found = details.iter().map(|detail| detail.breaking).max();
                assert_eq!(found, wanted, "{flow:?} {old} {new}: {details:?}");
            }
        }
    }
}
