//! The official MCP registry's `server.json`, schema of 2025-12-11: a server of ours as an entry of a registry, and an entry with a
//! remote as a server that passes calls on.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use spec::Spec;
use spec::limits::TOOL_NAME_CHARS_MAX;
use spec::model::Auth;

use crate::source::Format;
use crate::{Code, Context, Error, SpecText, create, pipeline};

/// The schema that is written, and named in the document.
pub const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// Longest description and title that a registry takes, characters.
const TEXT_CHARS_MAX: usize = 100;
/// Longest wait for the tools of a remote.
const LIST_TIMEOUT: Duration = Duration::from_secs(30);
/// Name of the connection to a remote.
const REMOTE: &str = "remote";

/// Which server, and how a registry is to name it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportInput {
    /// Name of the server.
    pub name: String,
    /// The namespace that its owner proves to a registry, a domain written backwards: `com.example`, `io.github.name`.
    pub namespace: String,
    /// Where the world reaches the control plane, such as `https://mcp.example.com`; where it listens when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// An entry of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportOutput {
    /// The `server.json`.
    pub document: Map<String, Value>,
    /// What somebody should look at before it is published.
    pub warnings: Vec<String>,
}

/// An entry of a registry that is to become a server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportInput {
    /// The `server.json`.
    pub document: Map<String, Value>,
    /// Name of the server; when absent, the part of the entry's name behind the slash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Replace a stored version that has another content.
    #[serde(default)]
    pub force: bool,
    /// Do everything but store it.
    #[serde(default)]
    pub dry_run: bool,
}

/// The server that was made.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportOutput {
    /// What was made.
    pub made: create::Output,
    /// Its spec, JSON.
    pub spec: Map<String, Value>,
    /// Variables that have to hold what the remote wants to be shown.
    pub variables: Vec<String>,
}

/// Writes the entry of a server.
///
/// # Errors
/// There is no such server; the namespace is none; nobody knows where the control plane is.
pub async fn export(context: &Context, input: ExportInput) -> Result<ExportOutput, Error> {
    let part = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    if !part(&input.namespace) || !input.namespace.contains('.') {
        return Err(Error::new(Code::BadRequest, format!("`{}` is no namespace of a registry", input.namespace))
            .hint("write a domain backwards: `com.example`, or `io.github.NAME`"));
    }
    let subject = crate::Subject::server(input.name);
    let loaded = pipeline::load(context, &subject, false).await?;
    let own = context.targets.as_ref().map(|targets| targets.url.clone()).or_else(|| crate::plane::running(context));
    let base = input.url.or(own).ok_or_else(|| {
        Error::new(Code::Usage, "nobody knows where the world reaches the control plane")
            .hint("say it: `--public-url https://mcp.example.com`")
    })?;
    check_base(&base)?;
    Ok(entry(&loaded.spec, &input.namespace, base.trim_end_matches('/')))
}

/// Refuses what cannot be the address of a control plane.
fn check_base(base: &str) -> Result<(), Error> {
    let refused = |why: String| {
        Error::new(Code::BadRequest, format!("the public URL {} cannot be used: {why}", base::without_userinfo(base)))
            .hint("write where the world reaches the control plane, such as https://mcp.example.com")
    };
    let policy = connect::egress::Policy::default().allow_private(true).allow_plain(true);
    policy.check(base).map_err(|why| refused(why.to_string()))?;
    if base::has_userinfo(base) || base.contains(['?', '#']) {
        return Err(refused("a user, a password, a query or a fragment is no part of it".to_owned()));
    }
    Ok(())
}

