//! The API as a page for people. It loads nothing from anywhere.

use std::fmt::Write as _;

use http::{HeaderName, HeaderValue, Response};
use operations::explain::Page;
use operations::operation::Effect;
use protocol::http::Body;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;background:#f4f4f4;padding:1rem}h2{margin-top:2.5rem}\
summary{cursor:pointer}table{border-collapse:collapse}td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#151515}pre{background:#222}a{color:#8cf}}";

/// Says that a page loads nothing and runs nothing.
pub(super) fn harden(mut answer: Response<Body>) -> Response<Body> {
    const POLICY: &str =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = answer.headers_mut();
    headers.insert(HeaderName::from_static("content-security-policy"), HeaderValue::from_static(POLICY));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    answer
}

/// Every operation.
pub(super) fn page() -> String {
    let mut out = String::from(
        "<h1>MCP Factory</h1>\n<p>MCP clients use <code>/mcp</code>; older ones <code>/mcp/sse</code>. The REST API below is also \
<a href=\"/openapi.json\">OpenAPI 3.1</a>. Failures are problem documents with a code that <code>/docs/codes/CODE</code> explains. \
A POST with an <code>Idempotency-Key</code> is done once.</p>\n<table>\n",
    );
    for operation in operations::all::all() {
        let declared = operation.declared();
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td><a href=\"#{}\"><code>{}</code></a></td><td>{}</td></tr>",
            declared.method.as_str(),
            declared.name,
            escaped(declared.path),
            escaped(declared.title)
        );
    }
    out.push_str("</table>\n");
    for operation in operations::all::all() {
        let declared = operation.declared();
        let _ = writeln!(
            out,
            "<h2 id=\"{0}\">{1}</h2>\n<p><code>{2} {3}</code></p>\n<p>{4}</p>",
            declared.name,
            escaped(declared.title),
            declared.method.as_str(),
            escaped(declared.path),
            escaped(declared.description)
        );
        let mut facts = Vec::new();
        if !declared.scope.as_str().is_empty() {
            facts.push(format!("needs <code>{}</code>", declared.scope.as_str()));
        }
        if let Some(tool) = declared.tool {
            facts.push(format!("MCP tool <code>{tool}</code>"));
        }
        if let Some(command) = declared.command {
            facts.push(format!("command <code>mcp-factory {command}</code>"));
        }
        if declared.effect == Effect::Reads {
            facts.push("changes nothing".to_owned());
        }
        if declared.job {
            facts.push("<code>?async=true</code> answers with a job".to_owned());
        }
        let _ = writeln!(out, "<p>{}</p>", facts.join(" · "));
        for (name, schema) in [("Input", operation.input_schema()), ("Output", operation.output_schema())] {
            let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
            let _ = writeln!(out, "<details><summary>{name}</summary><pre>{}</pre></details>", escaped(&text));
        }
    }
    document("MCP Factory API", &out)
}

/// The help page of a code.
pub(super) fn code(page: &Page) -> String {
    let body = format!(
        "<h1>{}: {}</h1>\n<pre>{}</pre>\n<p><a href=\"/docs\">The API</a></p>",
        escaped(&page.code),
        escaped(&page.title),
        escaped(&page.page)
    );
    document(&page.code, &body)
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
<title>{}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n",
        escaped(title)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
