//! Kinds of columns, from what the protocol says of them and from the words of the schema.

use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};

use crate::catalogue::Kind;

/// Number of the character set `binary`: what is not text.
const BINARY: u16 = 63;

/// What a column of an answer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) name: String,
    /// `None` where it is not known before there is a value (`SELECT NULL`).
    pub(super) kind: Option<Kind>,
    pub(super) native_type: String,
    pub(super) nullable: bool,
    /// Digits after the seconds of a time; 31 means that nothing says.
    pub(super) decimals: u8,
    /// A bit string, which arrives as bytes.
    pub(super) bits: bool,
}

/// Reads the protocol's description. `json` says that MariaDB checks the column to be JSON.
pub(super) fn of_column(column: &Column, json: bool) -> Shape {
    use ColumnType as T;
    let flags = column.flags();
    let (kind, word): (Option<Kind>, &str) = match column.column_type() {
        T::MYSQL_TYPE_TINY if column.column_length() == 1 => (Some(Kind::Boolean), "tinyint(1)"),
        T::MYSQL_TYPE_TINY => (Some(Kind::Integer), "tinyint"),
        T::MYSQL_TYPE_SHORT => (Some(Kind::Integer), "smallint"),
        T::MYSQL_TYPE_INT24 => (Some(Kind::Integer), "mediumint"),
        T::MYSQL_TYPE_LONG => (Some(Kind::Integer), "int"),
        T::MYSQL_TYPE_YEAR => (Some(Kind::Integer), "year"),
        T::MYSQL_TYPE_LONGLONG => (Some(Kind::Bigint), "bigint"),
        T::MYSQL_TYPE_FLOAT => (Some(Kind::Float), "float"),
        T::MYSQL_TYPE_DOUBLE => (Some(Kind::Float), "double"),
        T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => (Some(Kind::Numeric), "decimal"),
        T::MYSQL_TYPE_BIT if column.column_length() == 1 => (Some(Kind::Boolean), "bit(1)"),
        T::MYSQL_TYPE_BIT => (Some(Kind::Bigint), "bit"),
        T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_NEWDATE => (Some(Kind::Date), "date"),
        T::MYSQL_TYPE_TIME | T::MYSQL_TYPE_TIME2 => (Some(Kind::Time), "time"),
        T::MYSQL_TYPE_DATETIME | T::MYSQL_TYPE_DATETIME2 => (Some(Kind::Timestamp), "datetime"),
        T::MYSQL_TYPE_TIMESTAMP | T::MYSQL_TYPE_TIMESTAMP2 => (Some(Kind::Timestamptz), "timestamp"),
        T::MYSQL_TYPE_JSON => (Some(Kind::Json), "json"),
        T::MYSQL_TYPE_GEOMETRY => (Some(Kind::Bytes), "geometry"),
        T::MYSQL_TYPE_NULL => (None, ""),
        T::MYSQL_TYPE_ENUM => (Some(Kind::Enum), "enum"),
        T::MYSQL_TYPE_SET => (Some(Kind::Text), "set"),
        _ if json => (Some(Kind::Json), "json"),
        _ if flags.contains(ColumnFlags::ENUM_FLAG) => (Some(Kind::Enum), "enum"),
        _ if flags.contains(ColumnFlags::SET_FLAG) => (Some(Kind::Text), "set"),
        T::MYSQL_TYPE_STRING if column.character_set() == BINARY => (Some(Kind::Bytes), "binary"),
        T::MYSQL_TYPE_VAR_STRING | T::MYSQL_TYPE_VARCHAR if column.character_set() == BINARY => {
            (Some(Kind::Bytes), "varbinary")
        }
        _ if column.character_set() == BINARY => (Some(Kind::Bytes), "blob"),
        T::MYSQL_TYPE_STRING => (Some(Kind::Text), "char"),
        T::MYSQL_TYPE_VAR_STRING | T::MYSQL_TYPE_VARCHAR => (Some(Kind::Text), "varchar"),
        _ => (Some(Kind::Text), "text"),
    };
    let unsigned = flags.contains(ColumnFlags::UNSIGNED_FLAG)
        && matches!(kind, Some(Kind::Integer | Kind::Bigint))
        && word != "year";
    Shape {
        name: column.name_str().into_owned(),
        kind,
        native_type: if unsigned && word != "bit" { format!("{word} unsigned") } else { word.to_owned() },
        nullable: !flags.contains(ColumnFlags::NOT_NULL_FLAG),
        decimals: column.decimals(),
        bits: column.column_type() == T::MYSQL_TYPE_BIT,
    }
}

/// The kind of a column of a table, by `COLUMN_TYPE` such as `int(10) unsigned`.
pub(super) fn of_declared(declared: &str, json: bool) -> Kind {
    let declared = declared.to_ascii_lowercase();
    let name = declared.split(['(', ' ']).next().unwrap_or_default();
    match name {
        _ if json => Kind::Json,
        "tinyint" | "bit" if declared[name.len()..].starts_with("(1)") => Kind::Boolean,
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "year" => Kind::Integer,
        "bigint" | "bit" => Kind::Bigint,
        "float" | "double" | "real" => Kind::Float,
        "decimal" | "numeric" => Kind::Numeric,
        "date" => Kind::Date,
        "time" => Kind::Time,
        "datetime" => Kind::Timestamp,
        "timestamp" => Kind::Timestamptz,
        "enum" => Kind::Enum,
        "json" => Kind::Json,
        "uuid" => Kind::Uuid,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "set" => Kind::Text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "vector" => Kind::Bytes,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => Kind::Bytes,
        _ => Kind::Other,
    }
}

/// The words of `enum('a','it''s')`.
pub(super) fn enum_values(declared: &str) -> Vec<String> {
    let Some(inner) = declared.strip_prefix("enum(").and_then(|rest| rest.strip_suffix(')')) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut rest = inner;
    while let Some(open) = rest.strip_prefix('\'') {
        let mut value = String::new();
        let mut chars = open.char_indices().peekable();
        let mut end = open.len();
        while let Some((at, c)) = chars.next() {
            if c != '\'' {
                value.push(c);
            } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
                value.push('\'');
            } else {
                end = at + 1;
                break;
            }
        }
        out.push(value);
        rest = open[end..].trim_start_matches(',');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::enum_values;

    #[test]
    fn enum_words_are_read() {
        assert_eq!(enum_values("enum('a','it''s','x,y','')"), ["a", "it's", "x,y", ""]);
        assert!(enum_values("set('a')").is_empty());
    }
}
