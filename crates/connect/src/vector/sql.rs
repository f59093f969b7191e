//! The statements, for PostgreSQL and for SQLite. Names are checked and quoted, values are bound.

use serde_json::Value;

use super::{FILTERS_MAX, Metric, Settings};
use crate::Engine;

/// What makes the statements of a table.
pub(super) struct Sql {
    pub(super) is_postgres: bool,
    table: String,
    settings: Settings,
}

/// A condition, with the values that it binds.
#[derive(Default)]
pub(super) struct Condition {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Sql {
    /// Checks the names; the error says what is wrong.
    pub(super) fn new(engine: Engine, settings: &Settings) -> Result<Self, String> {
        let is_postgres = match engine {
            Engine::Postgresql => true,
            Engine::Sqlite => false,
            Engine::Mysql => return Err("vectors are kept in PostgreSQL with pgvector, or in SQLite".to_owned()),
        };
        let parts: Vec<&str> = settings.table.split('.').collect();
        let is_name = |part: &&str| {
            !part.is_empty() && part.len() <= 63 && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if parts.len() > if is_postgres { 2 } else { 1 } || !parts.iter().all(is_name) {
            return Err(format!("`{}` is no name of a table: letters, digits and `_`", settings.table.escape_debug()));
        }
        let table = parts.iter().map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".");
        Ok(Self { is_postgres, table, settings: settings.clone() })
    }

    /// What makes the table when it is not there.
    pub(super) fn create(&self) -> Vec<String> {
        let (table, dimensions) = (&self.table, self.settings.dimensions);
        if !self.is_postgres {
            let check = format!("CHECK (length(embedding) = {})", dimensions * 4);
            return vec![format!(
                "CREATE TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY NOT NULL, content TEXT NOT NULL, \
                 metadata TEXT NOT NULL DEFAULT '{{}}', embedding BLOB NOT NULL {check})"
            )];
        }
        // No index: those of pgvector are approximate, and with a filter or a large limit they leave rows out without saying so.
        // Who has very many rows makes one.
        vec![
            "CREATE EXTENSION IF NOT EXISTS vector".to_owned(),
            format!(
                "CREATE TABLE IF NOT EXISTS {table} (id text PRIMARY KEY, content text NOT NULL, \
                 metadata jsonb NOT NULL DEFAULT '{{}}', embedding vector({dimensions}) NOT NULL)"
            ),
        ]
    }

    pub(super) fn upsert(&self) -> String {
        let (metadata, vector) = match self.is_postgres {
            true => ("$3::text::jsonb", "$4::text::vector"),
            false => ("?3", "vector_blob(?4)"),
        };
        let (one, two) = if self.is_postgres { ("$1", "$2") } else { ("?1", "?2") };
        format!(
            "INSERT INTO {} (id, content, metadata, embedding) VALUES ({one}, {two}, {metadata}, {vector}) ON CONFLICT (id) \
             DO UPDATE SET content = excluded.content, metadata = excluded.metadata, embedding = excluded.embedding",
            self.table
        )
    }

    /// The nearest rows, the vector being the first value.
    pub(super) fn search(&self, condition: &Condition, limit: usize) -> String {
        let distance = match (self.is_postgres, self.settings.metric) {
            (true, Metric::Cosine) => "embedding <=> $1::text::vector",
            (true, Metric::L2) => "embedding <-> $1::text::vector",
            (true, Metric::InnerProduct) => "embedding <#> $1::text::vector",
            (false, Metric::Cosine) => "vector_distance_cosine(embedding, ?1)",
            (false, Metric::L2) => "vector_distance_l2(embedding, ?1)",
            (false, Metric::InnerProduct) => "vector_distance_ip(embedding, ?1)",
        };
        let (table, place) = (&self.table, &condition.text);
        // In the order by the expression itself an index can be used.
        let (order, tie) = if self.is_postgres { (distance, "") } else { ("distance", ", id") };
        format!(
            "SELECT id, content, metadata, {distance} AS distance FROM {table}{place} ORDER BY {order}{tie} LIMIT {limit}"
        )
    }

    /// How many rows a condition leaves, counted up to a bound.
    pub(super) fn count(&self, condition: &Condition, most: usize) -> String {
        format!(
            "SELECT count(*) AS count FROM (SELECT 1 FROM {}{} LIMIT {most}) AS counted",
            self.table, condition.text
        )
    }

    pub(super) fn delete(&self, condition: &Condition) -> String {
        format!("DELETE FROM {}{}", self.table, condition.text)
    }

    /// Rows by their identifiers.
    pub(super) fn by_ids(&self, ids: &[String]) -> Condition {
        let places: Vec<_> = (1..=ids.len()).map(|nth| self.place(nth)).collect();
        let values = ids.iter().map(|id| Value::from(id.as_str())).collect();
        Condition { text: format!(" WHERE id IN ({})", places.join(", ")), values }
    }

    /// Rows whose metadata has these fields with these values, or one of several values. `bound` values come before.
    pub(super) fn filter(&self, filter: &serde_json::Map<String, Value>, bound: usize) -> Result<Condition, String> {
        if filter.len() > FILTERS_MAX {
            return Err(format!("the filter has more than {FILTERS_MAX} fields"));
        }
        let mut condition = Condition::default();
        for (key, wanted) in filter {
            if key.is_empty() || key.len() > 200 || key.contains(['"', '\\']) || key.chars().any(char::is_control) {
                return Err(format!("`{}` is no name of a field of the metadata", key.escape_debug()));
            }
            let single = std::slice::from_ref(wanted);
            let any = wanted.as_array().map_or(single, Vec::as_slice);
            if any.len() > FILTERS_MAX || any.iter().any(|value| value.is_array() || value.is_object()) {
                return Err(format!(
                    "the filter of `{key}` is a text, a number, true, false, null, or a list of few of them"
                ));
            }
            let mut tests = Vec::new();
            for value in any {
                tests.push(self.test(key, value, bound, &mut condition.values));
            }
            let tests = if tests.is_empty() { "1 = 0".to_owned() } else { tests.join(" OR ") };
            let word = if condition.text.is_empty() { " WHERE" } else { " AND" };
            condition.text.push_str(&format!("{word} ({tests})"));
        }
        Ok(condition)
    }

    fn test(&self, key: &str, value: &Value, bound: usize, values: &mut Vec<Value>) -> String {
        if self.is_postgres {
            values.push(serde_json::json!({(key): value}).to_string().into());
            return format!("metadata @> {}::text::jsonb", self.place(bound + values.len()));
        }
        values.push(format!("$.\"{key}\"").into());
        let path = self.place(bound + values.len());
        values.push(value.to_string().into());
        let given = self.place(bound + values.len());
        let is_flag = |of: String| format!("(json_type({of}) IN ('true', 'false', 'null'))");
        format!(
            "(json_extract(metadata, {path}) IS json_extract({given}, '$') AND {} IS {} AND json_type(metadata, {path}) IS NOT NULL)",
            is_flag(format!("metadata, {path}")),
            is_flag(given.clone())
        )
    }

    fn place(&self, nth: usize) -> String {
        if self.is_postgres { format!("${nth}") } else { format!("?{nth}") }
    }
}

/// A vector as a text that both engines read.
pub(super) fn text(vector: &[f32]) -> String {
    let mut text = String::with_capacity(vector.len() * 12);
    let mut buffer = ryu::Buffer::new();
    for (nth, number) in vector.iter().enumerate() {
        text.push(if nth == 0 { '[' } else { ',' });
        text.push_str(buffer.format_finite(*number));
    }
    text.push(']');
    text
}
