//! What a SQLite database offers, asked of its pragmas.

use rusqlite::{Connection, Row};

use super::{checks, kind};
use crate::catalogue::{Catalogue, Column, ForeignKey, Kind, Table};

/// Tables, virtual tables and views of the main database; not SQLite's own nor the shadow tables
/// behind virtual ones.
const TABLES: &str = "SELECT l.name, l.type, l.wr, s.sql FROM pragma_table_list AS l
    JOIN sqlite_schema AS s ON s.name = l.name AND s.type IN ('table', 'view')
    WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual') AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    ORDER BY l.name";
/// `hidden`: 1 is a hidden column of a virtual table, 2 and 3 are generated ones.
const COLUMNS: &str = "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid";
const UNIQUE: &str = "SELECT i.name, c.name FROM pragma_index_list(?1) AS i, pragma_index_info(i.name) AS c
    WHERE i.\"unique\" AND NOT i.partial AND i.origin <> 'pk' ORDER BY i.name, c.seqno";
const FOREIGN: &str = "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq";

/// Reads it all.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Catalogue> {
    let found: Vec<(String, String, bool, Option<String>)> =
        all(connection, TABLES, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let mut tables = Vec::with_capacity(found.len());
    for (name, sort, without_rowid, sql) in found {
        match table(connection, &name, without_rowid, &sql.unwrap_or_default()) {
            Ok(table) => tables.push(Table { view: sort == "view", ..table }),
            // A view of something that is gone, a virtual table without its module: the rest is good.
            Err(rusqlite::Error::SqliteFailure(error, message)) if error.code == rusqlite::ErrorCode::Unknown => {
                tracing::warn!(table = name, message, "left out of the catalogue: SQLite cannot read it");
            }
            Err(rusqlite::Error::SqlInputError { msg, .. }) => {
                tracing::warn!(table = name, message = msg, "left out of the catalogue: SQLite cannot read it");
            }
            Err(error) => return Err(error),
        }
    }
    let primary: Vec<(String, Vec<String>)> = tables.iter().map(|t| (t.name.clone(), t.primary_key.clone())).collect();
    for foreign in tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        // `REFERENCES customers` without columns means its primary key.
        if foreign.references.is_empty() {
            let parent = primary.iter().find(|(name, _)| name.eq_ignore_ascii_case(&foreign.table));
            foreign.references = parent.map(|(_, key)| key.clone()).unwrap_or_default();
        }
    }
    Ok(Catalogue { server: server(), tables })
}

/// Engine and version.
pub(super) fn server() -> String {
    format!("SQLite {}", rusqlite::version())
}

fn table(connection: &Connection, name: &str, without_rowid: bool, sql: &str) -> rusqlite::Result<Table> {
    let mut keyed: Vec<(i64, String)> = Vec::new();
    let mut columns = all(connection, COLUMNS, [name], |row| {
        let (column, key) = column(row)?;
        if key > 0 {
            keyed.push((key, column.name.clone()));
        }
        Ok(column)
    })?;
    keyed.sort_unstable();
    let primary_key: Vec<String> = keyed.into_iter().map(|(_, name)| name).collect();
    // The only column of the key, declared `INTEGER`, is the row's number: never NULL, and given by
    // SQLite when an insert leaves it out (<https://sqlite.org/lang_createtable.html#rowid>).
    if let [key] = primary_key.as_slice()
        && !without_rowid
        && let Some(column) = columns.iter_mut().find(|column| column.name == *key)
        && column.native_type.eq_ignore_ascii_case("INTEGER")
    {
        column.nullable = false;
        column.has_default = true;
    }
    for (name, values) in checks::enumerations(sql) {
        let column = columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(&name));
        if let Some(column) = column.filter(|column| matches!(column.kind, Kind::Text | Kind::Enum)) {
            column.kind = Kind::Enum;
            column.values = values;
        }
    }
    Ok(Table {
        name: name.to_owned(),
        columns,
        primary_key,
        unique_keys: unique_keys(connection, name)?,
        foreign_keys: foreign_keys(connection, name)?,
        ..Table::default()
    })
}

/// A column, and its place in the primary key from 1.
fn column(row: &Row<'_>) -> rusqlite::Result<(Column, i64)> {
    let native_type: String = row.get(1)?;
    let key: i64 = row.get(4)?;
    let column = Column {
        name: row.get(0)?,
        kind: kind::of_declared(Some(&native_type)).unwrap_or(Kind::Json),
        native_type,
        nullable: !row.get::<_, bool>(2)?,
        has_default: row.get(3)?,
        generated: row.get::<_, i64>(5)? > 1,
        values: Vec::new(),
        comment: None,
    };
    Ok((column, key))
}

fn unique_keys(connection: &Connection, name: &str) -> rusqlite::Result<Vec<Vec<String>>> {
    let rows: Vec<(String, Option<String>)> = all(connection, UNIQUE, [name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut keys: Vec<Vec<String>> = rows
        .chunk_by(|a, b| a.0 == b.0)
        // An index over an expression has no column there, and says nothing of its columns alone.
        .filter_map(|index| index.iter().map(|(_, column)| column.clone()).collect())
        .collect();
    keys.sort();
    keys.dedup();
    Ok(keys)
}

fn foreign_keys(connection: &Connection, name: &str) -> rusqlite::Result<Vec<ForeignKey>> {
    let rows: Vec<(i64, String, String, Option<String>)> =
        all(connection, FOREIGN, [name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let keys = rows.chunk_by(|a, b| a.0 == b.0).map(|key| ForeignKey {
        columns: key.iter().map(|row| row.2.clone()).collect(),
        table: key[0].1.clone(),
        references: key.iter().filter_map(|row| row.3.clone()).collect(),
    });
    Ok(keys.collect())
}

fn all<T>(
    connection: &Connection,
    text: &str,
    parameters: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(text)?.query_map(parameters, read)?.collect()
}
