//! What an entry of a client says. No secret is written: a variable is named, in the way of the client.

use serde_json::{Map, Value, json};

use super::known::Client;
use crate::{Code, Error};

/// How a client reaches a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It starts a program.
    Program {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// Variables that it needs of the surroundings of the client.
        variables: Vec<String>,
    },
    /// It connects to a URL.
    Url {
        /// The Streamable HTTP endpoint.
        url: String,
        /// The key that it shows.
        key: Option<KeyShown>,
    },
}

/// A key that is shown in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyShown {
    /// The header; as a bearer token when absent.
    pub header: Option<String>,
    /// The variable that holds the key.
    pub variable: String,
}

/// What is written, part by part.
#[derive(Clone, Debug)]
pub(super) enum Parts {
    /// The members of an object.
    Json(Map<String, Value>),
    /// The keys of a table, with their values as they are written.
    Toml(Vec<(&'static str, String)>),
}

/// What is written for this client.
pub(super) fn parts(client: Client, way: &Way) -> Result<Parts, Error> {
    match client {
        Client::Codex => Ok(Parts::Toml(table(way))),
        _ => object(client, way).map(Parts::Json),
    }
}

impl Parts {
    /// The entry as the client's file has it: pretty JSON, or a table of TOML with its header.
    pub(super) fn text(&self, name: &str) -> Result<String, Error> {
        match self {
            Self::Toml(keys) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                let name = if name.chars().all(plain) { name.to_owned() } else { quoted(name) };
                let keys: String = keys.iter().map(|(key, value)| format!("\n{key} = {value}")).collect();
                Ok(format!("[mcp_servers.{name}]{keys}"))
            }
            Self::Json(members) => serde_json::to_string_pretty(members)
                .map_err(|error| Error::new(Code::Internal, format!("an entry cannot be written: {error}"))),
        }
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The value of a variable, as a client fills it in; `None` where it does not.
fn filled(client: Client, variable: &str) -> Option<String> {
    match client {
        Client::Claude => None,
        Client::ClaudeCode => Some(format!("${{{variable}}}")),
        Client::Cursor | Client::Vscode => Some(format!("${{env:{variable}}}")),
        Client::Codex => Some(variable.to_owned()),
    }
}

fn object(client: Client, way: &Way) -> Result<Map<String, Value>, Error> {
    let mut entry = Map::new();
    let typed = matches!(client, Client::ClaudeCode | Client::Vscode);
    match way {
        Way::Program { program, arguments, variables } => {
            if typed {
                entry.insert("type".to_owned(), "stdio".into());
            }
            entry.insert("command".to_owned(), program.as_str().into());
            entry.insert("args".to_owned(), json!(arguments));
            let pairs = variables.iter().map(|name| {
                (name.clone(), Value::from(filled(client, name).unwrap_or_else(|| super::FILL_IN.to_owned())))
            });
            let pairs: Map<String, Value> = pairs.collect();
            if !pairs.is_empty() {
                entry.insert("env".to_owned(), pairs.into());
            }
        }
        Way::Url { .. } if client == Client::Claude => {
            return Err(Error::new(Code::Usage, "the configuration file of Claude Desktop knows programs only")
                .hint("leave `--http` out: the program then connects to the URL"));
        }
        Way::Url { url, key } => {
            if typed {
                entry.insert("type".to_owned(), "http".into());
            }
            entry.insert("url".to_owned(), url.as_str().into());
            if let Some(KeyShown { header, variable }) = key {
                let value = filled(client, variable).unwrap_or_else(|| super::FILL_IN.to_owned());
                let pair = match header {
                    Some(header) => json!({ header: value }),
                    None => json!({ "Authorization": format!("Bearer {value}") }),
                };
                entry.insert("headers".to_owned(), pair);
            }
        }
    }
    Ok(entry)
}

fn table(way: &Way) -> Vec<(&'static str, String)> {
    let list = |all: &[String]| format!("[{}]", all.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(", "));
    match way {
        Way::Program { program, arguments, variables } => {
            let mut keys = vec![("command", quoted(program)), ("args", list(arguments))];
            if !variables.is_empty() {
                keys.push(("env_vars", list(variables)));
            }
            keys
        }
        Way::Url { url, key } => {
            let mut keys = vec![("url", quoted(url))];
            keys.extend(key.as_ref().map(|KeyShown { header, variable }| match header {
                None => ("bearer_token_env_var", quoted(variable)),
                Some(header) => ("env_http_headers", format!("{{ {} = {} }}", quoted(header), quoted(variable))),
            }));
            keys
        }
    }
}
