//! A plan as text for people.

use std::fmt::Write as _;

use spec::model::{Annotations, PageBy, SqlResult};

use crate::model::{ActionPlan, Origin, Plan, ScriptPlan, SqlPlan, ToolPlan};

/// The whole plan: each tool with where its action comes from, its SQL, and why.
pub fn render_text(plan: &Plan) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "plan of {} (spec {})", plan.server, plan.spec.short());
    for connection in &plan.connections {
        let server = connection.server.as_deref().unwrap_or("not reached");
        let _ = writeln!(out, "connection {}: {}, {server}", connection.name, connection.engine.as_str());
    }
    for tool in &plan.tools {
        out.push('\n');
        render_tool(&mut out, tool);
    }
    out
}

fn render_tool(out: &mut String, tool: &ToolPlan) {
    let origin = match (tool.origin, tool.is_pinned()) {
        (Origin::None, _) => "not implemented",
        (_, true) => "pinned",
        (Origin::Declared, _) => "declared",
        (Origin::Inferred, _) => "inferred",
        (Origin::Pinned, _) => "pinned",
    };
    let _ = writeln!(out, "{} ({}) [{origin}; {}]", tool.tool, parameters(tool), hints(&tool.annotations));
    match &tool.action {
        ActionPlan::Sql(sql) => render_sql(out, sql),
        ActionPlan::Script(script) => render_script(out, script),
        ActionPlan::Http(on) => {
            let _ = writeln!(out, "  on {}: {} {}", on.connection, on.action.method, on.action.target());
        }
        ActionPlan::Redis(on) => {
            for words in on.action.all() {
                let words: Vec<String> =
                    words.iter().filter_map(|word| spec::expression::plain(word.clone())).collect();
                let _ = writeln!(out, "  on {}: {}", on.connection, words.join(" "));
            }
            if on.action.scan.is_some() {
                let _ = writeln!(out, "  on {}: a walk through keys", on.connection);
            }
        }
        ActionPlan::Mongo(on) => {
            for (verb, _) in on.action.operations() {
                let _ = writeln!(out, "  on {}: {verb} {}", on.connection, on.action.collection);
            }
        }
        ActionPlan::Graphql(on) => {
            let _ = writeln!(out, "  on {}:", on.connection);
            indent(out, on.action.operation.trim());
        }
        ActionPlan::Grpc(on) => {
            let _ = writeln!(out, "  on {}: {}", on.connection, on.action.method);
        }
        ActionPlan::Files(on) => {
            let verb = on.action.verb().map_or("nothing", |(verb, _)| verb);
            let _ = writeln!(out, "  on {}: {verb} files", on.connection);
        }
        ActionPlan::Send(on) => {
            let _ = writeln!(out, "  on {}: send a message", on.connection);
        }
        ActionPlan::Vector(on) => {
            let verb = on.action.verb().map_or("nothing", |(verb, _)| verb);
            let _ = writeln!(out, "  on {}: {verb} texts by what they are like", on.connection);
        }
        ActionPlan::Reply(_) => out.push_str("  an answer of the spec itself\n"),
        ActionPlan::Call(call) => {
            let place = call.connection.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
            let _ = writeln!(out, "  calls {}{place}", call.action.tool);
        }
        ActionPlan::Steps(steps) => {
            for (nth, step) in steps.list.iter().enumerate() {
                let _ = writeln!(out, "  {}. {}: {}", nth + 1, step.step.name, word(&step.action));
            }
        }
        ActionPlan::Command(command) => {
            let arguments = command.args.iter().filter_map(|one| spec::expression::plain(one.clone()));
            let line: Vec<String> = std::iter::once(command.program.clone()).chain(arguments).collect();
            let _ = writeln!(out, "  runs {}", line.join(" "));
        }
        ActionPlan::NotImplemented { .. } => {}
    }
    for why in &tool.why {
        let _ = writeln!(out, "  - {why}");
    }
}

