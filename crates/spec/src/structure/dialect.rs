//! The ways of writing that mean the same, each turned into the canonical one.

use base::Diagnostic;

use super::{fragment, parameters};
use crate::codes;
use crate::report::Report;
use crate::syntax::{Entry, Key, Node, Value};

/// Keys that mean another key of the same definition, beyond `snake_case` for `camelCase`, which
/// is accepted everywhere. The published schema lists them too.
pub(crate) const ALIASES: [(&str, &str, &str); 16] = [
    ("Auth", "header_name", "header"),
    ("Auth", "headerName", "header"),
    ("Auth", "env", "envVar"),
    ("CallerKey", "envVar", "env"),
    ("Connection", "env", "envVar"),
    ("Connection", "baseUrl", "url"),
    ("SecretRef", "envVar", "env"),
    ("HttpBody", "contentType", "mediaType"),
    ("Trigger", "env", "envVar"),
    ("Trigger", "header_name", "header"),
    ("Resource", "uriTemplate", "uri"),
    ("Resource", "uri_template", "uri"),
    ("Tool", "inputSchema", "parameters"),
    ("Tool", "outputSchema", "returns"),
    ("PromptMessage", "content", "text"),
    ("Trigger", "time_zone", "timezone"),
];

/// Words that mean another word of the same definition. The published schema lists them too.
pub(crate) const WORDS: [(&str, &str, &str); 10] = [
    ("Connection", "postgres", "postgresql"),
    ("Connection", "sqlite3", "sqlite"),
    ("Connection", "rest", "http"),
    ("Credentials", "oauth", "oauth2"),
    ("Credentials", "api_key", "header"),
    ("Auth", "apiKey", "api_key"),
    ("Auth", "api-key", "api_key"),
    ("Auth", "oauth", "oauth2"),
    ("TlsMode", "verify_full", "verify-full"),
    ("Trigger", "schedule", "cron"),
];

/// The canonical key of a written one that is not known as it is.
pub(crate) fn key(definition: &str, written: &str) -> Option<String> {
    let alias = ALIASES.iter().find(|(owner, alias, _)| *owner == definition && *alias == written);
    match alias {
        Some((_, _, name)) => Some((*name).to_owned()),
        None => written.contains('_').then(|| camel(written)),
    }
}

/// `timeout_ms` as `timeoutMs`.
pub(crate) fn camel(snake: &str) -> String {
    let mut out = String::with_capacity(snake.len());
    let mut up = false;
    for character in snake.chars() {
        match character {
            '_' if !out.is_empty() => up = true,
            _ if up => {
                out.extend(character.to_uppercase());
                up = false;
            }
            _ => out.push(character),
        }
    }
    out
}

/// `timeoutMs` as `timeout_ms`.
pub(crate) fn snake(camel: &str) -> String {
    let mut out = String::with_capacity(camel.len() + 4);
    for character in camel.chars() {
        if character.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

/// Keys that editors and authors use and that mean nothing here: `$schema`, and `x-…` at the top
/// of the document, where anchors can be kept.
pub(crate) fn is_ignored(definition: &str, written: &str) -> bool {
    definition == "Spec" && (written == "$schema" || written.starts_with("x-"))
}

/// The canonical word of another spelling.
pub(crate) fn word<'a>(definition: &str, text: &str, words: &[&'a str]) -> Option<&'a str> {
    let (_, _, name) = WORDS.iter().find(|(owner, alias, _)| *owner == definition && *alias == text)?;
    words.iter().find(|word| *word == name).copied()
}