fn entry(spec: &Spec, namespace: &str, base: &str) -> ExportOutput {
    let mut warnings = Vec::new();
    if !base.starts_with("https://") {
        warnings.push(format!("a registry takes public addresses alone, and {base} is not HTTPS"));
    }
    let mut short = |what: &str, text: &str| {
        if text.chars().count() <= TEXT_CHARS_MAX {
            return text.to_owned();
        }
        warnings.push(format!("the {what} was cut: a registry takes {TEXT_CHARS_MAX} characters"));
        let cut: String = text.chars().take(TEXT_CHARS_MAX - 1).collect();
        format!("{}…", cut.trim_end())
    };
    let description = spec.description.as_deref().or(spec.title.as_deref()).unwrap_or(&spec.name);
    let mut document = Map::new();
    document.insert("$schema".into(), SCHEMA.into());
    document.insert("name".into(), format!("{namespace}/{}", spec.name).into());
    if let Some(title) = &spec.title {
        document.insert("title".into(), short("title", title).into());
    }
    document.insert("description".into(), short("description", description).into());
    document.insert("version".into(), spec.version.clone().into());
    let icons: Vec<Value> =
        spec.icons.iter().filter(|icon| icon.src.starts_with("https://")).map(|icon| json!(icon)).collect();
    if !icons.is_empty() {
        document.insert("icons".into(), icons.into());
    }
    let shown = shown(&spec.auth);
    let remotes = [("streamable-http", "mcp"), ("sse", "sse")].map(|(kind, end)| {
        let mut remote = json!({"type": kind, "url": format!("{base}/servers/{}/{end}", spec.name)});
        if let Some(header) = &shown {
            remote["headers"] = json!([header]);
        }
        remote
    });
    document.insert("remotes".into(), json!(remotes));
    ExportOutput { document, warnings }
}

/// What callers show, as a registry tells them. Clients find out about OAuth by themselves.
fn shown(auth: &Auth) -> Option<Value> {
    match auth {
        Auth::None | Auth::Oauth2 { .. } => None,
        Auth::ApiKey { .. } | Auth::Bearer { .. } => Some(json!({
            "name": "Authorization",
            "description": "`Bearer` and a key for this server",
            "isRequired": true,
            "isSecret": true,
        })),
    }
}

/// Makes a server that passes calls on to the remote of an entry.
///
/// # Errors
/// The entry has no remote that can be used; the remote does not tell its tools; the server cannot be made.
pub async fn import(context: &Context, input: ImportInput) -> Result<ImportOutput, Error> {
    let (mut spec, variables) = proxy(&input.document, input.name.as_deref())?;
    let tools = Box::pin(tools(context, &spec)).await?;
    spec.insert("tools".into(), tools.into());
    let text = serde_json::to_string_pretty(&spec)
        .map_err(|error| Error::new(Code::Internal, format!("the spec cannot be written: {error}")))?;
    let spec_text = SpecText { name: "<server.json>".to_owned(), text, format: Some(Format::Json) };
    let (force, dry_run) = (input.force, input.dry_run || context.tries);
    let made =
        Box::pin(create::create(context, create::Input { force, dry_run, ..create::Input::of(spec_text) })).await?;
    Ok(ImportOutput { made, spec, variables })
}

fn bad(why: impl std::fmt::Display) -> Error {
    Error::new(Code::BadArchive, format!("the server.json cannot be used: {why}"))
        .hint("entries of the registry with a remote can be imported; https://modelcontextprotocol.io/registry says what they hold")
}

/// Name of the server that an entry becomes, when it says one.
pub(crate) fn name(input: &ImportInput) -> Option<String> {
    input.name.clone().or_else(|| input.document.get("name").and_then(Value::as_str).map(own_name))
}

/// The part behind the slash, as a name of ours.
fn own_name(full: &str) -> String {
    let own = full.rsplit('/').next().unwrap_or(full).to_ascii_lowercase();
    let own: String = own.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    own.trim_matches('-').to_owned()
}

