//! The SQL of tools.

use std::collections::BTreeSet;

use base::{Diagnostic, Span, nearest};

use super::Check;
use crate::codes;
use crate::model::{ConnectionKind, Sql, SqlResult, Tool};
use crate::sql::{self, Class, Dialect, Effects, SqlError, Statement, Template};
use crate::structure::clip;
use crate::syntax::{Node, align};

mod hazards;

/// What an action does that touches nothing.
pub(super) const NO_EFFECTS: Effects = Effects { read_only: true, destructive: false, idempotent: true };

/// What several statements do together.
pub(super) fn effects(statements: &[Statement]) -> Effects {
    statements.iter().fold(NO_EFFECTS, |sum, statement| Effects {
        read_only: sum.read_only && statement.effects.read_only,
        destructive: sum.destructive || statement.effects.destructive,
        idempotent: sum.idempotent && statement.effects.idempotent,
    })
}

/// Checks the statements of a tool; gives what they are when all of them could be read.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Sql, node: &Node) -> Option<Vec<Statement>> {
    let at = node.get("sql")?;
    let nodes = at.get("statements").map(Node::items).unwrap_or_default();
    if nodes.is_empty() && !check.is_damaged(at) {
        check.error(codes::EMPTY_TEXT, at.span, "the action has no statement", "add `query: SELECT …`");
    }
    let connection =
        check.spec.connections.iter().find(|connection| Some(connection.name()) == tool.connection.as_deref());
    // Without a connection the engine is unknown; that is reported elsewhere.
    let kind = connection?.kind();
    let dialect = Dialect::of(kind)?;
    // A parameter that was cut out for an error of its own is not undeclared.
    let are_whole = node.get("parameters").is_none_or(|parameters| !check.is_damaged(parameters));
    let bindable = bindable(check, tool, action, at).filter(|_| are_whole);
    let mut used = BTreeSet::new();
    let mut statements = Vec::new();
    let mut is_complete = true;
    for (text, node) in action.statements.iter().zip(nodes) {
        match statement(check, text, node, kind, dialect) {
            Some((template, statement)) => {
                parameters(check, &template, node, bindable.as_ref());
                used.extend(template.parameters().into_iter().map(str::to_owned));
                class(check, action, &statement, node);
                risks(check, &statement, node, dialect);
                statements.push(statement);
            }
            None => is_complete = false,
        }
    }
    if !is_complete || statements.is_empty() {
        return None;
    }
    // A misspelt name is not reported twice.
    if !check.is_damaged(node) {
        unused(check, tool, action, node, &used);
    }
    needless_write(check, action, &statements, at);
    result(check, action, &statements, at);
    Some(statements)
}

/// Checks a SQL text of a script: `place` is the script and the offset of the text in it.
pub(super) fn in_script(
    check: &mut Check<'_, '_>,
    text: &str,
    kind: ConnectionKind,
    write: bool,
    (node, start): (&Node, usize),
) {
    let Some(dialect) = Dialect::of(kind) else { return };
    let foreign = (kind == ConnectionKind::Mariadb).then(|| sql::in_mariadb(text)).flatten();
    let read = Template::parse(text, dialect).map_err(|error| vec![error]).and_then(|_| sql::check(text, dialect));
    match foreign.map_or(read, |error| Err(vec![error])) {
        Ok(statement) => {
            let at = text.to_ascii_uppercase().find(statement.verb.as_str()).unwrap_or(0);
            let span = align::place(check.lines, node, start + at, statement.verb.len());
            of_class(check, write, &statement, span);
        }
        Err(errors) => {
            for error in errors {
                bad_sql(check, node, &SqlError { offset: start + error.offset, ..error });
            }
        }
    }
}

