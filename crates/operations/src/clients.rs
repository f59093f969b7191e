//! The lines that make a client know a server, for the clients in common use: to be shown, or written into their files.

mod entry;
mod file;
mod jsonc;
mod known;
mod there;
mod toml;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

pub use entry::{KeyShown, Way};
pub use file::{Change, Changed, Listed, add, list, remove};
pub use known::{Client, Place, Scope};

/// How a client reaches the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The client starts a child process and talks over its standard input and output.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// Names of environment variables that the server needs.
        variables: Vec<String>,
    },
    /// The client connects to a URL.
    Url {
        /// The Streamable HTTP endpoint.
        url: String,
        /// Header that carries the key, with what stands before the key in its value.
        header: Option<(String, &'static str)>,
    },
}

/// What to put where, for one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snippet {
    /// The client.
    pub client: &'static str,
    /// File to put it into, or `shell` for a command.
    pub place: &'static str,
    /// The text.
    pub text: String,
}

/// What stands for a value that the user has to fill in.
const FILL_IN: &str = "<value>";
/// The variable in which `connect` finds the key.
const KEY_VARIABLE: &str = "MCP_FACTORY_KEY";

/// The lines for every client. No secret is written: where one is needed, a placeholder stands.
pub fn snippets(name: &str, reach: &Reach) -> Vec<Snippet> {
    vec![
        Snippet { client: "Claude Code", place: "shell", text: claude_code(name, reach) },
        Snippet {
            client: "Claude Desktop",
            place: "claude_desktop_config.json",
            text: pretty(&json!({ "mcpServers": { name: entry(&as_command(reach)) } })),
        },
        Snippet {
            client: "Cursor",
            place: ".cursor/mcp.json",
            text: pretty(&json!({ "mcpServers": { name: entry(reach) } })),
        },
        Snippet { client: "Codex", place: "~/.codex/config.toml", text: codex(name, reach) },
    ]
}

/// The same for a client whose file knows programs only: this program, which passes everything on to the URL.
fn as_command(reach: &Reach) -> Reach {
    let Reach::Url { url, header } = reach else { return reach.clone() };
    let mut arguments = vec!["connect".to_owned(), url.clone()];
    if let Some((header, _)) = header.as_ref().filter(|(_, before)| before.is_empty()) {
        arguments.extend(["--key-header".to_owned(), header.clone()]);
    }
    let variables = header.iter().map(|_| KEY_VARIABLE.to_owned()).collect();
    Reach::Command { program: "mcp-factory".to_owned(), arguments, variables }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn entry(reach: &Reach) -> Value {
    match reach {
        Reach::Command { program, arguments, variables } => {
            let mut entry = json!({ "command": program, "args": arguments });
            if !variables.is_empty() {
                let env: serde_json::Map<String, Value> =
                    variables.iter().map(|name| (name.clone(), FILL_IN.into())).collect();
                entry["env"] = Value::Object(env);
            }
            entry
        }
        Reach::Url { url, header } => {
            let mut entry = json!({ "type": "http", "url": url });
            if let Some((header, before)) = header {
                entry["headers"] = json!({ header: format!("{before}{FILL_IN}") });
            }
            entry
        }
    }
}

fn claude_code(name: &str, reach: &Reach) -> String {
    match reach {
        Reach::Command { program, arguments, variables } => {
            let variables: String = variables.iter().map(|name| format!(" --env {name}={FILL_IN}")).collect();
            let words: Vec<String> = std::iter::once(program).chain(arguments).map(|word| shell_word(word)).collect();
            format!("claude mcp add {name}{variables} -- {}", words.join(" "))
        }
        Reach::Url { url, header } => {
            let header = header
                .as_ref()
                .map(|(header, before)| format!(" --header \"{header}: {before}{FILL_IN}\""))
                .unwrap_or_default();
            format!("claude mcp add --transport http {name} {url}{header}")
        }
    }
}

fn codex(name: &str, reach: &Reach) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut text = format!("[mcp_servers.{name}]\n");
    match reach {
        Reach::Command { program, arguments, variables } => {
            text.push_str(&format!("command = {}\n", quoted(program)));
            text.push_str(&format!("args = {}\n", json!(arguments)));
            if !variables.is_empty() {
                let pairs: Vec<String> = variables.iter().map(|name| format!("{name} = {}", quoted(FILL_IN))).collect();
                text.push_str(&format!("env = {{ {} }}\n", pairs.join(", ")));
            }
        }
        Reach::Url { url, header } => {
            text.push_str(&format!("url = {}\n", quoted(url)));
            if let Some((header, before)) = header {
                let value = quoted(&format!("{before}{FILL_IN}"));
                text.push_str(&format!("http_headers = {{ {} = {value} }}\n", quoted(header)));
            }
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// A word as a POSIX shell reads it.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Reach, shell_word, snippets};

    #[test]
    fn every_client_gets_lines_that_parse_and_hold_no_secret() {
        let reach = Reach::Command {
            program: "/opt/my tools/mcp-factory".to_owned(),
            arguments: vec!["run".to_owned(), "shop".to_owned()],
            variables: vec!["DATABASE_URL".to_owned()],
        };
        let all = snippets("shop", &reach);
        for snippet in &all[1..3] {
            let value: serde_json::Value = serde_json::from_str(&snippet.text).unwrap();
            assert_eq!(value["mcpServers"]["shop"]["args"][1], "shop");
            assert_eq!(value["mcpServers"]["shop"]["env"]["DATABASE_URL"], "<value>");
        }
        assert_eq!(
            all[0].text,
            "claude mcp add shop --env DATABASE_URL=<value> -- '/opt/my tools/mcp-factory' run shop"
        );
        assert_eq!(
            all[3].text,
            "[mcp_servers.shop]\ncommand = \"/opt/my tools/mcp-factory\"\nargs = [\"run\",\"shop\"]\nenv = { DATABASE_URL = \"<value>\" }"
        );
    }

    #[test]
    fn a_url_carries_its_header() {
        let reach =
            Reach::Url { url: "http://127.0.0.1:8808/mcp".to_owned(), header: Some(("X-API-Key".to_owned(), "")) };
        let all = snippets("shop", &reach);
        assert!(all[0].text.ends_with("http://127.0.0.1:8808/mcp --header \"X-API-Key: <value>\""));
        let desktop: serde_json::Value = serde_json::from_str(&all[1].text).unwrap();
        let entry = &desktop["mcpServers"]["shop"];
        assert_eq!(
            entry["args"],
            serde_json::json!(["connect", "http://127.0.0.1:8808/mcp", "--key-header", "X-API-Key"])
        );
        assert_eq!(entry["env"]["MCP_FACTORY_KEY"], "<value>");
        let bearer =
            Reach::Url { url: "https://h/mcp".to_owned(), header: Some(("Authorization".to_owned(), "Bearer ")) };
        let desktop: serde_json::Value = serde_json::from_str(&snippets("shop", &bearer)[1].text).unwrap();
        assert_eq!(desktop["mcpServers"]["shop"]["args"], serde_json::json!(["connect", "https://h/mcp"]));
        assert!(all[3].text.contains("http_headers = { \"X-API-Key\" = \"<value>\" }"));
        assert_eq!(shell_word("it's"), "'it'\\''s'");
    }
}
