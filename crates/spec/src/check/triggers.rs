//! Triggers.

use std::collections::HashSet;

use base::Span;
use serde_json::{Map, Value as Json};

use super::names::RESERVED_NAMES;
use super::{Check, auth, cron, schemas, zones};
use crate::codes;
use crate::model::{ConnectionKind, QueueEngine, Trigger};
use crate::structure::clip;
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>) {
    let spec = check.spec;
    let nodes = check.list("triggers");
    let webhooks = nodes.iter().filter(|node| node.str_of("type") == Some("webhook"));
    check.duplicates("webhook", webhooks.filter_map(|node| node.get("path")), false);
    for (trigger, node) in spec.triggers.iter().zip(nodes) {
        tool(check, trigger, node);
        match trigger {
            Trigger::Cron { schedule, timezone, .. } => {
                cron::check(check, schedule, node.span_of("schedule"));
                time_zone(check, timezone, node.span_of("timezone"));
            }
            Trigger::Webhook { path, env_var, header, .. } => {
                webhook(check, path, node.span_of("path"));
                if let Some(name) = env_var {
                    auth::env_var(check, name, node.span_of("envVar"));
                }
                if let Some(name) = header {
                    auth::header_name(check, name, node.span_of("header"));
                    unsigned(check, env_var.is_some(), node);
                }
            }
            Trigger::File { path, pattern, events, .. } => {
                file(check, path, pattern.as_deref(), node);
                let distinct: HashSet<_> = events.iter().map(|event| *event as u8).collect();
                if distinct.len() < events.len() {
                    check.error(
                        codes::DUPLICATE_NAME,
                        node.span_of("events"),
                        "an event is named twice",
                        "name each once",
                    );
                }
            }
            Trigger::Queue { engine, queue, env_var, .. } => {
                check_queue(check, *engine, queue, node.span_of("queue"));
                auth::env_var(check, env_var, node.span_of("envVar"));
            }
            Trigger::Database { connection, channel, .. } => database(check, connection, channel, node),
            Trigger::Startup { .. } => {}
        }
    }
}

fn tool(check: &mut Check<'_, '_>, trigger: &Trigger, node: &Node) {
    let name = trigger.tool();
    if !check.names.has_tool(name) {
        let known = check.names.tools.clone();
        if let Some(at) = node.get("tool") {
            check.unknown(codes::TRIGGER_TOOL, true, at, "tool", &known);
        }
        return;
    }
    let Some((tool, at)) = check.tools().find(|(tool, _)| tool.name == name) else { return };
    // Without parameters and action the planner may find some; a damaged tool may have lost some.
    if tool.parameters.is_none() && tool.action.is_none() || check.is_damaged(at) {
        return;
    }
    let arguments = arguments_of(trigger);
    // An event brings arguments of its own, a schedule and a start do not.
    let brings_none = matches!(trigger, Trigger::Cron { .. } | Trigger::Startup { .. });
    let mut schema = tool.input_schema();
    if !brings_none && let Some(map) = schema.as_object_mut() {
        map.remove("required");
    }
    let Some(validator) = schemas::validator(&schema) else { return };
    let instance = Json::Object(arguments.clone());
    if let Some(problem) = validator.iter_errors(&instance).next() {
        let message = format!("the arguments do not fit the tool `{}`: {}", clip(name), clip(&problem.to_string()));
        let span = node.get("arguments").map_or_else(|| node.span_of("tool"), |at| at.span);
        check.error(codes::TRIGGER_ARGUMENTS, span, message, "`arguments` must be what a call of the tool takes");
    }
}

fn arguments_of(trigger: &Trigger) -> &Map<String, Json> {
    match trigger {
        Trigger::Cron { arguments, .. }
        | Trigger::Webhook { arguments, .. }
        | Trigger::File { arguments, .. }
        | Trigger::Queue { arguments, .. }
        | Trigger::Database { arguments, .. }
        | Trigger::Startup { arguments, .. } => arguments,
    }
}

fn time_zone(check: &mut Check<'_, '_>, name: &str, span: Span) {
    if zones::is_known(name) {
        return;
    }
    let message = format!("the time zone `{}` is not known", clip(name));
    let problem = base::Diagnostic::error(codes::TIME_ZONE, message)
        .at(span)
        .help("write a name of the IANA database, such as `Europe/Vienna` or `UTC`");
    check.push(match zones::nearest(name) {
        Some(near) => problem.label(format!("did you mean `{near}`?")),
        None => problem,
    });
}

fn webhook(check: &mut Check<'_, '_>, path: &str, span: Span) {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default().trim_start_matches('.');
    let problem = if !path.starts_with('/') {
        Some("it must start with `/`")
    } else if path.len() > 256 {
        Some("it is longer than 256 bytes")
    } else if path.split('/').any(|part| part == ".." || part == ".") {
        Some("it must not have `.` or `..` as a part")
    } else if path == "/" || path.contains("//") {
        Some("every part needs a name")
    } else if !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b)) {
        Some("use letters, digits, `-`, `.`, `_` and `~`, without a query")
    } else if RESERVED_NAMES.contains(&first) {
        Some("its first part is reserved")
    } else {
        None
    };
    if let Some(problem) = problem {
        let message = format!("the webhook path `{}` is not allowed: {problem}", clip(path));
        check.error(codes::WEBHOOK_PATH, span, message, "write a path such as `/orders/updated`");
    }
}