fn statement(
    check: &mut Check<'_, '_>,
    text: &str,
    node: &Node,
    kind: ConnectionKind,
    dialect: Dialect,
) -> Option<(Template, Statement)> {
    if text.trim().is_empty() {
        check.error(
            codes::EMPTY_TEXT,
            node.span,
            "the statement is empty",
            "write a `SELECT`, `INSERT`, `UPDATE` or `DELETE`",
        );
        return None;
    }
    let template = match Template::parse(text, dialect) {
        Ok(template) => template,
        Err(error) => {
            bad_sql(check, node, &error);
            return None;
        }
    };
    let foreign = (kind == ConnectionKind::Mariadb).then(|| sql::in_mariadb(text)).flatten();
    if let Some(error) = foreign {
        bad_sql(check, node, &error);
        return None;
    }
    match sql::check(text, dialect) {
        Ok(statement) => Some((template, statement)),
        Err(errors) => {
            for error in &errors {
                bad_sql(check, node, error);
            }
            None
        }
    }
}

fn bad_sql(check: &mut Check<'_, '_>, node: &Node, error: &SqlError) {
    let place = align::place(check.lines, node, error.offset, error.len);
    let is_second = error.message.contains("second statement") || error.message.contains("more than one statement");
    if is_second {
        let help = "give a list: `statements: [first, second]`; they run in one transaction";
        check.error(codes::SEVERAL_STATEMENTS, place, "one text holds several statements", help);
    } else {
        check.error(
            codes::BAD_SQL,
            place,
            format!("the SQL cannot be read: {}", error.message),
            "mend the SQL at this place",
        );
    }
}

/// The names that a statement may bind, or `None` when they are not known for sure.
fn bindable(check: &mut Check<'_, '_>, tool: &Tool, action: &Sql, at: &Node) -> Option<Vec<String>> {
    let mut names: Vec<String> = tool.parameters().iter().map(|parameter| parameter.name.clone()).collect();
    let Some(batch) = &action.batch else { return Some(names) };
    let span = at.span_of("batch");
    let Some(parameter) = tool.parameter(batch) else {
        if !check.is_damaged(at) {
            let message = format!("the batch parameter `{}` is not declared", clip(batch));
            check.error(
                codes::BATCH,
                span,
                message,
                format!("declare it: `{}: {{type: array, items: …}}`", clip(batch)),
            );
        }
        return None;
    };
    if parameter.schema.kind() != Some("array") {
        let message = format!("the batch parameter `{}` is not an array", clip(batch));
        check.error(codes::BATCH, span, message, "give it `type: array` and `items`");
        return None;
    }
    names.retain(|name| name != batch);
    let items = parameter.schema.0.get("items")?;
    match items.get("properties").and_then(serde_json::Value::as_object) {
        Some(properties) => names.extend(properties.keys().cloned()),
        None if items.get("type").and_then(serde_json::Value::as_str) == Some("object") => return None,
        None => names.push("item".to_owned()),
    }
    Some(names)
}

fn parameters(check: &mut Check<'_, '_>, template: &Template, node: &Node, known: Option<&Vec<String>>) {
    let Some(known) = known else { return };
    let mut reported = BTreeSet::new();
    for used in template.uses() {
        if known.contains(&used.name) || !reported.insert(&used.name) {
            continue;
        }
        let place = align::place(check.lines, node, used.start, used.end - used.start);
        let message = format!("the parameter `:{}` is not declared", clip(&used.name));
        let problem = Diagnostic::error(codes::UNDECLARED_PARAMETER, message).at(place).help(if known.is_empty() {
            format!("declare it: `parameters: {{{}: string}}`", clip(&used.name))
        } else {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            format!("declared: {}", crate::structure::list(&names))
        });
        check.push(match nearest(&used.name, known.iter().map(String::as_str)) {
            Some(near) => problem.label(format!("did you mean `:{near}`?")),
            None => problem,
        });
    }
}

fn class(check: &mut Check<'_, '_>, action: &Sql, statement: &Statement, node: &Node) {
    let verb = &statement.verb;
    // The verb is nearly always the first word; the place is the text's first line otherwise.
    let text = node.as_str().unwrap_or_default();
    let offset = text.to_ascii_uppercase().find(verb.as_str()).unwrap_or(0);
    let span = align::place(check.lines, node, offset, verb.len());
    of_class(check, action.write, statement, span);
}

