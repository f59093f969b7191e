//! What a declared type says of a column. SQLite keeps any declared type and lets any value in
//! (<https://sqlite.org/datatype3.html>), so this is the intent of whoever wrote the table.

use crate::catalogue::Kind;

/// The kind that a declared type means; `None` where nothing is declared (an expression, `ANY`):
/// each value is then of its own kind.
///
/// `DECIMAL` and `NUMERIC` are [`Kind::Float`]: SQLite has no exact decimals and keeps such values as
/// integers or doubles. All integers are [`Kind::Bigint`], whatever width is declared.
pub(super) fn of_declared(declared: Option<&str>) -> Option<Kind> {
    let declared = declared?.to_ascii_uppercase();
    let name = declared.split('(').next().unwrap_or_default().trim();
    let has = |part: &str| name.contains(part);
    Some(match name {
        "" | "ANY" => return None,
        "BOOL" | "BOOLEAN" => Kind::Boolean,
        "DATE" => Kind::Date,
        "TIME" => Kind::Time,
        "UUID" | "GUID" => Kind::Uuid,
        "JSON" | "JSONB" => Kind::Json,
        "STRING" => Kind::Text,
        "BINARY" | "VARBINARY" | "BYTEA" => Kind::Bytes,
        _ if has("DATETIME") || has("TIMESTAMP") => Kind::Timestamp,
        // From here in the order of SQLite's own rules of affinity.
        _ if has("INT") && !has("POINT") && !has("INTERVAL") => Kind::Bigint,
        _ if has("CHAR") || has("CLOB") || has("TEXT") => Kind::Text,
        _ if has("BLOB") => Kind::Bytes,
        _ if has("REAL") || has("FLOA") || has("DOUB") => Kind::Float,
        _ if has("NUMERIC") || has("DECIMAL") || has("NUMBER") || has("MONEY") => Kind::Float,
        _ => Kind::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, of_declared};

    #[test]
    fn declared_types_have_kinds() {
        let cases = [
            ("INTEGER", Some(Kind::Bigint)),
            ("unsigned big int", Some(Kind::Bigint)),
            ("VARCHAR(20)", Some(Kind::Text)),
            ("decimal(10, 2)", Some(Kind::Float)),
            ("double precision", Some(Kind::Float)),
            ("datetime", Some(Kind::Timestamp)),
            ("TIMESTAMP WITH TIME ZONE", Some(Kind::Timestamp)),
            ("date", Some(Kind::Date)),
            ("boolean", Some(Kind::Boolean)),
            ("json", Some(Kind::Json)),
            ("blob", Some(Kind::Bytes)),
            ("POINT", Some(Kind::Other)),
            ("ANY", None),
            ("", None),
        ];
        for (declared, kind) in cases {
            assert_eq!(of_declared(Some(declared)), kind, "{declared}");
        }
        assert_eq!(of_declared(None), None);
    }
}
