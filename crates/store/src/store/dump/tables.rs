//! The tables of a store, as the database itself knows them: those of a migration that is added later are among them.

use crate::db::{Fault, SCHEMA, Session, params};

/// How a column is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Real,
    Bytes,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<(String, Kind)>,
    key: Vec<String>,
    parents: Vec<String>,
}

impl Table {
    /// Some of its rows in the order of its key: the first ones, or those after the row of a key, which is given as values. A
    /// table without a key is read at once.
    pub(super) fn page(&self, is_first: bool, count: usize) -> String {
        let columns = self.columns.iter().map(|(name, kind)| match kind {
            // Small numbers come as large ones.
            Kind::Int => format!("CAST({name} AS BIGINT)"),
            _ => name.clone(),
        });
        let columns: Vec<String> = columns.collect();
        let rows = format!("SELECT {} FROM {}", columns.join(", "), self.name);
        if self.key.is_empty() {
            return rows;
        }
        let key = self.key.join(", ");
        let values: Vec<String> = (1..=self.key.len()).map(|number| format!("?{number}")).collect();
        let after = if is_first { String::new() } else { format!(" WHERE ({key}) > ({})", values.join(", ")) };
        format!("{rows}{after} ORDER BY {key} LIMIT {count}")
    }

    /// Which of its columns are its key.
    pub(super) fn key(&self) -> impl Iterator<Item = usize> {
        self.key.iter().filter_map(|key| self.columns.iter().position(|(name, _)| name == key))
    }
}

/// Every table, those that others refer to before them.
pub(super) fn all(session: &Session<'_>) -> Result<Vec<Table>, Fault> {
    let found = match session {
        Session::Sqlite(_) => of_file(session)?,
        Session::Postgres(_) => of_server(session)?,
    };
    let mut ordered: Vec<Table> = Vec::with_capacity(found.len());
    let mut begun = Vec::new();
    for table in &found {
        put(table, &found, &mut begun, &mut ordered);
    }
    Ok(ordered)
}

/// Puts the tables that a table refers to before it. Of those that refer to each other one comes first; the database looks at
/// such references when all rows are there.
fn put(table: &Table, all: &[Table], begun: &mut Vec<String>, ordered: &mut Vec<Table>) {
    if begun.contains(&table.name) {
        return;
    }
    begun.push(table.name.clone());
    for parent in &table.parents {
        if let Some(parent) = all.iter().find(|other| other.name == *parent) {
            put(parent, all, begun, ordered);
        }
    }
    ordered.push(table.clone());
}

fn kind(word: &str) -> Kind {
    match word.to_ascii_lowercase().as_str() {
        "integer" | "bigint" | "smallint" => Kind::Int,
        "real" | "double precision" => Kind::Real,
        "blob" | "bytea" => Kind::Bytes,
        _ => Kind::Text,
    }
}

fn of_file(session: &Session<'_>) -> Result<Vec<Table>, Fault> {
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let names: Vec<String> = session.rows(names, &[], |row| row.get(0))?;
    let mut tables = Vec::new();
    for name in names {
        let columns = "SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid";
        let columns: Vec<(String, String, i64)> =
            session.rows(columns, params![&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut key: Vec<(i64, String)> =
            columns.iter().filter(|(_, _, pk)| *pk > 0).map(|(name, _, pk)| (*pk, name.clone())).collect();
        key.sort();
        let parents = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?1) ORDER BY 1";
        tables.push(Table {
            columns: columns.iter().map(|(name, word, _)| (name.clone(), kind(word))).collect(),
            key: key.into_iter().map(|(_, name)| name).collect(),
            parents: session.rows(parents, params![&name], |row| row.get(0))?,
            name,
        });
    }
    Ok(tables)
}

fn of_server(session: &Session<'_>) -> Result<Vec<Table>, Fault> {
    let names = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = CAST(?1 AS TEXT) ORDER BY 1";
    let names: Vec<String> = session.rows(names, params![SCHEMA], |row| row.get(0))?;
    let mut tables = Vec::new();
    for name in names {
        let columns = "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns
             WHERE table_schema = CAST(?1 AS TEXT) AND table_name = CAST(?2 AS TEXT) ORDER BY ordinal_position";
        let columns: Vec<(String, String)> =
            session.rows(columns, params![SCHEMA, &name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let key = "SELECT CAST(k.column_name AS TEXT) FROM information_schema.table_constraints c
               JOIN information_schema.key_column_usage k ON k.constraint_name = c.constraint_name
                AND k.table_schema = c.table_schema AND k.table_name = c.table_name
             WHERE c.constraint_type = 'PRIMARY KEY' AND c.table_schema = CAST(?1 AS TEXT)
               AND c.table_name = CAST(?2 AS TEXT) ORDER BY k.ordinal_position";
        // References that are looked at when all rows are there need no order.
        let parents = "SELECT DISTINCT CAST(p.relname AS TEXT) FROM pg_constraint c
               JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class p ON p.oid = c.confrelid
               JOIN pg_namespace n ON n.oid = t.relnamespace
             WHERE c.contype = 'f' AND NOT c.condeferrable AND n.nspname = CAST(?1 AS TEXT)
               AND t.relname = CAST(?2 AS TEXT) ORDER BY 1";
        tables.push(Table {
            columns: columns.into_iter().map(|(name, word)| (name, kind(&word))).collect(),
            key: session.rows(key, params![SCHEMA, &name], |row| row.get(0))?,
            parents: session.rows(parents, params![SCHEMA, &name], |row| row.get(0))?,
            name,
        });
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Table};

    #[test]
    fn no_page_reads_what_was_read_before() {
        let columns = ["a", "b", "c"].map(|name| (name.to_owned(), Kind::Text)).to_vec();
        let table = |key: &[&str]| Table {
            name: "t".to_owned(),
            columns: columns.clone(),
            key: key.iter().map(|name| (*name).to_owned()).collect(),
            parents: Vec::new(),
        };
        let keyed = table(&["c", "a"]);
        assert_eq!(keyed.page(true, 5), "SELECT a, b, c FROM t ORDER BY c, a LIMIT 5");
        assert_eq!(keyed.page(false, 5), "SELECT a, b, c FROM t WHERE (c, a) > (?1, ?2) ORDER BY c, a LIMIT 5");
        assert_eq!(keyed.key().collect::<Vec<_>>(), [2, 0]);
        assert_eq!(table(&[]).page(true, 5), "SELECT a, b, c FROM t");
    }
}
