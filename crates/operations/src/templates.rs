//! Specs to start from, which this program carries.

mod fill;

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::Format;
use crate::{Code, Error, SpecText};

pub use fill::fill;

/// The files of the templates.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../examples/", $name, ".yaml")))),*]
    };
}

const FILES: [(&str, &str); 20] = files![
    "combined",
    "command",
    "filesystem",
    "github",
    "graphql",
    "grpc",
    "hello",
    "hr",
    "inventory-full",
    "inventory-mcp",
    "library",
    "mail",
    "mongodb",
    "notes",
    "notes-search",
    "object-store",
    "redis",
    "slack",
    "steps",
    "stock-report"
];

/// What people call the usual template of a kind, as S3-20 and S3-40 do.
const KINDS: [(&str, &str); 7] = [
    ("ai", "notes-search"),
    ("api", "github"),
    ("communication", "slack"),
    ("custom", "hello"),
    ("database", "inventory-full"),
    ("devops", "github"),
    ("files", "filesystem"),
];

/// Which part of the list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListInput {}

/// The templates, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListOutput {
    /// The templates.
    pub templates: Vec<Entry>,
}

/// A template in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Name of the template.
    pub name: String,
    /// What it is an example of.
    pub description: String,
    /// Types of its connections.
    pub connections: Vec<String>,
    /// Names of its tools.
    pub tools: Vec<String>,
}

/// Which template.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetInput {
    /// Name of the template, or its kind: `database`, `api`, `files`, `communication`, `devops`, `ai` or `custom`.
    pub name: String,
}

/// A template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// Name of the template.
    pub name: String,
    /// What it is an example of.
    pub description: String,
    /// The spec, YAML. Its comments say what it needs.
    pub spec: String,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| FILES.iter().map(|(name, text)| entry(name, text)).collect());

/// The templates, by name.
pub fn list() -> ListOutput {
    ListOutput { templates: ENTRIES.clone() }
}

/// A template, by its name or its kind.
///
/// # Errors
/// There is none of this name.
pub fn get(name: &str) -> Result<Template, Error> {
    let name = KINDS.iter().find(|(kind, _)| *kind == name).map_or(name, |(_, usual)| *usual);
    let found = FILES.iter().zip(ENTRIES.iter()).find(|((known, _), _)| *known == name);
    if let Some(((name, text), entry)) = found {
        let (name, spec) = ((*name).to_owned(), (*text).to_owned());
        return Ok(Template { name, description: entry.description.clone(), spec });
    }
    let mut error = Error::new(Code::NoTemplate, format!("there is no template `{name}`"));
    if let Some(near) = base::nearest(name, FILES.iter().chain(&KINDS).map(|(known, _)| *known)) {
        error = error.hint(format!("did you mean `{near}`?"));
    }
    Err(error.hint("`mcp-factory templates` and `GET /mcp/templates` list them"))
}

fn entry(name: &str, text: &str) -> Entry {
    let source = SpecText { name: name.to_owned(), text: text.to_owned(), format: Some(Format::Yaml) };
    let spec = source.parse(false).ok().map(|parsed| parsed.spec);
    let mut connections: Vec<String> = spec
        .iter()
        .flat_map(|spec| &spec.connections)
        .map(|connection| connection.kind().as_str().to_owned())
        .collect();
    connections.sort();
    connections.dedup();
    Entry {
        name: name.to_owned(),
        description: match (about(text), &spec) {
            (about, Some(spec)) if about.is_empty() => {
                let tools: Vec<&str> = spec.tools.iter().map(|tool| tool.name.as_str()).collect();
                format!("A server with the tools {}.", tools.join(", "))
            }
            (about, _) => about,
        },
        connections,
        tools: spec.iter().flat_map(|spec| &spec.tools).map(|tool| tool.name.clone()).collect(),
    }
}

/// The comment at the head of a spec, up to its first empty line.
fn about(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{FILES, KINDS, get, list};

    #[test]
    fn every_template_says_what_it_is_and_can_be_used() {
        let all = list().templates;
        assert_eq!(all.len(), FILES.len());
        for entry in all {
            assert!(entry.description.len() > 10, "{entry:?}");
            assert!(!entry.tools.is_empty(), "{} is no usable spec", entry.name);
            assert!(get(&entry.name).unwrap().spec.contains("tools:"), "{}", entry.name);
        }
        for (kind, usual) in KINDS {
            assert_eq!(get(kind).unwrap().name, usual);
            assert!(FILES.iter().all(|(name, _)| *name != kind));
        }
        assert!(get("helo").unwrap_err().hints[0].contains("hello"));
    }
}
