//! Pages of a query.

use serde_json::json;
use spec::model::{Page, PageBy, Parameter, Schema};
use spec::sql::{Class, Dialect, LexemeKind, Statement, scan};

use crate::model::{PagePlan, StatementPlan};
use crate::quote::ident;

/// Name of the parameter that a paged tool gets.
pub(crate) const CURSOR: &str = "cursor";

/// The first page's SQL and the plan of the following ones; `None` when the statement cannot be
/// given in pages.
pub(crate) fn plan(sql: &str, read: &Statement, page: &Page, dialect: Dialect) -> Option<(String, PagePlan)> {
    let query = read.class == Class::Read && matches!(read.verb.as_str(), "SELECT" | "VALUES" | "TABLE");
    if !query {
        return None;
    }
    let body = body(sql, dialect);
    match page.by {
        PageBy::Offset => Some(offset(&body, read, page)),
        PageBy::Keyset => keyset(&body, page, dialect),
    }
}

fn offset(body: &str, read: &Statement, page: &Page) -> (String, PagePlan) {
    // Text behind the statement keeps its order on every engine; a query around an ordered one
    // does not on MariaDB. So the query is put inside only when it has its own end.
    let first = if read.limited {
        format!("SELECT *\nFROM (\n{body}\n) AS page\nLIMIT :page_limit OFFSET :page_offset")
    } else {
        format!("{body}\nLIMIT :page_limit OFFSET :page_offset")
    };
    (first, PagePlan { size: page.size, by: PageBy::Offset, next: None, key: Vec::new() })
}

fn keyset(body: &str, page: &Page, dialect: Dialect) -> Option<(String, PagePlan)> {
    let keys: Vec<Key> = page.key.iter().map(|key| Key::of(key, dialect)).collect();
    if keys.is_empty() {
        return None;
    }
    let order: Vec<String> = keys
        .iter()
        .map(|key| if key.descending { format!("{} DESC", key.quoted) } else { key.quoted.clone() })
        .collect();
    let text = |condition: &str| {
        let order = order.join(", ");
        format!("SELECT *\nFROM (\n{body}\n) AS page\n{condition}ORDER BY {order}\nLIMIT :page_limit")
    };
    let next = text(&format!("WHERE {}\n", behind(&keys)));
    let plan = PagePlan {
        size: page.size,
        by: PageBy::Keyset,
        next: Some(StatementPlan { sql: next, targets: Vec::new() }),
        key: keys.into_iter().map(|key| key.name).collect(),
    };
    Some((text(""), plan))
}

struct Key {
    name: String,
    quoted: String,
    descending: bool,
}

impl Key {
    fn of(written: &str, dialect: Dialect) -> Self {
        let name = written.strip_prefix('-').unwrap_or(written);
        Self { name: name.to_owned(), quoted: ident(name, dialect), descending: name.len() < written.len() }
    }

    fn compare(&self, number: usize) -> String {
        format!("{} {} :page_key_{number}", self.quoted, if self.descending { "<" } else { ">" })
    }
}

/// The rows behind the last one of the page before.
fn behind(keys: &[Key]) -> String {
    let all = |descending: bool| keys.iter().all(|key| key.descending == descending);
    if keys.len() > 1 && (all(true) || all(false)) {
        let names: Vec<&str> = keys.iter().map(|key| key.quoted.as_str()).collect();
        let values: Vec<String> = (1..=keys.len()).map(|number| format!(":page_key_{number}")).collect();
        let sign = if keys[0].descending { "<" } else { ">" };
        return format!("({}) {sign} ({})", names.join(", "), values.join(", "));
    }
    let steps = keys.iter().enumerate().map(|(at, key)| {
        let equal = keys[..at].iter().enumerate().map(|(i, before)| format!("{} = :page_key_{}", before.quoted, i + 1));
        let all: Vec<String> = equal.chain([key.compare(at + 1)]).collect();
        if all.len() > 1 { format!("({})", all.join(" AND ")) } else { all.concat() }
    });
    let steps: Vec<String> = steps.collect();
    steps.join(" OR ")
}

/// The statement without a semicolon at its end, so that text can follow.
fn body(sql: &str, dialect: Dialect) -> String {
    let Ok(lexemes) = scan(sql, dialect) else {
        return sql.to_owned();
    };
    let last = lexemes.iter().rev().find(|l| !matches!(l.kind, LexemeKind::Comment | LexemeKind::Semicolon));
    let first = lexemes.iter().find(|lexeme| lexeme.kind != LexemeKind::Semicolon);
    match (first, last) {
        (Some(first), Some(last)) if first.start < last.end => sql[first.start..last.end].to_owned(),
        _ => sql.to_owned(),
    }
}

/// The parameter that asks for the next page.
pub(crate) fn cursor() -> Parameter {
    let schema = json!({
        "type": "string",
        "description": "The `nextCursor` of the page before; leave it out for the first page."
    });
    let schema = schema.as_object().cloned().unwrap_or_default();
    Parameter::new(CURSOR, false, Schema(schema))
}