/// A short way of writing a value of a definition, written in full.
pub(crate) fn value(definition: &str, node: Node, report: &mut Report) -> Node {
    match (definition, &node.value) {
        ("Sql", Value::String(..)) => wrap_list(node, "statements"),
        ("Sql", Value::List(_)) => wrap(node, "statements"),
        ("Sql", Value::Map(_)) => query_to_statements(node, report),
        ("Reply" | "ReplyItem", Value::String(..)) => wrap(node, "text"),
        ("Script", Value::String(..)) => wrap(node, "code"),
        ("Http", Value::String(..)) => request_line(node),
        ("Redis", Value::List(_)) => wrap(node, "command"),
        ("Graphql", Value::String(..)) => wrap(node, "operation"),
        ("Grpc", Value::String(..)) => wrap(node, "method"),
        ("Call", Value::String(..)) => wrap(node, "tool"),
        ("Ask", Value::String(..)) => wrap(node, "confirm"),
        ("Steps", Value::List(_)) => wrap(node, "do"),
        ("Command" | "Program", Value::List(_)) => words(node),
        ("SecretRef", Value::String(..)) => secret(node),
        ("Page", Value::Number(_)) => wrap(node, "size"),
        ("Icon", Value::String(..)) => wrap(node, "src"),
        ("Auth", Value::String(..)) => wrap(node, "type"),
        ("Schema", _) => fragment::normalise(node),
        _ => node,
    }
}

/// A short way of writing the value of a key, written in full.
pub(crate) fn property(definition: &str, key: &str, node: Node, source: &str, report: &mut Report) -> Option<Node> {
    match (definition, key) {
        ("Tool", "parameters") => parameters::normalise(node, report),
        ("Tool", "returns") => Some(fragment::returns(node)),
        ("Spec", "groups") => Some(groups(node)),
        ("Spec", "version") => Some(version(node, source, report)),
        ("Page", "key")
        | ("Tool", "groups")
        | ("Group", "tools")
        | ("Ask", "fields")
        | ("Shape", "pick")
        | ("Icon", "sizes")
        | ("Auth" | "Credentials", "scopes")
        | ("Trigger", "events")
        | ("Fetch", "hosts")
        | ("HttpEvents", "keep") => Some(words_to_list(node)),
        ("Http", "method") => Some(upper(node)),

        ("Prompt", "arguments") => Some(named_list(node)),
        ("Prompt", "messages") if node.as_str().is_some() => Some(user_message(node)),
        _ => Some(node),
    }
}

/// What a key takes, where the canonical type alone would mislead.
pub(crate) fn expected(definition: &str, key: &str) -> Option<&'static str> {
    Some(match (definition, key) {
        ("Sql", "sql") => "SQL text, a list of SQL texts, or a map",
        ("Script", "script") => "JavaScript text, or a map with `code` or `module`",
        ("Reply", "reply") => "text, or a map with `text`, `json`, `content` or another kind of answer",
        ("Http", "http") => "a text such as `GET /users/{id}`, or a map with `path`",
        ("Redis", "redis") => "a command such as `[GET, key]`, or a map with `command`, `commands` or `scan`",
        ("Graphql", "graphql") => "the text of an operation, or a map with `operation`",
        ("Call", "call") => "the name of a tool, or a map with `tool`",
        ("Steps", "steps") => "a list of steps, or a map with `do`",
        ("Command" | "Program", "command") => {
            "a program and its arguments such as `[git, status]`, or a map with `program`"
        }
        ("Grpc", "grpc") => "a method such as `GetOrder`, or a map with `method`",
        ("SecretRef", _) => "a place, such as `{env: NAME}` or `${env:NAME}`",
        ("Tool", "parameters") => "a map from name to schema, or a list",
        ("Schema", _) => "a schema: a map such as `{type: string}`, or a type word",
        ("Prompt", "arguments") => "a list, or a map from name to argument",
        ("Spec", "groups") => "a list, or a map from name to tools",
        ("Page", "page") => "a number of rows, or a map",
        _ => return None,
    })
}

