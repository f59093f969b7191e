//! Which clients there are, and where their files are.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Code, Environment, Error};

/// An MCP client whose configuration can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// Claude Desktop.
    Claude,
    /// Claude Code.
    ClaudeCode,
    /// Cursor.
    Cursor,
    /// Codex.
    Codex,
    /// Visual Studio Code.
    Vscode,
}

/// Whom an entry is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everything that this account does with the client.
    #[default]
    User,
    /// The project in the folder.
    Project,
}

/// Where a client keeps its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The key, or the table, that the entries are in.
    pub section: &'static str,
    /// Whether the file is TOML; else JSON, with comments.
    pub is_toml: bool,
}

impl Client {
    /// Every client.
    pub const ALL: [Self; 5] = [Self::Claude, Self::ClaudeCode, Self::Cursor, Self::Codex, Self::Vscode];

    /// Its word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::ClaudeCode => "claude-code",
            Self::Cursor => "cursor",
            Self::Codex => "codex",
            Self::Vscode => "vscode",
        }
    }

    /// Its name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Claude => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::Cursor => "Cursor",
            Self::Codex => "Codex",
            Self::Vscode => "VS Code",
        }
    }

    /// Where its entries are, on this system and for this account; `folder` is the project's.
    ///
    /// # Errors
    /// It has no such scope; the variables that say where home is are not set.
    pub fn place(self, scope: Scope, environment: &Environment, folder: &Path) -> Result<Place, Error> {
        self.place_on(std::env::consts::OS, scope, environment, folder)
    }

    fn place_on(self, os: &str, scope: Scope, environment: &Environment, folder: &Path) -> Result<Place, Error> {
        let file = match scope {
            Scope::User => self.user_file(os, environment)?,
            Scope::Project => folder.join(match self {
                Self::Claude => {
                    return Err(Error::new(Code::Usage, "Claude Desktop has no configuration of a project")
                        .hint("leave `--scope` out, or choose `claude-code`"));
                }
                Self::ClaudeCode => ".mcp.json",
                Self::Cursor => ".cursor/mcp.json",
                Self::Codex => ".codex/config.toml",
                Self::Vscode => ".vscode/mcp.json",
            }),
        };
        let section = match self {
            Self::Claude | Self::ClaudeCode | Self::Cursor => "mcpServers",
            Self::Codex => "mcp_servers",
            Self::Vscode => "servers",
        };
        Ok(Place { file, section, is_toml: self == Self::Codex })
    }

    fn user_file(self, os: &str, environment: &Environment) -> Result<PathBuf, Error> {
        let own = |variable: &str| environment.get(variable).map(PathBuf::from);
        let home = || {
            let variable = if os == "windows" { "USERPROFILE" } else { "HOME" };
            own(variable).ok_or_else(|| {
                Error::new(Code::Usage, format!("the folder of {} is not known: {variable} is not set", self.title()))
                    .hint(format!("set {variable}, or use `--print` and put the lines there by hand"))
            })
        };
        // Where programs of the desktop keep their settings.
        let settings = || match os {
            "macos" => Ok(home()?.join("Library/Application Support")),
            "windows" => match own("APPDATA") {
                Some(folder) => Ok(folder),
                None => Ok(home()?.join("AppData/Roaming")),
            },
            _ => match own("XDG_CONFIG_HOME") {
                Some(folder) => Ok(folder),
                None => Ok::<_, Error>(home()?.join(".config")),
            },
        };
        Ok(match self {
            Self::Claude => settings()?.join("Claude/claude_desktop_config.json"),
            Self::ClaudeCode => match own("CLAUDE_CONFIG_DIR") {
                Some(folder) => folder.join(".claude.json"),
                None => home()?.join(".claude.json"),
            },
            Self::Cursor => home()?.join(".cursor/mcp.json"),
            Self::Codex => match own("CODEX_HOME") {
                Some(folder) => folder.join("config.toml"),
                None => home()?.join(".codex/config.toml"),
            },
            Self::Vscode => settings()?.join("Code/User/mcp.json"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Client, Scope};
    use crate::Environment;

    #[test]
    fn every_system_has_its_paths() {
        let environment = Environment::only([
            ("HOME".to_owned(), "/h".to_owned()),
            ("USERPROFILE".to_owned(), "/u".to_owned()),
            ("APPDATA".to_owned(), "/u/roaming".to_owned()),
        ]);
        let place = |client: Client, os: &str, scope| {
            client.place_on(os, scope, &environment, Path::new("/p")).unwrap().file.display().to_string()
        };
        for (client, os, file) in [
            (Client::Claude, "linux", "/h/.config/Claude/claude_desktop_config.json"),
            (Client::Claude, "macos", "/h/Library/Application Support/Claude/claude_desktop_config.json"),
            (Client::Claude, "windows", "/u/roaming/Claude/claude_desktop_config.json"),
            (Client::ClaudeCode, "linux", "/h/.claude.json"),
            (Client::Cursor, "windows", "/u/.cursor/mcp.json"),
            (Client::Codex, "linux", "/h/.codex/config.toml"),
            (Client::Vscode, "macos", "/h/Library/Application Support/Code/User/mcp.json"),
        ] {
            assert_eq!(place(client, os, Scope::User), file);
        }
        assert_eq!(place(Client::Vscode, "linux", Scope::Project), "/p/.vscode/mcp.json");
        assert!(Client::Claude.place_on("linux", Scope::Project, &environment, Path::new("/p")).is_err());
        let nowhere = Environment::only([]);
        assert!(Client::Cursor.place_on("linux", Scope::User, &nowhere, Path::new("/p")).is_err());
    }
}
