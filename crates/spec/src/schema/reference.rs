//! The reference page of the language, from the types.

use std::fmt::Write as _;

use serde_json::Value;

use super::definition;
use crate::check::numbers::RANGES;
use crate::structure::dialect::{ALIASES, WORDS};

/// A section: the definition, its head, the key that has it, and an example.
const SECTIONS: [(&str, &str, &str, &str); 68] = [
    ("Spec", "The document", "", include_str!("examples/spec.yaml")),
    ("Connection", "Connections", "connections[]", include_str!("examples/connection.yaml")),
    ("Pool", "Pools", "connections[].pool", ""),
    ("Tls", "Transport security", "connections[].tls", ""),
    ("ActAs", "Acting for the caller", "connections[].actAs", include_str!("examples/act_as.yaml")),
    ("Credentials", "Credentials", "connections[].credentials", include_str!("examples/credentials.yaml")),
    ("OauthAssertion", "Assertions of OAuth clients", "connections[].credentials.assertion", ""),
    ("OauthExchange", "Exchanged tokens", "connections[].credentials.exchange", ""),
    ("HttpCache", "Kept answers", "connections[].cache", ""),
    ("SecretRef", "Places of secrets", "wherever a secret is needed", ""),
    ("RateLimit", "Rate limits", "connections[].rateLimit", ""),
    ("Retries", "Retries", "connections[].retries", ""),
    ("HttpLimits", "Limits of requests", "connections[].limits", ""),
    ("FileLimits", "Limits of files", "connections[].limits", ""),
    ("Embedding", "Embeddings", "connections[].embedding", ""),
    ("HttpTls", "Transport security of HTTP", "connections[].tls", ""),
    ("StoreTls", "Transport security of Redis and MongoDB", "connections[].tls", ""),
    ("Program", "Programs of connections", "connections[].command", ""),
    ("Tool", "Tools", "tools[]", include_str!("examples/tool.yaml")),
    ("Shape", "Shapes of results", "tools[].shape", include_str!("examples/shape.yaml")),
    ("Group", "Groups", "groups[]", include_str!("examples/group.yaml")),
    ("Annotations", "Annotations", "tools[].annotations", ""),
    ("Sql", "SQL actions", "tools[].sql", include_str!("examples/sql.yaml")),
    ("Page", "Pages", "tools[].sql.page", include_str!("examples/page.yaml")),
    ("Http", "HTTP actions", "tools[].http", include_str!("examples/http.yaml")),
    ("HttpBody", "Bodies of requests", "tools[].http.body", ""),
    ("HttpPages", "Pages of HTTP answers", "tools[].http.pages", ""),
    ("HttpEvents", "Streams of events", "tools[].http.events", ""),
    ("Redis", "Redis actions", "tools[].redis", include_str!("examples/redis.yaml")),
    ("RedisScan", "Walks through keys", "tools[].redis.scan", ""),
    ("Mongo", "MongoDB actions", "tools[].mongo", include_str!("examples/mongo.yaml")),
    ("Graphql", "GraphQL actions", "tools[].graphql", include_str!("examples/graphql.yaml")),
    ("Grpc", "gRPC actions", "tools[].grpc", include_str!("examples/grpc.yaml")),
    ("Files", "Actions on files", "tools[].files", include_str!("examples/files.yaml")),
    ("FilesList", "Lists of files", "tools[].files.list", ""),
    ("FilesRead", "Reading of files", "tools[].files.read", ""),
    ("FilesWrite", "Writing of files", "tools[].files.write", ""),
    ("FilesMove", "Moving of files", "tools[].files.move", ""),
    ("FilesSearch", "Searches of files", "tools[].files.search", ""),
    ("FilesPath", "Paths of files", "tools[].files.stat, folder, delete", ""),
    ("FilesTree", "Trees of files", "tools[].files.tree", ""),
    ("FilesEdit", "Changes of files", "tools[].files.edit", ""),
    ("FilesPresign", "URLs for others", "tools[].files.presign", ""),
    ("Vector", "Texts with vectors", "tools[].vector", include_str!("examples/vector.yaml")),
    ("VectorKeep", "Keeping of texts", "tools[].vector.store", ""),
    ("VectorSearch", "Searches of texts", "tools[].vector.search", ""),
    ("VectorDelete", "Deleting of texts", "tools[].vector.delete", ""),
    ("Send", "Messages", "tools[].send", include_str!("examples/send.yaml")),
    ("Script", "Scripts", "tools[].script", include_str!("examples/script.yaml")),
    ("Ask", "Questions to people", "tools[].ask", include_str!("examples/ask.yaml")),
    ("Fetch", "Fetching in scripts", "tools[].script.fetch", include_str!("examples/fetch.yaml")),
    ("Call", "Calls of tools", "tools[].call", include_str!("examples/call.yaml")),
    ("Steps", "Steps", "tools[].steps", include_str!("examples/steps.yaml")),
    ("Step", "One step", "tools[].steps.do[]", ""),
    ("Command", "Commands", "tools[].command", include_str!("examples/command.yaml")),
    ("Reply", "Replies", "tools[].reply", include_str!("examples/reply.yaml")),
    ("ReplyItem", "Items of replies", "tools[].reply.content[]", ""),
    ("Media", "Pictures and sounds", "tools[].reply.image, tools[].reply.audio", ""),
    ("ReplyFile", "Files in replies", "tools[].reply.resource", ""),
    ("ReplyLink", "Links in replies", "tools[].reply.link", ""),
    ("Resource", "Resources", "resources[]", include_str!("examples/resource.yaml")),
    ("Prompt", "Prompts", "prompts[]", include_str!("examples/prompt.yaml")),
    ("PromptArgument", "Arguments of prompts", "prompts[].arguments[]", ""),
    ("PromptMessage", "Messages of prompts", "prompts[].messages[]", ""),
    ("Trigger", "Triggers", "triggers[]", include_str!("examples/trigger.yaml")),
    ("Auth", "Authentication", "auth", include_str!("examples/auth.yaml")),
    ("CallerKey", "Keys of callers", "auth.keys[]", ""),
    ("Limits", "Limits", "limits", include_str!("examples/limits.yaml")),
];

