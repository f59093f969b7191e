//! What a client says about itself.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// Something that a client may be able to do for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Let the user fill in a form.
    Elicitation,
    /// Send the user to a page.
    ElicitationUrl,
    /// Let its model write a message.
    Sampling,
    /// Tell its root folders.
    Roots,
    /// The tasks extension.
    Tasks,
}

impl Capability {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Elicitation => "elicitation",
            Self::ElicitationUrl => "elicitation.url",
            Self::Sampling => "sampling",
            Self::Roots => "roots",
            Self::Tasks => "extensions[\"io.modelcontextprotocol/tasks\"]",
        }
    }

    /// The `ClientCapabilities` object that declares it.
    pub(crate) fn declaration(self) -> Value {
        match self {
            Self::Elicitation => json!({ "elicitation": {} }),
            Self::ElicitationUrl => json!({ "elicitation": { "url": {} } }),
            Self::Sampling => json!({ "sampling": {} }),
            Self::Roots => json!({ "roots": {} }),
            Self::Tasks => json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } }),
        }
    }
}

/// Name and version of a client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ClientInfo {
    /// The name for programs.
    #[serde(default)]
    pub name: String,
    /// The name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// The version.
    #[serde(default)]
    pub version: String,
}

/// Declared capabilities, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u8);

#[derive(Deserialize, Default)]
struct Declared {
    sampling: Option<IgnoredAny>,
    roots: Option<IgnoredAny>,
    elicitation: Option<Elicitation>,
    extensions: Option<Extensions>,
}

#[derive(Deserialize)]
struct Elicitation {
    form: Option<IgnoredAny>,
    url: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Extensions {
    #[serde(rename = "io.modelcontextprotocol/tasks")]
    tasks: Option<IgnoredAny>,
}

impl Flags {
    pub(crate) fn parse(capabilities: &[u8]) -> Self {
        let declared: Declared = serde_json::from_slice(capabilities).unwrap_or_default();
        let mut flags = Self(0);
        flags.set(Capability::Sampling, declared.sampling.is_some());
        flags.set(Capability::Roots, declared.roots.is_some());
        flags.set(Capability::Tasks, declared.extensions.is_some_and(|extensions| extensions.tasks.is_some()));
        if let Some(elicitation) = declared.elicitation {
            // An empty object means forms (2025-11-25, elicitation).
            flags.set(Capability::Elicitation, elicitation.form.is_some() || elicitation.url.is_none());
            flags.set(Capability::ElicitationUrl, elicitation.url.is_some());
        }
        flags
    }

    pub(crate) fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u8) != 0
    }

    fn set(&mut self, capability: Capability, on: bool) {
        self.0 |= u8::from(on) << capability as u8;
    }
}

/// A client of one stateless request: its own words, read only when somebody wants to know.
#[derive(Clone, Debug)]
pub(crate) struct SharedClient(Arc<Client>);

#[derive(Debug)]
struct Client {
    info: Option<Bytes>,
    capabilities: Bytes,
    flags: OnceLock<Flags>,
}

impl SharedClient {
    pub(crate) fn new(info: Option<Bytes>, capabilities: Bytes) -> Self {
        Self(Arc::new(Client { info, capabilities, flags: OnceLock::new() }))
    }

    pub(crate) fn flags(&self) -> Flags {
        *self.0.flags.get_or_init(|| Flags::parse(&self.0.capabilities))
    }

    pub(crate) fn info(&self) -> Option<ClientInfo> {
        serde_json::from_slice(self.0.info.as_deref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Capability, Flags};

    #[test]
    fn declared_capabilities_are_found() {
        let flags = Flags::parse(br#"{"elicitation":{},"sampling":{"tools":{}}}"#);
        assert!(flags.has(Capability::Elicitation) && flags.has(Capability::Sampling));
        assert!(
            !flags.has(Capability::ElicitationUrl) && !flags.has(Capability::Roots) && !flags.has(Capability::Tasks)
        );
        let flags = Flags::parse(br#"{"elicitation":{"url":{}},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#);
        assert!(flags.has(Capability::ElicitationUrl) && flags.has(Capability::Tasks));
        assert!(!flags.has(Capability::Elicitation));
        assert_eq!(Flags::parse(b"[1]"), Flags::default());
    }
}