/// A header of a signature without a secret to check it with: everybody could call the webhook.
fn unsigned(check: &mut Check<'_, '_>, has_secret: bool, node: &Node) {
    if has_secret || check.is_damaged(node) {
        return;
    }
    let span = node.entry("header").map_or(node.span, |entry| entry.key.span);
    let message = "`header` names a signature, and there is no `envVar` for the secret that it is checked with";
    check.error(codes::AUTH, span, message, "add `envVar: WEBHOOK_SECRET`, or remove `header`");
}

fn file(check: &mut Check<'_, '_>, path: &str, pattern: Option<&str>, node: &Node) {
    let problem = if path.trim().is_empty() {
        Some("it is empty")
    } else if path.split(['/', '\\']).any(|part| part == "..") {
        Some("it must not have `..` as a part")
    } else if path.starts_with('~') {
        Some("`~` is not replaced; write the whole path")
    } else if names_variable(path) {
        Some("variables are not replaced; write the whole path")
    } else if path.contains("://") {
        Some("it is a URL, not a path")
    } else if is_of_kernel(path) {
        Some("the kernel's folders cannot be watched")
    } else {
        None
    };
    if let Some(problem) = problem {
        let message = format!("the path `{}` is not allowed: {problem}", clip(path));
        check.error(codes::FILE_PATH, node.span_of("path"), message, "write a file or a folder, such as `./inbox`");
    }
    let Some(pattern) = pattern else { return };
    let problem = if pattern.is_empty() {
        Some("it is empty")
    } else if pattern.contains('/') || pattern.contains('\\') {
        Some("it is compared with file names, which have no separator")
    } else if !brackets_match(pattern) {
        Some("a bracket is not closed")
    } else {
        None
    };
    if let Some(problem) = problem {
        let message = format!("the pattern `{}` is not allowed: {problem}", clip(pattern));
        check.error(codes::FILE_PATH, node.span_of("pattern"), message, "write a pattern such as `*.csv`");
    }
}

/// Whether a path has a variable of a shell in it: `$HOME`, `${HOME}`, `%TEMP%`.
fn names_variable(path: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let dollar = path
        .match_indices('$')
        .any(|(at, _)| path[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '(')));
    dollar || path.split('%').skip(1).step_by(2).any(is_name) && path.matches('%').count() > 1
}

/// Whether a path is in `/proc`, `/sys` or `/dev`, however it is written.
fn is_of_kernel(path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    path.starts_with('/') && parts.next().is_some_and(|first| ["proc", "sys", "dev"].contains(&first))
}

/// Whether each `[` and `{` of a pattern is closed behind it.
fn brackets_match(pattern: &str) -> bool {
    let mut open = None;
    for character in pattern.chars() {
        match (open, character) {
            (None, '[' | '{') => open = Some(character),
            (None, ']' | '}') => return false,
            (Some('['), ']') | (Some('{'), '}') => open = None,
            _ => {}
        }
    }
    open.is_none()
}

fn check_queue(check: &mut Check<'_, '_>, engine: QueueEngine, queue: &str, span: Span) {
    let is_plain = |extra: &[u8]| queue.bytes().all(|b| b.is_ascii_alphanumeric() || extra.contains(&b));
    let is_plain_fifo = queue.strip_suffix(".fifo").is_some_and(|_| is_plain(b"-_."));
    let problem = match engine {
        _ if queue.is_empty() || queue.len() > 255 => Some("it needs 1 to 255 bytes"),
        // Amazon SQS: https://docs.aws.amazon.com/AWSSimpleQueueService, "queue and message identifiers".
        QueueEngine::Sqs if queue.len() > 80 || !is_plain(b"-_") && !is_plain_fifo => {
            Some("SQS takes up to 80 letters, digits, `-` and `_`, and `.fifo` at the end")
        }
        QueueEngine::Rabbitmq if queue.starts_with("amq.") => Some("RabbitMQ keeps names that start with `amq.`"),
        _ if queue.contains(char::is_whitespace) => Some("it must not have spaces"),
        _ => None,
    };
    if let Some(problem) = problem {
        let message = format!("the queue name `{}` is not allowed: {problem}", clip(queue));
        check.error(codes::QUEUE, span, message, "write a name such as `orders`");
    }
}

fn database(check: &mut Check<'_, '_>, connection: &str, channel: &str, node: &Node) {
    /// PostgreSQL cuts longer identifiers (NAMEDATALEN - 1).
    const CHANNEL_BYTES_MAX: usize = 63;
    let spec = check.spec;
    if !check.names.has_connection(connection) {
        let known = check.names.connections.clone();
        if let Some(at) = node.get("connection") {
            check.unknown(codes::UNKNOWN_CONNECTION, false, at, "connection", &known);
        }
    } else if let Some(found) = spec.connections.iter().find(|other| other.name() == connection)
        && found.kind() != ConnectionKind::Postgresql
    {
        let message =
            format!("the connection `{}` is {}, which has no notifications", clip(connection), found.kind().as_str());
        check.error(
            codes::DATABASE_TRIGGER,
            node.span_of("connection"),
            message,
            "use a PostgreSQL connection, or a `cron` trigger",
        );
    }
    let is_name = channel.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && channel.len() <= CHANNEL_BYTES_MAX
        && channel.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name {
        let message = format!("`{}` is not a channel", clip(channel));
        let help = format!("use up to {CHANNEL_BYTES_MAX} letters, digits and `_`, no digit first");
        check.error(codes::DATABASE_TRIGGER, node.span_of("channel"), message, help);
    }
}