/// The spec of an entry, without its tools, and the variables that it needs.
fn proxy(document: &Map<String, Value>, name: Option<&str>) -> Result<(Map<String, Value>, Vec<String>), Error> {
    let word = |key: &str| document.get(key).and_then(Value::as_str);
    let full = word("name").ok_or_else(|| bad("it has no name"))?;
    let name = name.map_or_else(|| own_name(full), str::to_owned);
    let remotes: Vec<&Value> = document.get("remotes").and_then(Value::as_array).into_iter().flatten().collect();
    let of_kind = |kind: &str| remotes.iter().copied().find(|remote| remote["type"] == kind);
    let remote = of_kind("streamable-http").or_else(|| of_kind("sse")).ok_or_else(|| bad("it has no remote"))?;
    let url = remote["url"].as_str().ok_or_else(|| bad("its remote has no address"))?;
    if url.contains(['{', '}']) {
        return Err(bad(format!("the address of its remote has variables: {url}")));
    }
    let mut variables = Vec::new();
    let mut headers = Map::new();
    for header in remote["headers"].as_array().into_iter().flatten() {
        let Some(header_name) = header["name"].as_str() else { return Err(bad("a header of its remote has no name")) };
        let secret = header["isSecret"] == true;
        match (header["value"].as_str(), header["isRequired"] == true) {
            (Some(value), _) if !secret && !value.contains('{') => {
                headers.insert(header_name.to_owned(), value.into());
            }
            (_, true) => {
                let variable = variable(&name, header_name);
                headers.insert(header_name.to_owned(), format!("${{env:{variable}}}").into());
                variables.push(variable);
            }
            (_, false) => {}
        }
    }
    let mut connection = json!({"name": REMOTE, "type": "mcp", "url": url});
    if remote["type"] == "sse" {
        connection["transport"] = "sse".into();
    }
    if !headers.is_empty() {
        connection["headers"] = headers.into();
    }
    let mut spec = Map::new();
    spec.insert("name".into(), name.into());
    for key in ["title", "description"] {
        if let Some(text) = word(key) {
            spec.insert(key.into(), text.into());
        }
    }
    spec.insert("version".into(), word("version").unwrap_or("1.0.0").into());
    spec.insert("connections".into(), json!([connection]));
    Ok((spec, variables))
}

/// `MCP_REMOTE_SHOP_AUTHORIZATION`: whoever wrote the entry chooses its end, and must not come to a variable that is there
/// for something else.
fn variable(server: &str, header: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("MCP_REMOTE_{server}_{header}").chars().map(plain).collect()
}

/// The tools that the remote has, each passed on.
async fn tools(context: &Context, spec: &Map<String, Value>) -> Result<Vec<Value>, Error> {
    let mut alone = spec.clone();
    alone.insert("tools".into(), json!([]));
    let alone: Spec = serde_json::from_value(Value::Object(alone)).map_err(bad)?;
    crate::machine::check(context, &alone)?;
    let opened = pipeline::open(context, &alone, false).await;
    let client = opened.connections.mcp.get(REMOTE).cloned().ok_or_else(|| {
        let why = opened.connections.unavailable.get(REMOTE).cloned();
        let why = why.or_else(|| opened.diagnostics.first().map(|one| one.message.clone())).unwrap_or_default();
        let lacking = opened.diagnostics.first().and_then(|one| one.help.first().cloned());
        let error = Error::new(Code::Upstream, format!("the remote of the server.json cannot be used: {why}"));
        // What is to be done is said where it was found; of a refused address nothing is.
        error.hint(lacking.unwrap_or_else(|| "a private address needs `--allow-network`".to_owned()))
    })?;
    let deadline = (Instant::now() + LIST_TIMEOUT).into();
    let caller = client::Caller { deadline, cancel: &context.cancel, progress: None, person: None };
    let listed = client.tools(caller).await.map_err(|error| {
        Error::new(Code::Upstream, format!("the remote does not tell its tools: {error}"))
            .hint("set the variables that its headers need, and try again")
    })?;
    Ok(passed_on(listed.into_iter().map(|tool| (tool.name, tool.description))))
}

/// Tools that are passed on. MCP allows names that our callers' models do not take: those get a name that they take, and are
/// called by their own.
fn passed_on(listed: impl IntoIterator<Item = (String, Option<String>)>) -> Vec<Value> {
    let listed: Vec<_> = listed.into_iter().collect();
    // A name that can stay as it is stays, whoever comes first.
    let mut taken: HashSet<String> = listed.iter().map(|(name, _)| name).filter(|name| fits(name)).cloned().collect();
    let tools = listed.into_iter().map(|(name, description)| {
        let own = if fits(&name) { name.clone() } else { free_name(&name, &mut taken) };
        let mut one = json!({"name": own, "connection": REMOTE, "call": name});
        if let Some(description) = description {
            one["description"] = description.into();
        }
        one
    });
    tools.collect()
}