fn of_class(check: &mut Check<'_, '_>, write: bool, statement: &Statement, span: Span) {
    let verb = &statement.verb;
    match statement.class {
        Class::Read => {}
        Class::Write if write => {}
        Class::Write => {
            let message = format!("{verb} changes data, and the tool does not say that it writes");
            check.error(
                codes::WRITE_NOT_ALLOWED,
                span,
                message,
                "add `write: true` next to the statement: `sql: {query: …, write: true}`",
            );
        }
        Class::Ddl => {
            let message = format!("{verb} changes the database's structure");
            check.error(codes::DDL, span, message, "tools read and change rows; change the structure with a migration");
        }
        Class::Other => {
            let message = format!("{verb} is not a statement for a tool");
            check.error(
                codes::DDL,
                span,
                message,
                "use SELECT, INSERT, UPDATE, DELETE or MERGE; transactions are opened for you",
            );
        }
    }
}

fn risks(check: &mut Check<'_, '_>, statement: &Statement, node: &Node, dialect: Dialect) {
    if statement.reaches_all && statement.class == Class::Write {
        let message = format!("{} without WHERE reaches every row", statement.verb);
        check.warning(codes::RISKY_SQL, node.span, message, "add a WHERE with a parameter");
    }
    let written = node.as_str().unwrap_or_default();
    for hazard in hazards::find(written, dialect) {
        let place = align::place(check.lines, node, hazard.offset, hazard.len);
        check.warning(codes::RISKY_SQL, place, hazard.message, hazard.help);
    }
    let text = written.to_ascii_lowercase();
    for (name, risk) in statement.risks() {
        let place = match text.find(name) {
            Some(offset) => align::place(check.lines, node, offset, name.len()),
            None => node.span,
        };
        let message = format!("`{name}()` {}", risk.explain());
        check.warning(codes::RISKY_SQL, place, message, "leave it out, or make sure that a caller may do this");
    }
}

fn unused(check: &mut Check<'_, '_>, tool: &Tool, action: &Sql, node: &Node, used: &BTreeSet<String>) {
    let nodes = node.get("parameters").map(Node::items).unwrap_or_default();
    for (parameter, at) in tool.parameters().iter().zip(nodes) {
        let name = parameter.name.as_str();
        if used.contains(name) || action.batch.as_deref() == Some(name) {
            continue;
        }
        let message = format!("the parameter `{}` is never used by the SQL", clip(name));
        let written = format!(":{name}");
        let help = if action.statements.iter().any(|sql| sql.contains(&written)) {
            format!("`:{0}` in quotes or a comment is text; write `'%' || :{0} || '%'` (`CONCAT` in MySQL)", clip(name))
        } else {
            format!("write `:{}` in a statement, or remove the parameter", clip(name))
        };
        check.push(Diagnostic::warning(codes::UNUSED_PARAMETER, message).at(at.span_of("name")).help(help));
    }
}

fn needless_write(check: &mut Check<'_, '_>, action: &Sql, statements: &[Statement], at: &Node) {
    let only_reads = statements.iter().all(|statement| statement.class == Class::Read && statement.risks().is_empty());
    if action.write && only_reads {
        let span = at.entry("write").map_or(at.span, |entry| entry.key.span);
        check.warning(
            codes::NEEDLESS_WRITE,
            span,
            "every statement only reads",
            "remove `write: true`: a read-only transaction is safer",
        );
    }
}

fn result(check: &mut Check<'_, '_>, action: &Sql, statements: &[Statement], at: &Node) {
    let (Some(result), Some(last)) = (action.result, statements.last()) else { return };
    let span = at.span_of("result");
    match result {
        SqlResult::Rows | SqlResult::Row | SqlResult::Value if !last.returns_rows => {
            let message = format!("the last statement, {}, gives no rows", last.verb);
            check.error(
                codes::RESULT,
                span,
                message,
                "write `result: affected`, or add `RETURNING …` to the statement",
            );
        }
        SqlResult::Affected if last.class == Class::Read => {
            check.error(
                codes::RESULT,
                span,
                "the last statement only reads: it affects no row",
                "write `result: rows`, `row` or `value`",
            );
        }
        _ => {}
    }
}
