//! Requests to HTTP APIs.

use base::{PathError, PathTemplate, Select, UrlTemplate};

use super::super::Check;
use super::super::templates::Names;
use crate::codes;
use crate::model::{Connection, Http, HttpBody, HttpResult, HttpTurn, Tool};
use crate::sql::Effects;
use crate::structure::clip;
use crate::syntax::Node;

/// The methods that a request may have (RFC 9110, RFC 5789).
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Checks a request; gives what it does to the world.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Http, node: &Node) -> Option<Effects> {
    let at = node.get("http")?;
    let mut names = Names::new(check, tool, node, &[]);
    method(check, action, at);
    target(check, &mut names, tool, action, at);
    for (key, values) in [("query", &action.query), ("headers", &action.headers)] {
        for ((name, value), entry) in values.iter().zip(at.get(key).map(Node::entries).unwrap_or_default()) {
            names.tree(check, value, &entry.value);
            if key == "headers" && !super::super::connections::is_header(name) {
                let message = format!("`{}` is no name of a header that can be set", clip(name));
                check.error(
                    codes::HTTP,
                    entry.key.span,
                    message,
                    "use letters, digits and `-`; the connection writes `Host` and lengths itself",
                );
            }
        }
    }
    if let (Some(value), Some(at)) = (&action.body, at.get("body")) {
        body(check, &mut names, value, at);
    }
    answer(check, tool, action, at);
    pages(check, action, at);
    names.unused(check, node, "http");
    Some(action.effects())
}

fn method(check: &mut Check<'_, '_>, action: &Http, at: &Node) {
    if !METHODS.contains(&action.method.as_str()) {
        let message = format!("`{}` is no method of a request", clip(&action.method));
        check.error(codes::HTTP, at.span_of("method"), message, format!("allowed: {}", METHODS.join(", ")));
    }
    let bare = matches!(action.method.as_str(), "GET" | "HEAD");
    if bare && action.body.is_some() {
        let message = format!("a {} request carries no body", action.method);
        check.error(codes::HTTP, at.span_of("body"), message, "write its values under `query`, or use `method: POST`");
    }
}

/// Where the request goes: below the URL of the connection, or to a whole URL.
fn target(check: &mut Check<'_, '_>, names: &mut Names<'_>, tool: &Tool, action: &Http, at: &Node) {
    let connection = check.spec.connections.iter().find(|one| Some(one.name()) == tool.connection.as_deref());
    let is_anywhere = matches!(connection, Some(Connection::Http(api)) if api.is_anywhere());
    match &action.url {
        Some(_) if at.get("path").is_some() => {
            let message = "the request has a path and a whole URL";
            check.error(codes::WHOLE_URL, at.span_of("url"), message, "keep one of `path` and `url`");
        }
        Some(url) => whole(check, names, tool, url, at),
        None if action.path.is_empty() && !check.is_damaged(at) => {
            let help = "add `path: /users/{id}`, or `url: \"{+url}\"` for a whole URL";
            check.error(codes::MISSING_KEY, at.span, "http needs `path`", help);
        }
        None if is_anywhere => {
            let message = "the connection has no URL that the path could be below";
            let help = "write a whole URL, `url: \"{+url}\"`, or give the connection a `url`";
            check.error(codes::WHOLE_URL, at.span_of("path"), message, help);
        }
        None => path(check, names, tool, action, at),
    }
}

fn whole(check: &mut Check<'_, '_>, names: &mut Names<'_>, tool: &Tool, url: &str, at: &Node) {
    let span = at.span_of("url");
    match UrlTemplate::parse(url) {
        Ok(template) => template.names().into_iter().for_each(|name| part(check, names, tool, name, at, span)),
        Err(error) => {
            let why = if let PathError::Template(_, why) = error { why } else { "it cannot be read" };
            let help = "write `{+url}` for a parameter that holds a URL, or `https://api.example.com/users/{id}`";
            check.error(codes::WHOLE_URL, span, format!("the URL is not usable: {why}"), help);
        }
    }
}

fn path(check: &mut Check<'_, '_>, names: &mut Names<'_>, tool: &Tool, action: &Http, at: &Node) {
    let span = at.span_of("path");
    let template = match PathTemplate::parse(&action.path) {
        Ok(template) => template,
        Err(PathError::Template(_, why)) => {
            let help = "write a path below the connection's URL, such as `/users/{id}`, and its query under `query`";
            return check.error(codes::HTTP_PATH, span, format!("the path is not usable: {why}"), help);
        }
        Err(error) => {
            return check.error(codes::HTTP_PATH, span, error.to_string(), "write a path such as `/users/{id}`");
        }
    };
    template.names().for_each(|name| part(check, names, tool, name, at, span));
}

/// A part of a path or URL: a parameter with a single value that is always there.
fn part(check: &mut Check<'_, '_>, names: &mut Names<'_>, tool: &Tool, name: &str, at: &Node, span: base::Span) {
    names.used.insert(name.to_owned());
    let Some(parameter) = tool.parameter(name) else {
        if tool.parameters.is_some() && !check.is_damaged(at) {
            let message = format!("the path uses `{{{}}}`, which is no parameter of the tool", clip(name));
            check.error(
                codes::HTTP_PATH,
                span,
                message,
                format!("declare it under `parameters`: `{name}: {{type: string, required: true}}`"),
            );
        }
        return;
    };
    if !parameter.required && parameter.schema.default().is_none() {
        let message = format!("the path needs `{}`, which a caller may leave out", clip(name));
        check.error(codes::HTTP_PATH, span, message, "make the parameter `required`, or give it a default");
    }
    if matches!(parameter.schema.kind(), Some("array" | "object")) {
        let message = format!("the path uses `{}`, which is no single value", clip(name));
        check.error(codes::HTTP_PATH, span, message, "a part of a path is a text, a number or a boolean");
    }
}