fn fits(name: &str) -> bool {
    (1..=TOOL_NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A name that nobody has yet and that says what another one says.
fn free_name(name: &str, taken: &mut HashSet<String>) -> String {
    let plain: String = name.chars().map(|c| if fits(c.encode_utf8(&mut [0; 4])) { c } else { '_' }).collect();
    let numbered = (1u64..).map(|number| {
        let end = if number == 1 { String::new() } else { format!("_{number}") };
        let length = plain.len().min(TOOL_NAME_CHARS_MAX - end.len());
        format!("{}{end}", if length == 0 { "tool" } else { &plain[..length] })
    });
    let mut numbered = numbered.filter(|one| !taken.contains(one));
    let free = numbered.next().unwrap_or(plain.clone());
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{entry, passed_on, proxy};

    fn object(value: Value) -> serde_json::Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn an_entry_has_what_the_registry_asks_for() {
        let spec = json!({"name": "shop-mcp", "version": "1.2.0", "title": "Shop", "description": "x".repeat(150), "tools": []});
        let spec: spec::Spec = serde_json::from_value(spec).unwrap();
        let found = entry(&spec, "com.example", "https://mcp.example.com");
        assert_eq!(found.document["name"], "com.example/shop-mcp");
        assert_eq!(found.document["remotes"][0]["url"], "https://mcp.example.com/servers/shop-mcp/mcp");
        assert_eq!(found.document["description"].as_str().unwrap().chars().count(), 100);
        assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
    }

    #[test]
    fn a_remote_becomes_a_connection_and_secrets_become_variables() {
        let remote = json!({"type": "streamable-http", "url": "https://mcp.example.com/mcp", "headers": [
            {"name": "X-Api-Key", "isRequired": true, "isSecret": true},
            {"name": "X-Region", "value": "eu"},
            {"name": "X-Trace", "isSecret": true},
        ]});
        let document = json!({"name": "com.example/Acme.Shop", "version": "2.0.0", "description": "Sells", "remotes": [
            {"type": "sse", "url": "https://mcp.example.com/sse"}, remote]});
        let (spec, variables) = proxy(&object(document), None).unwrap();
        assert_eq!((&spec["name"], &spec["version"]), (&json!("acme-shop"), &json!("2.0.0")));
        let wanted = json!({"name": "remote", "type": "mcp", "url": "https://mcp.example.com/mcp",
            "headers": {"X-Api-Key": "${env:MCP_REMOTE_ACME_SHOP_X_API_KEY}", "X-Region": "eu"}});
        assert_eq!(spec["connections"][0], wanted);
        assert_eq!(variables, ["MCP_REMOTE_ACME_SHOP_X_API_KEY"]);
        let cases = [
            json!({"name": "a/b"}),
            json!({"remotes": []}),
            json!({"name": "a/b", "remotes": [{"type": "sse"}]}),
            json!({"name": "a/b", "remotes": [{"type": "sse", "url": "https://{host}/sse"}]}),
        ];
        for bad in cases {
            assert!(proxy(&object(bad.clone()), None).is_err(), "{bad}");
        }
    }

    #[test]
    fn tools_whose_names_models_do_not_take_get_others_and_are_called_by_their_own() {
        let long = "x".repeat(70);
        let names = ["admin.tools/list", "admin_tools_list", "admin tools list", "search", &long, "été"];
        let tools = passed_on(names.map(|name| (name.to_owned(), None)));
        let words = |key: &str| tools.iter().map(|tool| tool[key].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(words("call"), names);
        let short = "x".repeat(64);
        let wanted = ["admin_tools_list_2", "admin_tools_list", "admin_tools_list_3", "search", &short, "_t_"];
        assert_eq!(words("name"), wanted);
        let spec = json!({"name": "shop", "connections": [{"name": "remote", "type": "mcp", "url": "https://mcp.example.com"}], "tools": tools});
        let text = crate::SpecText { name: "x".to_owned(), text: spec.to_string(), format: Some(super::Format::Json) };
        let parsed = text.parse(false).unwrap();
        assert_eq!(parsed.spec.tools.len(), 6);
    }
}
