//! An entry that is there already: whose it is, and what of it stays when it is written again.

use serde_json::{Map, Value};

use super::FILL_IN;
use super::entry::{Parts, Way};
use super::jsonc::{self, Fault};
use super::known::Place;
use super::toml;

/// How the files of programs that serve servers of ours begin.
const PROGRAMS: [&str; 2] = ["mcp-factory", "mcp-connect"];
/// Where an entry says how a server is reached.
const WAYS: [&str; 2] = ["command", "url"];

/// An entry in a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct There<'a> {
    pub(super) place: &'a Place,
    pub(super) document: &'a str,
    pub(super) name: &'a str,
}

impl There<'_> {
    /// A text of the entry.
    fn word(&self, key: &str) -> Option<String> {
        let found = match self.place.is_toml {
            true => toml::value(self.document, [self.place.section, self.name], key).ok()??,
            false => jsonc::value(self.document, &[self.place.section, self.name, key]).ok()??,
        };
        read(found)?.as_str().map(str::to_owned)
    }

    /// Whether it starts this program, or one of its name.
    pub(super) fn is_own(&self) -> bool {
        let Some(program) = self.word("command") else { return false };
        let file = program.rsplit(['/', '\\']).next().unwrap_or_default();
        PROGRAMS.iter().any(|own| file.starts_with(own))
            || std::env::current_exe().is_ok_and(|own| own.to_str() == Some(program.as_str()))
    }

    /// Whether it reaches a server of a control plane: it starts this program, or connects to such an address.
    pub(super) fn is_ours(&self) -> bool {
        let is_served = |url: String| url.contains("/servers/") && url.ends_with("/mcp");
        self.is_own() || self.word("url").is_some_and(is_served)
    }

    /// Whether it connects to where it is to connect.
    pub(super) fn is_at(&self, way: &Way) -> bool {
        matches!(way, Way::Url { url, .. } if self.word("url").as_ref() == Some(url))
    }

    /// The document in which the entry says what is to be written, and all else that it said before; nothing when it reaches
    /// its server in another way.
    pub(super) fn with(&self, parts: &Parts) -> Result<Option<String>, Fault> {
        let is_written = |key: &str| match parts {
            Parts::Json(members) => members.contains_key(key),
            Parts::Toml(keys) => keys.iter().any(|(one, _)| *one == key),
        };
        if WAYS.iter().any(|key| is_written(key) != self.word(key).is_some()) {
            return Ok(None);
        }
        match parts {
            Parts::Json(members) => self.with_members(members),
            Parts::Toml(keys) => self.with_keys(keys),
        }
        .map(Some)
    }

    fn with_members(&self, members: &Map<String, Value>) -> Result<String, Fault> {
        let entry = [self.place.section, self.name];
        let mut text = self.document.to_owned();
        for (key, value) in members {
            let path = [entry[0], entry[1], key.as_str()];
            let there = jsonc::value(&text, &path)?.map(str::to_owned);
            match (value, there) {
                (Value::Object(pairs), Some(there)) if there.starts_with('{') => {
                    for (inner, value) in pairs {
                        let known = jsonc::value(&text, &[path[0], path[1], path[2], inner])?;
                        // Values of variables are filled in by people.
                        let stays = known.is_some_and(|known| key == "env" || read(known).as_ref() == Some(value));
                        if !stays {
                            text = jsonc::put(&text, &path, inner, &value.to_string())?;
                        }
                    }
                }
                (value, Some(there)) if read(&there).as_ref() == Some(value) => {}
                (value, _) => {
                    let value = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
                    text = jsonc::put(&text, &entry, key, &value)?;
                }
            }
        }
        Ok(text)
    }

    fn with_keys(&self, keys: &[(&'static str, String)]) -> Result<String, Fault> {
        let table = [self.place.section, self.name];
        let mut text = self.document.to_owned();
        for (key, value) in keys {
            let written = toml::value(&text, table, key)?;
            let there = written.and_then(read);
            if let (Some(written), None, "env_vars") = (written, &there, *key) {
                let at = text.find(written).unwrap_or_default();
                return Err(Fault { at, why: "`env_vars` is not written as a plain list of \"NAMES\"".to_owned() });
            }
            let wanted = match (*key, &there, read(value)) {
                // Names of more variables were added by people.
                ("env_vars", Some(Value::Array(known)), Some(Value::Array(mut wanted))) => {
                    wanted.retain(|one| !known.contains(one));
                    let all: Vec<String> = known.iter().chain(&wanted).map(Value::to_string).collect();
                    format!("[{}]", all.join(", "))
                }
                _ => value.clone(),
            };
            if there.is_none() || there != read(&wanted) {
                text = toml::put(&text, table, key, &wanted)?;
            }
        }
        Ok(text)
    }

    /// The variables whose values somebody has to fill in.
    pub(super) fn left_open(&self, way: &Way) -> Vec<String> {
        let Way::Program { variables, .. } = way else { return Vec::new() };
        let is_open = |variable: &&String| {
            let path = [self.place.section, self.name, "env", variable.as_str()];
            let value = if self.place.is_toml { Ok(None) } else { jsonc::value(self.document, &path) };
            value.ok().flatten().and_then(read).is_some_and(|value| value == FILL_IN)
        };
        variables.iter().filter(is_open).cloned().collect()
    }
}

/// A value of JSON, or one of TOML that looks the same.
fn read(text: &str) -> Option<Value> {
    let literal = || text.strip_prefix('\'')?.strip_suffix('\'').filter(|inner| !inner.contains('\'')).map(Value::from);
    serde_json::from_str(text).ok().or_else(literal)
}
