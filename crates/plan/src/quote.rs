//! Identifiers and texts as SQL.

use connect::catalogue::Table;
use spec::sql::Dialect;

/// An identifier, quoted so that any name is itself.
pub(crate) fn ident(name: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Mysql => format!("`{}`", name.replace('`', "``")),
        Dialect::Postgresql | Dialect::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A table's name, with its schema where the engine would not find it without.
pub(crate) fn table(table: &Table, dialect: Dialect) -> String {
    let name = ident(&table.name, dialect);
    if dialect == Dialect::Postgresql && !table.schema.is_empty() && table.schema != "public" {
        return format!("{}.{name}", ident(&table.schema, dialect));
    }
    name
}

/// A text literal. Only for words of the catalogue and of the spec, never for a caller's values.
pub(crate) fn text(value: &str, dialect: Dialect) -> String {
    let doubled = value.replace('\'', "''");
    match dialect {
        Dialect::Mysql => format!("'{}'", doubled.replace('\\', "\\\\")),
        Dialect::Postgresql | Dialect::Sqlite => format!("'{doubled}'"),
    }
}