/// A definition in words.
pub(crate) fn title(definition: &str) -> &'static str {
    match definition {
        "Spec" => "a spec",
        "Tool" => "a tool",
        "Connection" => "a connection",
        "Auth" => "auth",
        "Resource" => "a resource",
        "Prompt" => "a prompt",
        "PromptArgument" => "a prompt argument",
        "PromptMessage" => "a prompt message",
        "Trigger" => "a trigger",
        "Limits" => "limits",
        "Pool" => "pool",
        "Tls" => "tls",
        "Icon" => "an icon",
        "Sql" => "sql",
        "Page" => "page",
        "Reply" => "reply",
        "ReplyItem" => "an item",
        "Media" => "a picture or sound",
        "ReplyFile" => "resource",
        "ReplyLink" => "link",
        "Script" => "script",
        "Fetch" => "fetch",
        "State" => "state",
        "Http" => "http",
        "Graphql" => "graphql",
        "Grpc" => "grpc",
        "Call" => "call",
        "Ask" => "ask",
        "Steps" => "steps",
        "Step" => "a step",
        "Command" => "command",
        "Program" => "a program",
        "HttpBody" => "body",
        "Redis" => "redis",
        "RedisScan" => "scan",
        "Mongo" => "mongo",
        "StoreTls" => "tls",
        "HttpPart" => "a part",
        "HttpEvents" => "events",
        "HttpPages" => "pages",
        "Files" => "files",
        "FilesList" => "list",
        "FilesRead" => "read",
        "FilesWrite" => "write",
        "FilesMove" => "move",
        "FilesSearch" => "search",
        "FilesTree" => "tree",
        "FilesEdit" => "edit",
        "FilesRoots" => "roots",
        "FilesPath" | "FilesPresign" => "files",
        "FileLimits" => "limits",
        "Send" => "send",
        "Vector" => "vector",
        "VectorKeep" => "store",
        "VectorSearch" => "search",
        "VectorDelete" => "delete",
        "Embedding" => "embedding",
        "HttpTls" => "tls",
        "HttpLimits" => "limits",
        "RateLimit" => "rateLimit",
        "Retries" => "retries",
        "Credentials" => "credentials",
        "SecretRef" => "the place of a secret",
        "Annotations" => "annotations",
        "Parameter" => "a parameter",
        "Shape" => "shape",
        "Group" => "a group",
        "CallerKey" => "a key",
        "ActAs" => "actAs",
        "OauthAssertion" => "assertion",
        "OauthExchange" => "exchange",
        "HttpCache" => "cache",
        _ => "this",
    }
}

/// An example of a key that is missing.
pub(crate) fn example(definition: &str, key: &str) -> Option<&'static str> {
    Some(match (definition, key) {
        ("Spec", "name") => "name: my-server",
        ("Tool", "name") => "name: my_tool",
        ("Group", "name") => "name: reading",
        ("Connection", "name") => "name: main_db",
        ("Icon", "src") => "src: https://example.com/icon.png",
        ("Connection", "type") => "type: postgresql",
        ("Trigger", "schedule") => "schedule: \"0 6 * * *\"",
        ("Trigger", "tool") => "tool: my_tool",
        ("Trigger", "path") => "path: /my-path",
        ("Trigger", "envVar") => "envVar: QUEUE_URL",
        ("Resource", "uri") => "uri: docs://handbook",
        ("Sql", "statements") => "query: SELECT 1",
        ("PromptMessage", "role") => "role: user",
        ("Mongo", "collection") => "collection: users",
        ("Http", "path") => "path: /users/{id}",
        ("Fetch", "hosts") => "hosts: [api.example.com]",
        ("Graphql", "operation") => "operation: \"query { orders { id } }\"",
        ("Grpc", "method") => "method: GetOrder",
        ("FilesPath" | "FilesWrite" | "FilesEdit" | "FilesPresign", "path") => "path: \"{{ args.path }}\"",
        ("VectorSearch", "text") => "text: \"{{ args.text }}\"",
        ("FilesEdit", "edits") => "edits: \"{{ args.edits }}\"",
        ("Call", "tool") => "tool: other_tool",
        ("Steps", "do") => "do: [{name: first, reply: Hello}]",
        ("Step", "name") => "name: first",
        ("Command" | "Program", "program") => "program: git",
        ("HttpPages", "by") => "by: cursor",
        ("OauthAssertion", "key") => "key: ${file:/run/secrets/key.pem}",
        ("Media", "base64") => "base64: \"{{ args.data }}\"",
        ("Media", "mediaType") => "mediaType: image/png",
        ("ReplyFile" | "ReplyLink", "uri") => "uri: docs://handbook",
        _ => return None,
    })
}