/// The examples of the page, which are specs.
#[cfg(test)]
pub(crate) fn examples() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|(.., example)| *example).filter(|example| !example.is_empty())
}

/// The reference page of the spec language, Markdown: every key with its type, default and range,
/// and an example of each part.
pub fn reference_markdown() -> String {
    let mut out = String::from(HEAD);
    for (name, head, key, example) in SECTIONS {
        let Some(schema) = definition(name) else { continue };
        let _ = writeln!(out, "\n## {head}\n");
        if !key.is_empty() {
            let _ = writeln!(out, "`{key}`\n");
        }
        let _ = writeln!(out, "{}\n", text(schema));
        match schema.get("oneOf").and_then(Value::as_array) {
            Some(variants) => variants.iter().for_each(|variant| variant_of(&mut out, name, variant)),
            None => table(&mut out, name, schema),
        }
        if !example.is_empty() {
            let _ = writeln!(out, "\n```yaml\n{}\n```", example.trim_end());
        }
    }
    schemas(&mut out);
    spellings(&mut out);
    limits(&mut out);
    out
}

const HEAD: &str = "<!-- Generated from the types by `cargo xtask gen`. Do not edit. -->

# Spec reference

A spec is a YAML 1.2 or JSON document that describes one MCP server. Only `name` and one tool, resource or prompt are
needed. Unknown keys are errors. `mcp-factory validate FILE` checks a spec, `mcp-factory schema` prints its JSON Schema,
`mcp-factory explain CODE` explains a problem.

Editors with YAML support complete and check a spec that starts with this line:

```yaml
# yaml-language-server: $schema=https://mcp-factory.dev/schema/mcp-spec.schema.json
```
";

fn variant_of(out: &mut String, name: &str, variant: &Value) {
    let word = variant.pointer("/properties/type/const").and_then(Value::as_str).unwrap_or_default();
    let _ = writeln!(out, "\n### `type: {word}`\n\n{}\n", text(variant));
    let has_more = variant.get("properties").and_then(Value::as_object).is_some_and(|properties| properties.len() > 1);
    if has_more {
        table(out, name, variant);
    }
}

