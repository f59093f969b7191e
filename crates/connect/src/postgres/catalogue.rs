//! Tables, columns, keys and comments from PostgreSQL's own catalogue, in one query.

use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::error::Place;
use super::kind;
use super::session::Session;
use crate::catalogue::{Column, ForeignKey, Table};
use crate::{Catalogue, Error, ErrorKind};

/// One row: a JSON array of everything. `pg_catalog` is documented in the PostgreSQL manual, part VII.
const QUERY: &str = r"
SELECT coalesce(json_agg(t ORDER BY t.name), '[]')::text FROM (
  SELECT n.nspname AS schema, c.relname AS name, c.relkind IN ('v', 'm') AS view,
    obj_description(c.oid, 'pg_class') AS comment,
    (SELECT coalesce(json_agg(json_build_object(
        'name', a.attname,
        'native', format_type(a.atttypid, a.atttypmod),
        'oid', coalesce(nullif(ty.typbasetype, 0), ty.oid)::int8,
        'class', coalesce(base.typtype, ty.typtype),
        'category', coalesce(base.typcategory, ty.typcategory),
        'type', coalesce(base.typname, ty.typname),
        'nullable', NOT (a.attnotnull OR ty.typnotnull),
        'default', a.atthasdef OR a.attidentity <> '' OR ty.typdefault IS NOT NULL,
        'generated', a.attidentity = 'a' OR a.attgenerated <> '',
        'values', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e
                    WHERE e.enumtypid = coalesce(base.oid, ty.oid)),
        'comment', col_description(c.oid, a.attnum)) ORDER BY a.attnum), '[]')
      FROM pg_attribute a JOIN pg_type ty ON ty.oid = a.atttypid
      LEFT JOIN pg_type base ON base.oid = nullif(ty.typbasetype, 0)
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT json_agg(a.attname ORDER BY k.at) FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(number, at)
       JOIN pg_attribute a ON a.attnum = k.number
      WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid) AS primary_key,
    (SELECT json_agg(u.names) FROM (
       SELECT json_agg(a.attname ORDER BY k.at) AS names
         FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(number, at) JOIN pg_attribute a ON a.attnum = k.number
        WHERE i.indrelid = c.oid AND i.indisunique AND NOT i.indisprimary AND i.indpred IS NULL AND i.indexprs IS NULL
          AND a.attrelid = c.oid AND k.at <= i.indnkeyatts
        GROUP BY i.indexrelid ORDER BY i.indexrelid) u) AS unique_keys,
    (SELECT json_agg(json_build_object(
        'table', f.relname,
        'columns', (SELECT json_agg(a.attname ORDER BY k.at) FROM unnest(o.conkey) WITH ORDINALITY k(number, at)
                      JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.number),
        'references', (SELECT json_agg(a.attname ORDER BY k.at) FROM unnest(o.confkey) WITH ORDINALITY k(number, at)
                         JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.number)) ORDER BY o.conname)
      FROM pg_constraint o JOIN pg_class f ON f.oid = o.confrelid
      WHERE o.conrelid = c.oid AND o.contype = 'f') AS foreign_keys,
    (SELECT json_agg(pg_get_constraintdef(o.oid)) FROM pg_constraint o
      WHERE o.conrelid = c.oid AND o.contype = 'c') AS checks
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname = coalesce($1, current_schema())
) t";

#[derive(Deserialize)]
struct FoundTable {
    schema: String,
    name: String,
    view: bool,
    comment: Option<String>,
    columns: Vec<FoundColumn>,
    primary_key: Option<Vec<String>>,
    unique_keys: Option<Vec<Vec<String>>>,
    foreign_keys: Option<Vec<ForeignKey>>,
    checks: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct FoundColumn {
    name: String,
    native: String,
    oid: u32,
    class: char,
    category: char,
    #[serde(rename = "type")]
    type_name: String,
    nullable: bool,
    default: bool,
    generated: bool,
    values: Option<Vec<String>>,
    comment: Option<String>,
}

/// Reads one database schema.
pub(super) async fn read(
    session: &mut Session,
    schema: Option<&str>,
    place: Place<'_>,
    timeout: Duration,
) -> Result<Catalogue, Error> {
    let cancel = CancellationToken::new();
    let row = session
        .bounded(Instant::now() + timeout, &cancel, |client| async move {
            let statement = client.prepare_typed(QUERY, &[tokio_postgres::types::Type::TEXT]).await?;
            client.query_one(&statement, &[&schema]).await
        })
        .await
        .map_err(|stop| place.stopped(stop))?
        .map_err(|error| place.engine(&error))?;
    let text: String = row.try_get(0).map_err(|error| place.engine(&error))?;
    let tables: Vec<FoundTable> = serde_json::from_str(&text)
        .map_err(|error| place.error(ErrorKind::Other, format!("the catalogue cannot be understood: {error}"), ""))?;
    Ok(Catalogue { server: session.server(), tables: tables.into_iter().map(table).collect() })
}

fn table(found: FoundTable) -> Table {
    let checks = found.checks.unwrap_or_default();
    Table {
        columns: found.columns.into_iter().map(|column| self::column(column, &checks)).collect(),
        schema: found.schema,
        name: found.name,
        view: found.view,
        comment: found.comment,
        primary_key: found.primary_key.unwrap_or_default(),
        unique_keys: found.unique_keys.unwrap_or_default(),
        foreign_keys: found.foreign_keys.unwrap_or_default(),
    }
}

fn column(found: FoundColumn, checks: &[String]) -> Column {
    let values =
        found.values.unwrap_or_else(|| checks.iter().find_map(|check| listed(check, &found.name)).unwrap_or_default());
    Column {
        kind: kind::of_catalogue(found.oid, found.class, found.category, &found.type_name),
        name: found.name,
        native_type: found.native,
        nullable: found.nullable,
        has_default: found.default,
        generated: found.generated,
        values,
        comment: found.comment,
    }
}

/// The values of `CHECK (column IN ('a', 'b'))`, which PostgreSQL gives back as
/// `CHECK ((column = ANY (ARRAY['a'::text, 'b'::text])))`.
fn listed(check: &str, column: &str) -> Option<Vec<String>> {
    let inner = check.strip_prefix("CHECK (")?;
    let inner = inner.trim_start_matches('(');
    let rest = inner.strip_prefix(column).or_else(|| inner.strip_prefix(&format!("\"{column}\"")))?;
    let rest = rest.trim_start_matches(')').trim_start_matches("::text").trim_start();
    let rest = rest.strip_prefix("= ANY (")?.trim_start_matches('(').strip_prefix("ARRAY[")?;
    let (list, after) = rest.split_once(']')?;
    if after.contains(" AND ") || after.contains(" OR ") {
        return None;
    }
    let value = |item: &str| {
        let quoted = item.trim().strip_prefix('\'')?;
        let (text, _) = quoted.rsplit_once('\'')?;
        Some(text.replace("''", "'"))
    };
    list.split(", ").map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn listed_values_are_read_from_checks() {
        let check = "CHECK ((category = ANY (ARRAY['electronics'::text, 'it''s'::text])))";
        assert_eq!(listed(check, "category"), Some(vec!["electronics".to_owned(), "it's".to_owned()]));
        let varchar = "CHECK (((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))";
        assert_eq!(listed(varchar, "kind"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(listed("CHECK ((price > (0)::numeric))", "price"), None);
    }
}