/// `value` as `{key: value}`.
fn wrap(node: Node, key: &str) -> Node {
    let span = node.span;
    let entry = Entry { key: Key { span, text: key.to_owned() }, value: node };
    Node::new(span, Value::Map(vec![entry]))
}

/// `[git, status]` as `{program: git, args: [status]}`.
fn words(node: Node) -> Node {
    let span = node.span;
    let Value::List(mut items) = node.value else { return node };
    if items.is_empty() {
        return Node::new(span, Value::Map(Vec::new()));
    }
    let arguments = items.split_off(1);
    let entry = |key: &str, value: Node| Entry { key: Key { span, text: key.to_owned() }, value };
    let program = items.into_iter().map(|program| entry("program", program));
    let arguments = (!arguments.is_empty()).then(|| entry("args", Node::new(span, Value::List(arguments))));
    Node::new(span, Value::Map(program.chain(arguments).collect()))
}

fn wrap_list(node: Node, key: &str) -> Node {
    let span = node.span;
    wrap(Node::new(span, Value::List(vec![node])), key)
}

/// `GET /users/{id}` as `{method: GET, path: …}`; a path alone is read with GET. What is no path is a whole URL.
fn request_line(node: Node) -> Node {
    let span = node.span;
    let text = node.as_str().unwrap_or_default().trim().to_owned();
    let (method, path) = match text.split_once(char::is_whitespace) {
        Some((method, path)) if !method.starts_with('/') => (Some(method.to_ascii_uppercase()), path.trim().to_owned()),
        _ => (None, text),
    };
    let entry =
        |key: &str, value: String| Entry { key: Key { span, text: key.to_owned() }, value: Node::text(span, value) };
    let method = method.map(|method| entry("method", method));
    let key = if path.starts_with("{+") || path.contains("://") { "url" } else { "path" };
    Node::new(span, Value::Map(method.into_iter().chain([entry(key, path)]).collect()))
}

/// `${env:NAME}` as `{env: NAME}`. Any other text is no place; it is refused without being shown.
fn secret(node: Node) -> Node {
    let span = node.span;
    let reference = node.as_str().and_then(|text| text.trim().strip_prefix("${")?.strip_suffix('}'));
    let Some((kind @ ("env" | "file" | "doppler"), name)) = reference.and_then(|text| text.split_once(':')) else {
        return node;
    };
    wrap(Node::text(span, name.trim()), kind)
}

/// `{reading: [list_orders]}` as `[{name: reading, tools: [list_orders]}]`.
fn groups(node: Node) -> Node {
    let span = node.span;
    let Value::Map(entries) = node.value else { return node };
    let items = entries.into_iter().map(|Entry { key, value }| {
        let name =
            Entry { key: Key { span: key.span, text: "name".to_owned() }, value: Node::text(key.span, key.text) };
        let at = value.span;
        let rest = match value.value {
            Value::Map(rest) => rest,
            other => {
                let tools = words_to_list(Node::new(at, other));
                vec![Entry { key: Key { span: at, text: "tools".to_owned() }, value: tools }]
            }
        };
        Node::new(at, Value::Map([name].into_iter().chain(rest).collect()))
    });
    Node::new(span, Value::List(items.collect()))
}

fn upper(node: Node) -> Node {
    match node.as_str() {
        Some(text) => Node::text(node.span, text.to_ascii_uppercase()),
        None => node,
    }
}

