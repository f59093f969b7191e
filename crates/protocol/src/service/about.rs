//! What a server says about itself.

use serde_json::{Map, Value, json};
use shapes::{insert_icons, insert_some};

use crate::revision::Revision;

/// Identity and abilities of a server.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The name for programs.
    pub name: String,
    /// The version of the server.
    pub version: String,
    /// The name for people.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Where to read more.
    pub website_url: Option<String>,
    /// Pictures of it.
    pub icons: Vec<Icon>,
    /// Guidance for the model on how to use the server.
    pub instructions: Option<String>,
    /// What it offers.
    pub capabilities: Capabilities,
}

/// What a server offers. Methods of an area that is not offered answer "method not found".
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    /// Tools.
    pub tools: bool,
    /// Resources and templates.
    pub resources: bool,
    /// Clients may watch single resources.
    pub resource_subscriptions: bool,
    /// Prompts.
    pub prompts: bool,
    /// Argument completion.
    pub completions: bool,
    /// Log messages to clients of the session-based revisions.
    pub logging: bool,
    /// Log messages also to clients of 2026-07-28, which deprecates them.
    pub stateless_logging: bool,
    /// Changes of the lists are announced.
    pub list_changed: bool,
    /// The extension `io.modelcontextprotocol/tasks`.
    pub tasks: bool,
    /// Further extensions: identifier and settings object.
    pub extensions: Vec<(String, Value)>,
}

/// A picture of a server, tool, prompt or resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Icon {
    /// An `https:` or `data:` URI.
    pub src: String,
    /// The media type.
    pub mime_type: Option<String>,
    /// Such as `48x48` or `any`.
    pub sizes: Vec<String>,
    /// `light` or `dark`.
    pub theme: Option<String>,
}

/// The identifier of the tasks extension.
const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

impl About {
    /// A server of this name and version that offers nothing yet.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), ..Self::default() }
    }

    /// The `Implementation` object as this revision knows it.
    pub(crate) fn implementation(&self, revision: Revision) -> Value {
        let mut object = Map::new();
        object.insert("name".into(), self.name.clone().into());
        object.insert("version".into(), self.version.clone().into());
        if revision.has_structured() {
            insert_some(&mut object, "title", self.title.as_deref());
        }
        if revision.has_icons() {
            insert_some(&mut object, "description", self.description.as_deref());
            insert_some(&mut object, "websiteUrl", self.website_url.as_deref());
            insert_icons(&mut object, &self.icons);
        }
        Value::Object(object)
    }
}

impl Capabilities {
    /// The capabilities object as this revision knows it.
    pub(crate) fn declaration(&self, revision: Revision) -> Value {
        let mut object = Map::new();
        let listed = || if self.list_changed { json!({ "listChanged": true }) } else { json!({}) };
        if self.tools {
            object.insert("tools".into(), listed());
        }
        if self.prompts {
            object.insert("prompts".into(), listed());
        }
        if self.resources {
            let mut resources = listed();
            if self.resource_subscriptions {
                resources["subscribe"] = true.into();
            }
            object.insert("resources".into(), resources);
        }
        if self.completions && revision.has_completions_capability() {
            object.insert("completions".into(), json!({}));
        }
        if if revision.is_modern() { self.stateless_logging } else { self.logging } {
            object.insert("logging".into(), json!({}));
        }
        if revision.is_modern() {
            let mut extensions = Map::new();
            if self.tasks {
                extensions.insert(TASKS_EXTENSION.into(), json!({}));
            }
            extensions.extend(self.extensions.iter().cloned());
            if !extensions.is_empty() {
                object.insert("extensions".into(), extensions.into());
            }
        }
        Value::Object(object)
    }
}

/// Helpers for writing optional members.
pub(crate) mod shapes {
    use serde_json::{Map, Value};

    use super::Icon;

    pub(crate) fn insert_some(object: &mut Map<String, Value>, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            object.insert(key.into(), value.into());
        }
    }

    pub(crate) fn insert_icons(object: &mut Map<String, Value>, icons: &[Icon]) {
        if icons.is_empty() {
            return;
        }
        let icons = icons.iter().map(|icon| {
            let mut entry = Map::new();
            entry.insert("src".into(), icon.src.clone().into());
            insert_some(&mut entry, "mimeType", icon.mime_type.as_deref());
            if !icon.sizes.is_empty() {
                entry.insert("sizes".into(), icon.sizes.clone().into());
            }
            insert_some(&mut entry, "theme", icon.theme.as_deref());
            Value::Object(entry)
        });
        object.insert("icons".into(), icons.collect::<Vec<_>>().into());
    }
}
