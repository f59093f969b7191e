//! Tools whose SQL is written in the spec.

use base::Diagnostic;
use spec::model::{PageBy, Parameter, Sql, SqlResult};
use spec::sql::{Dialect, Effects, LexemeKind, Statement, Template, check, scan};

use crate::codes::{NO_PAGE, UNORDERED};
use crate::make::{Ask, Planned, bare};
use crate::model::{ActionPlan, Origin, SqlPlan, StatementPlan};
use crate::output::Shape;
use crate::page;

/// Plans a tool with a `sql` action.
pub(crate) fn plan(ask: &Ask<'_>, sql: &Sql, connection: &str) -> Planned {
    let tool = ask.tool;
    let read: Vec<Option<Statement>> = sql.statements.iter().map(|text| check(text, ask.dialect).ok()).collect();
    let last = read.last().and_then(Option::as_ref);
    let result = sql.result.unwrap_or(match last {
        Some(last) if !last.returns_rows => SqlResult::Affected,
        _ => SqlResult::Rows,
    });
    let mut why = Vec::new();
    let mut diagnostics = Vec::new();
    let mut statements: Vec<StatementPlan> = sql
        .statements
        .iter()
        .map(|text| StatementPlan { sql: typed(text, tool.parameters(), ask.dialect, &mut why), targets: Vec::new() })
        .collect();
    let mut pages = None;
    if let (Some(asked), Some(first), Some(last)) = (&sql.page, statements.last_mut(), last) {
        match page::plan(&first.sql, last, asked, ask.dialect) {
            Some((text, plan)) => {
                first.sql = text;
                pages = Some(plan);
                why.push(paged(asked.by, asked.size));
                if asked.by == PageBy::Offset && !last.ordered {
                    diagnostics.push(unordered(ask));
                }
            }
            None => diagnostics.push(no_page(ask, &last.verb)),
        }
    }
    let effects: Vec<Effects> = read.iter().map(|r| effects(r.as_ref(), sql.write)).collect();
    let shape = Shape { returns: tool.own_returns(), result, paged: pages.is_some() };
    let output = shape.schema(None);
    let paged = pages.is_some();
    let action = ActionPlan::Sql(SqlPlan {
        connection: connection.to_owned(),
        statements,
        write: sql.write,
        batch: sql.batch.clone(),
        result,
        page: pages,
        row_limit: sql.row_limit.unwrap_or(ask.rows),
    });
    let mut out = bare(tool, Origin::Declared, action, &effects);
    out.output = output;
    out.why = why;
    if paged && tool.parameter(page::CURSOR).is_none() {
        out.parameters.push(page::cursor());
    }
    (out, diagnostics)
}

/// What cannot be read is taken for the worst that its action allows.
fn effects(read: Option<&Statement>, write: bool) -> Effects {
    let worst = Effects { read_only: false, destructive: true, idempotent: false };
    let best = Effects { read_only: true, destructive: false, idempotent: true };
    match read {
        Some(read) => read.effects,
        None if write => worst,
        None => best,
    }
}

fn paged(by: PageBy, size: u64) -> String {
    match by {
        PageBy::Offset => format!("Pages of {size} rows, found by counting rows."),
        PageBy::Keyset => format!("Pages of {size} rows, found by the key of the last row."),
    }
}

fn unordered(ask: &Ask<'_>) -> Diagnostic {
    let message =
        format!("tool `{}` gives pages of a query without ORDER BY, so pages may overlap or miss rows", ask.tool.name);
    Diagnostic::warning(UNORDERED, message)
        .path(format!("{}/sql/page", ask.path))
        .help("add ORDER BY over columns that are unique together, or use `by: keyset` with `key`")
}

fn no_page(ask: &Ask<'_>, verb: &str) -> Diagnostic {
    let message = format!("the {verb} of tool `{}` cannot be given in pages; the answer is given whole", ask.tool.name);
    Diagnostic::warning(NO_PAGE, message)
        .path(format!("{}/sql/page", ask.path))
        .help("pages need one query that gives rows, and `by: keyset` needs `key`")
}

/// PostgreSQL cannot tell the type of a parameter in `:x IS NULL`; such uses get the cast of the
/// parameter's declared type. They have a placeholder of their own, so the type of the
/// parameter's other uses is still the column's.
fn typed(text: &str, parameters: &[Parameter], dialect: Dialect, why: &mut Vec<String>) -> String {
    let (Dialect::Postgresql, Ok(template), Ok(mut lexemes)) =
        (dialect, Template::parse(text, dialect), scan(text, dialect))
    else {
        return text.to_owned();
    };
    lexemes.retain(|lexeme| lexeme.kind != LexemeKind::Comment);
    let mut casts: Vec<String> = Vec::new();
    let out = template.rewrite(|used| {
        let at = lexemes.iter().position(|lexeme| lexeme.start == used.start)?;
        let is = lexemes.get(at + 1).is_some_and(|next| {
            next.is_word(text, "IS") || next.is_word(text, "ISNULL") || next.is_word(text, "NOTNULL")
        });
        if !is || used.cast.is_some() {
            return None;
        }
        let cast = cast(&used.name, parameters);
        if !casts.contains(&used.name) {
            casts.push(used.name.clone());
        }
        Some(cast)
    });
    for name in casts {
        why.push(format!("`:{name} IS NULL` is cast, because PostgreSQL cannot tell its type there."));
    }
    out
}

/// A use of a parameter, cast to the PostgreSQL type of what the spec declares for it.
pub(crate) fn cast(name: &str, parameters: &[Parameter]) -> String {
    let kind = parameters.iter().find(|p| p.name == name).and_then(|p| p.schema.kind());
    let kind = match kind {
        Some("integer") => "bigint",
        Some("number") => "numeric",
        Some("boolean") => "boolean",
        Some("array" | "object") => "jsonb",
        _ => "text",
    };
    format!("CAST(:{name} AS {kind})")
}