fn table(out: &mut String, name: &str, schema: &Value) {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let _ = writeln!(out, "| key | type | default | |\n|---|---|---|---|");
    for (key, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if property.get("const").is_some() {
            continue;
        }
        let default = if required.contains(&key.as_str()) { "required".to_owned() } else { default_of(property) };
        let range = RANGES.iter().find(|(owner, other, ..)| *owner == name && other == key);
        let range = range.map(|(_, _, least, most)| format!(" {least} to {most}.")).unwrap_or_default();
        let _ = writeln!(
            out,
            "| `{key}` | {} | {default} | {}{range} |",
            kind(property),
            text(property).replace('|', "\\|")
        );
    }
}

fn text(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ")
}

fn default_of(property: &Value) -> String {
    match property.get("default") {
        Some(Value::Object(_) | Value::Array(_)) | None => String::new(),
        Some(value) => format!("`{}`", value.to_string().trim_matches('"')),
    }
}

/// A type in words, with a link when it has a section.
fn kind(property: &Value) -> String {
    if let Some(name) = property.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
        if let Some((_, head, ..)) = SECTIONS.iter().find(|(section, ..)| *section == name) {
            return format!("[{}](#{})", head.to_lowercase(), head.to_lowercase().replace(' ', "-"));
        }
        let words = definition(name).map(words_of).unwrap_or_default();
        return match name {
            "Schema" => "[schema](#schemas)".to_owned(),
            "Parameter" => "parameter".to_owned(),
            _ if words.is_empty() => name.to_lowercase(),
            _ => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        };
    }
    match property.get("type").and_then(Value::as_str) {
        Some("array") => format!("list of {}", property.get("items").map(kind).unwrap_or_default()),
        Some("string") => "text".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("object") => "map".to_owned(),
        _ => "any value".to_owned(),
    }
}

fn words_of(schema: &Value) -> Vec<&str> {
    let choices = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let one = choices.filter_map(|choice| choice.get("const")?.as_str());
    one.chain(schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)).collect()
}

fn schemas(out: &mut String) {
    let _ = writeln!(out, "\n## Schemas\n\n{}\n", definition("Schema").map(text).unwrap_or_default());
    let _ = writeln!(
        out,
        "Types: {}. A type word alone is short for `{{type: word}}`.",
        crate::structure::list(&crate::structure::TYPES)
    );
    let _ = writeln!(
        out,
        "\n`parameters` takes a map from name to schema, a list of schemas with `name`, or a JSON Schema with `type: object` and\n\
         `properties`. `required: true` stands in the parameter or property itself. `returns` takes a schema, a type word, a\n\
         map of properties, or a description.\n"
    );
    let _ = writeln!(out, "```yaml\n{}\n```", include_str!("examples/schemas.yaml").trim_end());
}

/// Values that may be written shorter, and what they mean. `structure::dialect` reads them.
const SHORT_FORMS: [(&str, &str); 13] = [
    ("sql: SELECT 1", "sql: {statements: [SELECT 1]}"),
    ("sql: [SELECT 1, SELECT 2]", "sql: {statements: [SELECT 1, SELECT 2]}"),
    ("page: 20", "page: {size: 20}"),
    ("key: -created_at id", "key: [-created_at, id]"),
    ("reply: Hello!", "reply: {text: Hello!}"),
    ("script: export default () => 1", "script: {code: export default () => 1}"),
    ("auth: bearer", "auth: {type: bearer}"),
    ("scopes: read write", "scopes: [read, write]"),
    ("icons: [https://example.com/a.png]", "icons: [{src: https://example.com/a.png}]"),
    ("sizes: 48x48", "sizes: [48x48]"),
    ("events: created", "events: [created]"),
    ("messages: Sum it up.", "messages: [{role: user, text: Sum it up.}]"),
    ("arguments: {topic: {required: true}}", "arguments: [{name: topic, required: true}]"),
];

fn spellings(out: &mut String) {
    let _ = writeln!(
        out,
        "\n## Other spellings\n\nEvery key may be written in `snake_case` (`timeout_ms` for `timeoutMs`). These mean the same, too:\n"
    );
    let _ = writeln!(out, "| written | means | in |\n|---|---|---|");
    for (definition, alias, name) in ALIASES.iter().chain(&WORDS) {
        let head =
            SECTIONS.iter().find(|(section, ..)| section == definition).map_or(*definition, |(_, head, ..)| *head);
        let _ = writeln!(out, "| `{alias}` | `{name}` | {} |", head.to_lowercase());
    }
    let _ = writeln!(out, "\nShort ways of writing a value:\n\n| written | means |\n|---|---|");
    for (short, full) in SHORT_FORMS {
        let _ = writeln!(out, "| `{short}` | `{full}` |");
    }
}