fn body(check: &mut Check<'_, '_>, names: &mut Names<'_>, body: &HttpBody, at: &Node) {
    let given = [
        body.json.is_some(),
        body.form.is_some(),
        body.multipart.is_some(),
        body.text.is_some(),
        body.base64.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 && !check.is_damaged(at) {
        let help = "give exactly one of `json`, `form`, `multipart`, `text` and `base64`";
        check.error(codes::HTTP, at.span, "the body says not one thing that is sent", help);
    }
    if let (Some(value), Some(at)) = (&body.json, at.get("json")) {
        names.tree(check, value, at);
    }
    if let (Some(form), Some(at)) = (&body.form, at.get("form")) {
        for (value, entry) in form.values().zip(at.entries()) {
            names.tree(check, value, &entry.value);
        }
    }
    for key in ["text", "base64"] {
        if let Some(at) = at.get(key)
            && let Some(text) = at.as_str()
        {
            names.text(check, text, at);
        }
    }
    for part in at.get("multipart").map(Node::items).unwrap_or_default() {
        for key in ["text", "base64", "fileName", "mediaType"] {
            if let Some(at) = part.get(key)
                && let Some(text) = at.as_str()
            {
                names.text(check, text, at);
            }
        }
        if part.get("text").is_some() == part.get("base64").is_some() && !check.is_damaged(part) {
            check.error(
                codes::HTTP,
                part.span,
                "the part needs exactly one of `text` and `base64`",
                "keep one of them",
            );
        }
    }
    let typed = body.text.is_some() || body.base64.is_some();
    if body.media_type.is_some() && !typed {
        let message = "`mediaType` is for `text` and `base64`; the others have their own";
        check.error(codes::HTTP, at.span_of("mediaType"), message, "remove it");
    }
}

fn answer(check: &mut Check<'_, '_>, tool: &Tool, action: &Http, at: &Node) {
    if let Some(select) = &action.select {
        selection(check, select, at.span_of("select"));
        if matches!(action.result, HttpResult::Text | HttpResult::Markdown | HttpResult::File | HttpResult::Status) {
            let message = "`select` picks a part of JSON, and the result is not read as JSON";
            check.error(codes::HTTP, at.span_of("select"), message, "write `result: json`, or remove `select`");
        }
    }
    for (status, entry) in action.errors.keys().zip(at.get("errors").map(Node::entries).unwrap_or_default()) {
        let is_class = matches!(status.as_bytes(), [b'3'..=b'5', b'x', b'x']);
        let is_status = status.parse::<u16>().is_ok_and(|status| (200..600).contains(&status));
        if !is_class && !is_status {
            let message = format!("`{}` is no status", clip(status));
            check.error(codes::HTTP, entry.key.span, message, "write a status such as `404`, or a class such as `4xx`");
        }
        if let Some(text) = entry.value.as_str() {
            Names::of(tool, &["status", "body"]).text(check, text, &entry.value);
        }
    }
    if let Some(events) = &action.events {
        let at = at.get("events");
        if let (Some(join), Some(at)) = (&events.join, at) {
            selection(check, join, at.span_of("join"));
        }
    }
}

fn pages(check: &mut Check<'_, '_>, action: &Http, at: &Node) {
    let (Some(pages), Some(at)) = (&action.pages, at.get("pages")) else { return };
    for (key, text) in [("items", &pages.items), ("from", &pages.from)] {
        if let Some(text) = text {
            selection(check, text, at.span_of(key));
        }
    }
    let needs_from = matches!(pages.by, HttpTurn::Cursor | HttpTurn::Next);
    if needs_from != pages.from.is_some() && !check.is_damaged(at) {
        let (message, help) = if needs_from {
            ("the place of the next page is missing", "add `from: $.nextCursor`, the place in an answer")
        } else {
            ("`from` has no effect here", "remove it, or write `by: cursor`")
        };
        check.error(codes::HTTP, at.span_of("from"), message, help);
    }
    if action.method != "GET" && matches!(pages.by, HttpTurn::Link | HttpTurn::Next) {
        let message = "pages with links are read with GET";
        check.error(
            codes::HTTP,
            at.span_of("by"),
            message,
            "write `method: GET`, or find the next page in another way",
        );
    }
    if !matches!(action.result, HttpResult::Auto | HttpResult::Json) {
        check.error(codes::HTTP, at.span, "pages are read as JSON", "remove `result`");
    }
    if action.events.is_some() {
        check.error(codes::HTTP, at.span, "an answer has pages or events, not both", "remove one of them");
    }
}

fn selection(check: &mut Check<'_, '_>, text: &str, span: base::Span) {
    if let Err(why) = Select::parse(text) {
        check.error(
            codes::HTTP,
            span,
            format!("the selection cannot be read: {why}"),
            "write a path such as `$.data.items`",
        );
    }
}
