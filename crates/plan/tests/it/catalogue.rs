//! Catalogues of test cases, written short:
//!
//! ```text
//! postgresql
//! table products: what we sell
//!   id integer pk
//!   name text
//!   sku text unique
//!   price numeric(10,2) null
//!   category_id integer -> categories.id
//!   status enum(open,closed) default
//!   total numeric generated
//!   created_at timestamptz default -- when it came
//!   unique (name, sku)
//! view cheap
//!   id integer
//! ```

use connect::Engine;
use connect::catalogue::{Catalogue, Column, ForeignKey, Kind, Table};

/// Reads a catalogue and its engine.
pub(crate) fn read(text: &str) -> (Engine, Catalogue) {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let engine = match lines.next().map(str::trim) {
        Some("postgresql") => Engine::Postgresql,
        Some("mysql") => Engine::Mysql,
        Some("sqlite") => Engine::Sqlite,
        other => panic!("no engine: {other:?}"),
    };
    let schema = if engine == Engine::Postgresql { "public" } else { "" };
    let mut catalogue = Catalogue { server: engine.as_str().to_owned(), tables: Vec::new() };
    for line in lines {
        let trimmed = line.trim();
        if !line.starts_with(' ') {
            catalogue.tables.push(table(trimmed, schema));
            continue;
        }
        let table = catalogue.tables.last_mut().expect("a column needs a table");
        match trimmed.strip_prefix("unique (") {
            Some(names) => {
                let names = names.trim_end_matches(')').split(',').map(|name| name.trim().to_owned());
                table.unique_keys.push(names.collect());
            }
            None => column(trimmed, table),
        }
    }
    (engine, catalogue)
}

fn table(line: &str, schema: &str) -> Table {
    let (head, comment) =
        line.split_once(": ").map_or((line, None), |(head, comment)| (head, Some(comment.to_owned())));
    let (what, name) = head.split_once(' ').expect("table NAME");
    let (schema, name) = name.split_once('.').unwrap_or((schema, name));
    Table { schema: schema.to_owned(), name: name.to_owned(), view: what == "view", comment, ..Table::default() }
}

/// `"two words"` or a bare name.
fn name(line: &str) -> (&str, &str) {
    match line.strip_prefix('"') {
        Some(rest) => rest.split_once("\" ").expect("a closing quote"),
        None => line.split_once(' ').expect("NAME TYPE"),
    }
}

fn column(line: &str, table: &mut Table) {
    let (line, comment) =
        line.split_once(" -- ").map_or((line, None), |(line, comment)| (line, Some(comment.to_owned())));
    let (name, rest) = name(line);
    let (native, flags) = rest.split_once(' ').unwrap_or((rest, ""));
    let (head, inside) = native.split_once('(').unwrap_or((native, ""));
    let values =
        if head == "enum" { inside.trim_end_matches(')').split(',').map(str::to_owned).collect() } else { Vec::new() };
    let flags: Vec<&str> = flags.split(' ').filter(|flag| !flag.is_empty()).collect();
    let has = |flag: &str| flags.contains(&flag);
    if has("pk") {
        table.primary_key.push(name.to_owned());
    }
    if has("unique") {
        table.unique_keys.push(vec![name.to_owned()]);
    }
    if let Some(at) = flags.iter().position(|flag| *flag == "->") {
        let (target, references) = flags[at + 1].split_once('.').expect("TABLE.COLUMN");
        table.foreign_keys.push(ForeignKey {
            columns: vec![name.to_owned()],
            table: target.to_owned(),
            references: vec![references.to_owned()],
        });
    }
    table.columns.push(Column {
        name: name.to_owned(),
        native_type: native.to_owned(),
        kind: kind(head),
        nullable: has("null"),
        has_default: has("default"),
        generated: has("generated"),
        values,
        comment,
    });
}

fn kind(native: &str) -> Kind {
    match native {
        "boolean" => Kind::Boolean,
        "integer" | "int" | "smallint" => Kind::Integer,
        "bigint" => Kind::Bigint,
        "numeric" | "decimal" => Kind::Numeric,
        "float" | "real" | "double" => Kind::Float,
        "text" | "varchar" | "char" => Kind::Text,
        "enum" => Kind::Enum,
        "uuid" => Kind::Uuid,
        "date" => Kind::Date,
        "time" => Kind::Time,
        "timestamp" | "datetime" => Kind::Timestamp,
        "timestamptz" => Kind::Timestamptz,
        "bytea" | "blob" => Kind::Bytes,
        "json" | "jsonb" => Kind::Json,
        "array" => Kind::Array,
        _ => Kind::Other,
    }
}
