//! JSON values as parameters. Every value goes as the text of its type, which the server itself reads: so every type that
//! the server has can be given, and what it refuses it refuses in its own words.

use std::error::Error;
use std::fmt::Write as _;

use base64::Engine as _;
use bytes::{BufMut, BytesMut};
use postgres_types::{Format, IsNull, Kind, ToSql, Type};
use serde_json::Value;

use super::format;

/// A value on its way to a placeholder: the text of its type, or NULL.
#[derive(Debug)]
pub(super) struct Bound(Option<String>);

impl Bound {
    pub(super) const NULL: Self = Self(None);
}

/// The value for a placeholder of a type, or why there is none.
pub(super) fn bind(value: &Value, ty: &Type) -> Result<Bound, &'static str> {
    if value.is_null() {
        return Ok(Bound(None));
    }
    let mut text = String::new();
    write(&mut text, value, ty)?;
    if text.contains('\0') {
        return Err("PostgreSQL cannot hold the character U+0000 in a text");
    }
    Ok(Bound(Some(text)))
}

impl ToSql for Bound {
    fn to_sql(&self, _ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Some(text) = &self.0 else { return Ok(IsNull::Yes) };
        out.put_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_ty: &Type) -> bool {
        true
    }

    fn encode_format(&self, _ty: &Type) -> Format {
        Format::Text
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(ty, out)
    }
}

fn write(out: &mut String, value: &Value, ty: &Type) -> Result<(), &'static str> {
    if let Kind::Domain(inner) = ty.kind() {
        return write(out, value, inner);
    }
    if matches!(*ty, Type::JSON | Type::JSONB) {
        out.push_str(&value.to_string());
        return Ok(());
    }
    match (value, ty.kind()) {
        // The vectors of the server's catalogue are arrays with a text of their own.
        (Value::Array(items), _) if matches!(*ty, Type::INT2_VECTOR | Type::OID_VECTOR) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            out.push_str(&items.join(" "));
        }
        (Value::Array(items), Kind::Array(element)) => write_array(out, items, element)?,
        (Value::String(text), _) if *ty == Type::BYTEA => {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(text)
                .map_err(|_| "a binary value is sent as base64 (RFC 4648), padded with `=`")?;
            out.push_str("\\x");
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
        }
        (Value::String(text), _) if matches!(*ty, Type::DATE | Type::TIMESTAMP | Type::TIMESTAMPTZ) => {
            match format::for_server(text) {
                Some(read) => out.push_str(&read),
                None => out.push_str(text),
            }
        }
        (Value::String(text), _) => out.push_str(text),
        (Value::Bool(truth), _) => out.push_str(if *truth { "true" } else { "false" }),
        (Value::Null, _) => out.push_str("NULL"),
        (Value::Number(_) | Value::Array(_) | Value::Object(_), _) => out.push_str(&value.to_string()),
    }
    Ok(())
}

/// The text of an array (PostgreSQL manual, 8.15.2): every element quoted, so that none is misread.
fn write_array(out: &mut String, items: &[Value], element: &Type) -> Result<(), &'static str> {
    out.push('{');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match item {
            Value::Null => out.push_str("NULL"),
            // PostgreSQL's arrays of arrays have the same element type at every depth.
            Value::Array(inner) if !matches!(*element, Type::JSON | Type::JSONB) => write_array(out, inner, element)?,
            _ => {
                let mut text = String::new();
                write(&mut text, item, element)?;
                out.push('"');
                for c in text.chars() {
                    if matches!(c, '"' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out.push('"');
            }
        }
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use postgres_types::Type;
    use serde_json::{Value, json};

    fn text(value: Value, ty: &Type) -> Option<String> {
        let mut out = String::new();
        super::write(&mut out, &value, ty).ok().map(|()| out)
    }

    #[test]
    fn values_become_the_text_of_their_type() {
        for (value, ty, wanted) in [
            (json!(42), Type::INT4, "42"),
            (json!("12.50"), Type::NUMERIC, "12.50"),
            (json!(5), Type::TEXT, "5"),
            (json!(true), Type::BOOL, "true"),
            (json!("a'b"), Type::TEXT, "a'b"),
            (json!({"a": [1]}), Type::JSONB, r#"{"a":[1]}"#),
            (json!("x"), Type::JSON, r#""x""#),
            (json!("aGk="), Type::BYTEA, "\\x6869"),
            (json!("-000043-03-15"), Type::DATE, "0044-03-15 BC"),
            (json!([1, null, 3]), Type::INT4_ARRAY, r#"{"1",NULL,"3"}"#),
            (json!([["a", "b\"c"], ["d,e", "\\"]]), Type::TEXT_ARRAY, r#"{{"a","b\"c"},{"d,e","\\"}}"#),
            (json!([{"a": "b"}]), Type::JSONB_ARRAY, r#"{"{\"a\":\"b\"}"}"#),
        ] {
            assert_eq!(text(value, &ty).as_deref(), Some(wanted), "{ty}");
        }
        assert_eq!(text(json!("not base64!"), &Type::BYTEA), None);
    }
}