fn limits(out: &mut String) {
    use crate::limits::*;
    let rows: [(&str, usize); 10] = [
        ("Document, bytes", DOCUMENT_BYTES_MAX),
        ("Levels of nesting", DEPTH_MAX),
        ("Values, aliases expanded", NODES_MAX),
        ("Problems reported", DIAGNOSTICS_MAX),
        ("Server name, characters", SERVER_NAME_CHARS_MAX),
        ("Tool name, characters", TOOL_NAME_CHARS_MAX),
        ("Tools", TOOLS_MAX),
        ("Parameters of a tool", PARAMETERS_MAX),
        ("Description, characters", DESCRIPTION_CHARS_MAX),
        ("Values of an enum", ENUM_MAX),
    ];
    let _ = writeln!(out, "\n## Limits of a document\n\n| | most |\n|---|---|");
    for (what, most) in rows {
        let _ = writeln!(out, "| {what} | {most} |");
    }
}

#[cfg(test)]
mod tests {
    use base::Source;

    #[test]
    fn examples_are_accepted_without_a_warning() {
        let more = [include_str!("examples/schemas.yaml")];
        for text in super::examples().chain(more) {
            let source = Source { name: "example.yaml", text };
            let parsed = crate::parse(source, &crate::ParseOptions { strict: true, format: None });
            let shown: String = parsed.diagnostics.iter().map(|d| d.render(source, false)).collect();
            assert!(parsed.spec.is_some(), "{shown}\n{text}");
        }
    }

    #[test]
    fn short_forms_mean_what_the_page_says() {
        const TOOL: &str = "tools: [{name: t, connection: db, parameters: {}, ";
        const DB: &str = "connections: [{name: db, type: sqlite, envVar: DB}]\n";
        let inside = |form: &str| match form.split(':').next().unwrap_or_default() {
            "sql" | "reply" | "script" => format!("{DB}{TOOL}{form}}}]"),
            "page" => format!("{DB}{TOOL}sql: {{query: SELECT id FROM t ORDER BY id, {form}}}}}]"),
            "key" => {
                format!("{DB}{TOOL}sql: {{query: 'SELECT id, created_at FROM t', page: {{by: keyset, {form}}}}}}}]")
            }
            "scopes" => {
                format!("auth: {{type: oauth2, issuer: 'https://example.com', {form}}}\ntools: [{{name: t, reply: a}}]")
            }
            "sizes" => format!("icons: [{{src: 'https://example.com/a.png', {form}}}]\ntools: [{{name: t, reply: a}}]"),
            "events" => {
                format!("tools: [{{name: t, reply: a}}]\ntriggers: [{{type: file, path: ./in, tool: t, {form}}}]")
            }
            "messages" => format!("prompts: [{{name: p, {form}}}]"),
            "arguments" => format!("prompts: [{{name: p, messages: 'On {{{{topic}}}}', {form}}}]"),
            _ => format!("{form}\ntools: [{{name: t, reply: a}}]"),
        };
        let digest = |form: &str| {
            let text = format!("name: demo\n{}\n", inside(form));
            let source = Source { name: "short.yaml", text: &text };
            let parsed = crate::parse(source, &crate::ParseOptions::default());
            let shown: String = parsed.diagnostics.iter().map(|d| d.render(source, false)).collect();
            assert!(parsed.spec.is_some(), "{shown}\n{text}");
            parsed.spec.map(|spec| spec.digest())
        };
        for (short, full) in super::SHORT_FORMS {
            assert_eq!(digest(short), digest(full), "{short}");
        }
    }

    #[test]
    fn every_definition_of_the_language_has_a_section() {
        let page = super::reference_markdown();
        for head in super::SECTIONS.map(|(_, head, ..)| head) {
            assert!(page.contains(&format!("\n## {head}\n")), "{head}");
        }
        assert!(page.contains("| `timeoutMs` | whole number | `30000` |"), "{page}");
    }
}
