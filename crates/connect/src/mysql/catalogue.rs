//! What a server offers in one database, asked of `information_schema`.

use std::collections::HashMap;

use mysql_async::Error as Native;
use mysql_async::prelude::Queryable;

use super::kind;
use super::session::{JsonColumns, Session};
use crate::catalogue::{Catalogue, Column, ForeignKey, Kind, Table};

const TABLES: &str = "SELECT TABLE_NAME, TABLE_TYPE LIKE '%VIEW', TABLE_COMMENT FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') ORDER BY TABLE_NAME";
const COLUMNS: &str = "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE = 'YES',
        CAST(COLUMN_DEFAULT AS CHAR), EXTRA, COALESCE(CAST(GENERATION_EXPRESSION AS CHAR), '') <> '', CAST(COLUMN_COMMENT AS CHAR)
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION";
const UNIQUE: &str = "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS
    WHERE TABLE_SCHEMA = ? AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX";
const FOREIGN: &str = "SELECT TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME
    FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME IS NOT NULL
    ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION";

/// Name of the index behind a primary key.
const PRIMARY: &str = "PRIMARY";

type ColumnRow = (String, String, String, bool, Option<String>, String, bool, String);

/// Reads it all. Without a database there are no tables.
pub(super) async fn read(session: &mut Session, json: &JsonColumns, schema: Option<&str>) -> Result<Catalogue, Native> {
    let server = session.server.clone();
    let schema: Option<String> = match schema {
        Some(schema) => Some(schema.to_owned()),
        None => session.conn.query_first("SELECT DATABASE()").await?.flatten(),
    };
    let Some(schema) = schema else {
        return Ok(Catalogue { server, tables: Vec::new() });
    };
    let json = if session.mariadb { json.get(session).await? } else { Default::default() };
    let of = (schema.as_str(),);
    let tables: Vec<(String, bool, String)> = session.conn.exec(TABLES, of).await?;
    let columns: Vec<ColumnRow> = session.conn.exec(COLUMNS, of).await?;
    let unique: Vec<(String, String, Option<String>)> = session.conn.exec(UNIQUE, of).await?;
    let foreign: Vec<(String, String, String, String, String)> = session.conn.exec(FOREIGN, of).await?;

    let mut found: HashMap<String, Table> = HashMap::new();
    for (name, view, comment) in tables {
        // A view's comment is the word `VIEW`.
        let comment = Some(comment).filter(|comment| !comment.is_empty() && !view);
        let table = Table { schema: schema.clone(), name: name.clone(), view, comment, ..Table::default() };
        found.insert(name, table);
    }
    for row in columns {
        let is_json = json.contains(&(schema.clone(), row.0.clone(), row.1.clone()));
        if let Some(table) = found.get_mut(&row.0) {
            table.columns.push(column(row, is_json));
        }
    }
    for key in unique.chunk_by(|a, b| (&a.0, &a.1) == (&b.0, &b.1)) {
        // An index over an expression has no column there.
        let Some(names) = key.iter().map(|row| row.2.clone()).collect::<Option<Vec<String>>>() else { continue };
        let Some(table) = found.get_mut(&key[0].0) else { continue };
        if key[0].1 == PRIMARY { table.primary_key = names } else { table.unique_keys.push(names) }
    }
    for key in foreign.chunk_by(|a, b| (&a.0, &a.1) == (&b.0, &b.1)) {
        if let Some(table) = found.get_mut(&key[0].0) {
            table.foreign_keys.push(ForeignKey {
                columns: key.iter().map(|row| row.2.clone()).collect(),
                table: key[0].3.clone(),
                references: key.iter().map(|row| row.4.clone()).collect(),
            });
        }
    }
    let mut tables: Vec<Table> = found.into_values().collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Catalogue { server, tables })
}

fn column(row: ColumnRow, json: bool) -> Column {
    let (_, name, declared, nullable, default, extra, generated, comment) = row;
    let kind = kind::of_declared(&declared, json);
    let extra = extra.to_ascii_lowercase();
    // MariaDB writes the default NULL as a word.
    let default = default.is_some_and(|default| default != "NULL")
        || extra.contains("auto_increment")
        || extra.contains("default_generated");
    Column {
        values: if kind == Kind::Enum { kind::enum_values(&declared) } else { Vec::new() },
        native_type: if json { "json".to_owned() } else { declared },
        name,
        kind,
        nullable,
        has_default: default,
        generated,
        comment: Some(comment).filter(|comment| !comment.is_empty()),
    }
}
