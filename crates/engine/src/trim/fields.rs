//! Which fields are kept, and what they are called. Values are copied as they are written, so numbers keep all their digits.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use spec::model::Shape;

/// What is said of the fields of an object, and of those of every item of a list.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// Whether fields of which nothing is said are kept.
    keeps_others: bool,
    named: HashMap<Box<str>, Field>,
}

#[derive(Debug, Default)]
struct Field {
    new_name: Option<Box<str>>,
    inside: Option<Fields>,
}

impl Fields {
    pub(super) fn compile(shape: &Shape) -> Option<Self> {
        if shape.pick.is_empty() && shape.rename.is_empty() {
            return None;
        }
        let mut root = Self { keeps_others: shape.pick.is_empty(), ..Self::default() };
        for path in &shape.pick {
            // The whole of what is picked is kept, so nothing is said of its inside.
            root.field(path, false);
        }
        for (path, name) in &shape.rename {
            root.field(path, true).new_name = Some(name.as_str().into());
        }
        Some(root)
    }

    /// The field at a path, made on the way. Inside of a field that is kept whole, others stay kept.
    fn field(&mut self, path: &str, keeps_others: bool) -> &mut Field {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let field = self.named.entry(first.into()).or_default();
        match rest {
            None => field,
            Some(rest) => {
                let new = || Self { keeps_others, named: HashMap::new() };
                field.inside.get_or_insert_with(new).field(rest, keeps_others)
            }
        }
    }

    /// Writes a value with only these fields, under their new names.
    ///
    /// # Errors
    /// Two fields of an object come to have the same name.
    pub(super) fn write(&self, value: &RawValue, out: &mut Vec<u8>) -> Result<(), String> {
        if value.get().starts_with('[')
            && let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get())
        {
            out.push(b'[');
            for (index, item) in items.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                self.write(item, out)?;
            }
            out.push(b']');
            return Ok(());
        }
        let Some(members) = entries(value) else {
            out.extend_from_slice(value.get().as_bytes());
            return Ok(());
        };
        let mut written: Vec<&str> = Vec::with_capacity(members.len());
        out.push(b'{');
        for (key, value) in &members {
            let field = self.named.get(key.as_str());
            if field.is_none() && !self.keeps_others {
                continue;
            }
            let name = field.and_then(|field| field.new_name.as_deref()).unwrap_or(key);
            if written.contains(&name) {
                return Err(format!("two of its fields are called `{name}` after `rename`"));
            }
            if !written.is_empty() {
                out.push(b',');
            }
            written.push(name);
            out.extend_from_slice(serde_json::Value::from(name).to_string().as_bytes());
            out.push(b':');
            match field.and_then(|field| field.inside.as_ref()) {
                Some(inside) => inside.write(value, out)?,
                None => out.extend_from_slice(value.get().as_bytes()),
            }
        }
        out.push(b'}');
        Ok(())
    }
}

/// The members of an object, in their order; `None` when it is no object.
pub(super) fn entries(value: &RawValue) -> Option<Vec<(String, &RawValue)>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    if !value.get().starts_with('{') {
        return None;
    }
    serde_json::Deserializer::from_str(value.get()).deserialize_map(Members).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use spec::model::Shape;

    use super::Fields;

    fn shaped(shape: &str, value: &str) -> Result<String, String> {
        let shape: Shape = serde_json::from_str(shape).unwrap();
        let mut out = Vec::new();
        let value = RawValue::from_string(value.to_owned()).unwrap();
        Fields::compile(&shape).unwrap().write(&value, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn fields_are_kept_and_renamed_through_lists() {
        let value = r#"[{"id":12345678901234567890.125,"customer":{"name":"Ann","mail":"a@b"},"lines":[{"p":1,"q":2},{"p":3}]},{"id":2}]"#;
        assert_eq!(
            shaped(
                r#"{"pick":["id","customer.name","lines.p"],"rename":{"customer.name":"who","lines":"rows"}}"#,
                value
            )
            .unwrap(),
            r#"[{"id":12345678901234567890.125,"customer":{"who":"Ann"},"rows":[{"p":1},{"p":3}]},{"id":2}]"#
        );
        assert_eq!(
            shaped(r#"{"rename":{"customer.name":"n"}}"#, r#"{"customer":{"name":1,"x":2},"y":3}"#).unwrap(),
            r#"{"customer":{"n":1,"x":2},"y":3}"#
        );
        assert_eq!(
            shaped(r#"{"pick":["a"],"rename":{"a.b":"c"}}"#, r#"{"a":{"b":1,"d":2},"e":0}"#).unwrap(),
            r#"{"a":{"c":1,"d":2}}"#
        );
        assert_eq!(shaped(r#"{"pick":["a"]}"#, "7").unwrap(), "7");
        assert!(shaped(r#"{"rename":{"a":"b"}}"#, r#"{"a":1,"b":2}"#).unwrap_err().contains("`b`"));
    }
}
