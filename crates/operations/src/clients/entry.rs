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

/// The entry as the client's file has it: pretty JSON, or a table of TOML with its header.
pub(super) fn text(client: Client, name: &str, way: &Way) -> Result<String, Error> {
    match client {
        Client::Codex => Ok(table(name, way)),
        _ => {
            let entry = object(client, way)?;
            serde_json::to_string_pretty(&entry)
                .map_err(|error| Error::new(Code::Internal, format!("an entry cannot be written: {error}")))
        }
    }
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

fn object(client: Client, way: &Way) -> Result<Value, Error> {
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
    Ok(entry.into())
}

fn table(name: &str, way: &Way) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let list = |all: &[String]| all.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(", ");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let name = if name.chars().all(plain) { name.to_owned() } else { quoted(name) };
    let mut text = format!("[mcp_servers.{name}]\n");
    match way {
        Way::Program { program, arguments, variables } => {
            text.push_str(&format!("command = {}\nargs = [{}]\n", quoted(program), list(arguments)));
            if !variables.is_empty() {
                text.push_str(&format!("env_vars = [{}]\n", list(variables)));
            }
        }
        Way::Url { url, key } => {
            text.push_str(&format!("url = {}\n", quoted(url)));
            match key {
                Some(KeyShown { header: None, variable }) => {
                    text.push_str(&format!("bearer_token_env_var = {}\n", quoted(variable)));
                }
                Some(KeyShown { header: Some(header), variable }) => {
                    text.push_str(&format!("env_http_headers = {{ {} = {} }}\n", quoted(header), quoted(variable)));
                }
                None => {}
            }
        }
    }
    text.trim_end().to_owned()
}