/// `query: …` as `statements: […]`, and one statement as a list of one.
fn query_to_statements(node: Node, report: &mut Report) -> Node {
    let both = node.entry("query").is_some() && node.entry("statements").is_some();
    let Value::Map(mut entries) = node.value else { return node };
    if both {
        if let Some(query) = entries.iter().find(|entry| entry.key.text == "query") {
            let problem = Diagnostic::error(codes::SAME_KEY, "`query` and `statements` mean the same")
                .at(query.key.span)
                .help("keep one of them; `statements` is a list");
            report.push(problem);
        }
        entries.retain(|entry| entry.key.text != "query");
    }
    for entry in &mut entries {
        if matches!(entry.key.text.as_str(), "query" | "statements") && entry.value.as_str().is_some() {
            entry.key.text = "statements".to_owned();
            let inner = std::mem::replace(&mut entry.value, Node::new(node.span, Value::Null));
            entry.value = Node::new(inner.span, Value::List(vec![inner]));
        } else if entry.key.text == "query" {
            let problem =
                Diagnostic::error(codes::WRONG_TYPE, format!("`query` must be SQL text, not {}", entry.value.kind()))
                    .at(entry.value.span)
                    .help("several statements are a list under `statements`");
            report.push(problem);
            entry.key.text = "statements".to_owned();
            entry.value = Node::new(entry.value.span, Value::List(Vec::new()));
        }
    }
    Node::new(node.span, Value::Map(entries))
}

/// `1`, `1.2` and the numbers that YAML makes of them, with zeros added and a warning.
fn version(node: Node, source: &str, report: &mut Report) -> Node {
    let literal = match &node.value {
        Value::Number(_) => source.get(node.span.start..node.span.end).unwrap_or_default().to_owned(),
        Value::String(text, _) => text.clone(),
        _ => return node,
    };
    let parts: Vec<&str> = literal.split('.').collect();
    let short =
        parts.len() < 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if !short {
        return Node::text(node.span, literal);
    }
    let full = format!("{literal}{}", ".0".repeat(3 - parts.len()));
    let problem = Diagnostic::warning(codes::SHORT_VERSION, format!("the version `{literal}` is taken as `{full}`"))
        .at(node.span)
        .help(format!("write `version: {full}`"));
    report.push(problem);
    Node::text(node.span, full)
}

/// `a b` or `a` as a list.
fn words_to_list(node: Node) -> Node {
    let Some(text) = node.as_str() else { return node };
    let items = text.split_whitespace().map(|word| Node::text(node.span, word)).collect();
    Node::new(node.span, Value::List(items))
}

/// `{a: {…}}` as `[{name: a, …}]`.
fn named_list(node: Node) -> Node {
    let Value::Map(entries) = node.value else { return node };
    let items = entries
        .into_iter()
        .map(|Entry { key, value }| {
            let span = value.span;
            let name =
                Entry { key: Key { span: key.span, text: "name".to_owned() }, value: Node::text(key.span, key.text) };
            match value.value {
                Value::Map(more) => Node::new(span, Value::Map(std::iter::once(name).chain(more).collect())),
                Value::String(text, style) => {
                    let description = Node::new(span, Value::String(text, style));
                    let description = Entry { key: Key { span, text: "description".to_owned() }, value: description };
                    Node::new(span, Value::Map(vec![name, description]))
                }
                other => Node::new(span, other),
            }
        })
        .collect();
    Node::new(node.span, Value::List(items))
}

/// A text as one message of the person.
fn user_message(node: Node) -> Node {
    let span = node.span;
    let role = Entry { key: Key { span, text: "role".to_owned() }, value: Node::text(span, "user") };
    let text = Entry { key: Key { span, text: "text".to_owned() }, value: node };
    Node::new(span, Value::List(vec![Node::new(span, Value::Map(vec![role, text]))]))
}
