//! Pages of a `sql` action.

use super::Check;
use crate::codes;
use crate::model::{PageBy, Sql, SqlResult, Tool};
use crate::sql::Statement;
use crate::structure::clip;
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Sql, node: &Node, statements: Option<&[Statement]>) {
    let Some(page) = &action.page else { return };
    let Some(at) = node.get("sql").and_then(|sql| sql.get("page")) else { return };
    if action.write || action.batch.is_some() {
        check.error(codes::PAGES, at.span, "only reading is done in pages", "remove `page`, or `write` and `batch`");
    }
    if action.statements.len() > 1 {
        check.error(codes::PAGES, at.span, "pages are made of one statement", "keep one statement, or remove `page`");
    }
    if action.result.is_some_and(|result| result != SqlResult::Rows) {
        let span = node.get("sql").map_or(at.span, |sql| sql.span_of("result"));
        check.error(codes::PAGES, span, "a page is a list of rows", "remove `result`, or write `result: rows`");
    }
    if let Some(parameter) = tool.parameter("cursor") {
        let nodes = node.get("parameters").map(Node::items).unwrap_or_default();
        let span = nodes.iter().find(|n| n.str_of("name") == Some("cursor")).map_or(at.span, |n| n.span_of("name"));
        let message = format!("the parameter `{}` is added by `page`", clip(&parameter.name));
        check.error(codes::PAGES, span, message, "remove it from `parameters`");
    }
    match page.by {
        PageBy::Keyset if page.key.is_empty() => {
            let help = "add `key: [created_at, id]`, columns of a unique order";
            check.error(codes::PAGES, at.span, "pages by keyset need `key`", help);
        }
        PageBy::Offset if !page.key.is_empty() => {
            check.error(
                codes::PAGES,
                at.span_of("key"),
                "`key` is for pages by keyset",
                "write `by: keyset`, or remove `key`",
            );
        }
        _ => {}
    }
    for (column, at) in page.key.iter().zip(at.get("key").map(Node::items).unwrap_or_default()) {
        let name = column.strip_prefix('-').unwrap_or(column);
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            let message = format!("`{}` is not a column", clip(column));
            check.error(codes::PAGES, at.span, message, "name a column of the answer, `-name` for descending");
        }
    }
    if let (Some([statement]), [text]) = (statements, action.statements.as_slice()) {
        keys(check, &page.key, at, statement, text);
    }
}

/// Columns of the key: each once, and each in the select list, since the cursor is made of them.
fn keys(check: &mut Check<'_, '_>, key: &[String], at: &Node, statement: &Statement, text: &str) {
    let nodes = at.get("key").map(Node::items).unwrap_or_default();
    let name = |column: &'_ str| column.trim_start_matches('-').to_lowercase();
    for (index, (column, node)) in key.iter().zip(nodes).enumerate() {
        if key[..index].iter().any(|other| name(other) == name(column)) {
            let message = format!("the key names `{}` twice", clip(column));
            check.error(codes::PAGES, node.span, message, "name each column once");
        } else if statement.verb == "SELECT" && !gives(statement, text, &name(column)) {
            let message = format!("the statement gives no column `{}`", clip(column.trim_start_matches('-')));
            check.error(codes::PAGES, node.span, message, "add it to the select list, or name another column");
        }
    }
}

/// Whether a statement may give a column: it is one of its select list, or when that is not known, it is named somewhere.
fn gives(statement: &Statement, text: &str, column: &str) -> bool {
    statement.outputs.as_ref().map_or_else(|| mentions(text, column), |given| given.iter().any(|name| name == column))
}

/// Whether a statement names a column somewhere, or selects `*`.
fn mentions(sql: &str, column: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    sql.contains('*') || sql.to_lowercase().split(|c| !is_name(c)).any(|word| word == column)
}