/// An action in a few words.
fn word(action: &ActionPlan) -> String {
    match action {
        ActionPlan::Sql(sql) => {
            let text = sql.statements.iter().map(|statement| statement.sql.as_str()).collect::<Vec<_>>().join("; ");
            format!("on {}: {}", sql.connection, text.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        ActionPlan::Http(on) => format!("on {}: {} {}", on.connection, on.action.method, on.action.target()),
        ActionPlan::Redis(on) => format!("on {}: commands of Redis", on.connection),
        ActionPlan::Mongo(on) => format!("on {}: an operation on {}", on.connection, on.action.collection),
        ActionPlan::Graphql(on) => format!("on {}: an operation", on.connection),
        ActionPlan::Grpc(on) => format!("on {}: {}", on.connection, on.action.method),
        ActionPlan::Files(on) => format!("on {}: files", on.connection),
        ActionPlan::Send(on) => format!("on {}: a message", on.connection),
        ActionPlan::Vector(on) => format!("on {}: texts by what they are like", on.connection),
        ActionPlan::Call(call) => format!("calls {}", call.action.tool),
        ActionPlan::Command(command) => format!("runs {}", command.program),
        ActionPlan::Script(_) => "a script".to_owned(),
        ActionPlan::Reply(_) => "an answer of the spec itself".to_owned(),
        ActionPlan::Steps(_) => "steps".to_owned(),
        ActionPlan::NotImplemented { reason } => format!("not implemented: {reason}"),
    }
}

/// `name: type` of each; `?` marks what may be left out.
fn parameters(tool: &ToolPlan) -> String {
    let each = tool.parameters.iter().map(|parameter| {
        let kind = parameter.schema.kind().unwrap_or("any");
        let optional = if parameter.required { "" } else { "?" };
        let default = parameter.schema.default().map(|value| format!(" = {value}")).unwrap_or_default();
        format!("{}{optional}: {kind}{default}", parameter.name)
    });
    each.collect::<Vec<_>>().join(", ")
}

fn hints(annotations: &Annotations) -> String {
    let mut words = vec![if annotations.read_only_hint == Some(true) { "reads" } else { "writes" }];
    if annotations.destructive_hint == Some(true) {
        words.push("destructive");
    }
    if annotations.read_only_hint != Some(true) && annotations.idempotent_hint == Some(true) {
        words.push("idempotent");
    }
    words.join(", ")
}

fn render_script(out: &mut String, script: &ScriptPlan) {
    let reach = if script.connections.is_empty() { "no connection".to_owned() } else { script.connections.join(", ") };
    let _ = writeln!(out, "  a script that reaches {reach}; {} rows of a query at most", script.row_limit);
    match &script.export {
        Some((module, function)) => indent(out, &format!("function `{function}` of module `{module}`")),
        None => indent(out, script.code.trim_end()),
    }
}

fn render_sql(out: &mut String, sql: &SqlPlan) {
    let result = match sql.result {
        SqlResult::Rows => format!("rows, {} at most", sql.row_limit),
        SqlResult::Row => "the first row".to_owned(),
        SqlResult::Value => "one value".to_owned(),
        SqlResult::Affected => "the number of rows changed".to_owned(),
    };
    let page = sql.page.as_ref().map(|page| {
        let by = if page.by == PageBy::Keyset { "keyset" } else { "offset" };
        format!(", in pages of {} by {by}", page.size)
    });
    let _ = writeln!(out, "  on {}: {result}{}", sql.connection, page.unwrap_or_default());
    for (at, statement) in sql.statements.iter().enumerate() {
        let more = if at + 1 < sql.statements.len() { ";" } else { "" };
        indent(out, &format!("{}{more}", statement.sql));
    }
    if let Some(next) = sql.page.as_ref().and_then(|page| page.next.as_ref()) {
        out.push_str("  following pages:\n");
        indent(out, &next.sql);
    }
}

fn indent(out: &mut String, sql: &str) {
    for line in sql.lines() {
        let _ = writeln!(out, "    {line}");
    }
}
