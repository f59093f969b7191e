//! Documents: fixed texts, and answers of tools under a URI.

use ahash::HashMap;
use std::sync::Arc;

use plan::Plan;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::context::CallContext;
use crate::outcome::{Content, Failure, Outcome};
use crate::toolset::{Toolset, given};
use crate::uri::UriTemplate;

/// A document, or a family of documents, as it is listed.
#[derive(Clone, Debug)]
pub struct Resource {
    /// URI, or URI template.
    pub uri: String,
    /// Name for programs.
    pub name: String,
    /// Name for people.
    pub title: Option<String>,
    /// What it holds.
    pub description: Option<String>,
    /// Media type.
    pub mime_type: String,
    /// Size of a fixed text, bytes.
    pub size: Option<usize>,
    /// Whether the spec says the media type; what a tool gives tells it otherwise.
    is_typed: bool,
    template: Option<UriTemplate>,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Text(Arc<str>),
    /// A tool by index, and the types of the URI's variables.
    Tool(usize, Vec<(Box<str>, Vec<Box<str>>)>),
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Media type.
    pub mime_type: String,
    /// Text, or Base64.
    pub text: Arc<str>,
    /// Whether it is Base64 of bytes.
    pub is_blob: bool,
}

/// Why nothing was read.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadError {
    /// There is no resource with this URI.
    NotFound,
    /// The tool behind it refused the variables of the URI, found nothing, or failed.
    Failed(Box<Failure>),
}

impl Resource {
    /// Whether the URI is a template.
    pub fn is_template(&self) -> bool {
        self.template.is_some()
    }

    /// The variables of the URI template.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.template.iter().flat_map(UriTemplate::variables)
    }

    /// The name of the tool behind it.
    pub fn tool_name<'a>(&self, toolset: &'a Toolset) -> Option<&'a str> {
        toolset.tools.get(self.tool()?).map(|tool| &*tool.info.name)
    }

    /// The tool behind it, by index.
    pub(crate) fn tool(&self) -> Option<usize> {
        match self.source {
            Source::Text(_) => None,
            Source::Tool(index, _) => Some(index),
        }
    }

    /// A tool's answer without a structured result: one file, picture or sound as what it is, anything else as text.
    fn content(&self, mut outcome: Outcome) -> Document {
        let (own, text, is_blob) = match (outcome.content.len(), outcome.content.first_mut()) {
            (1, Some(Content::Image { data, mime_type } | Content::Audio { data, mime_type })) => {
                (std::mem::take(mime_type), std::mem::take(data), true)
            }
            (1, Some(Content::Resource { mime_type, body, is_blob, .. })) => {
                (std::mem::take(mime_type), std::mem::take(body), *is_blob)
            }
            _ => ("text/plain".to_owned(), outcome.text(), false),
        };
        let mime_type = if self.is_typed || own.is_empty() { self.mime_type.clone() } else { own };
        Document { mime_type, text: text.into(), is_blob }
    }

    pub(crate) fn compile(
        resource: &spec::model::Resource,
        plan: &Plan,
        tools: &HashMap<Box<str>, usize>,
    ) -> Result<Self, String> {
        let template = Some(UriTemplate::parse(&resource.uri)).filter(|template| template.variables().next().is_some());
        let (source, natural) = match (&resource.tool, &resource.text) {
            (Some(name), _) => {
                let index = tools.get(name.as_str()).ok_or_else(|| {
                    format!("resource `{}` reads from tool `{name}`, which this spec does not have", resource.name)
                })?;
                let planned = plan.tools.iter().find(|tool| tool.tool == *name);
                let parameters = planned.map(|tool| tool.parameters.as_slice()).unwrap_or_default();
                let types = template.iter().flat_map(UriTemplate::variables).map(|variable| {
                    let parameter = parameters.iter().find(|parameter| parameter.name == variable);
                    let types =
                        parameter.filter(|parameter| !parameter.is_hidden()).map(given::types).ok_or_else(|| {
                            format!(
                                "resource `{}` has `{{{variable}}}`, but tool `{name}` has no such parameter",
                                resource.name
                            )
                        })?;
                    Ok((Box::from(variable), types))
                });
                (Source::Tool(*index, types.collect::<Result<_, String>>()?), "application/json")
            }
            (None, text) => (Source::Text(text.as_deref().unwrap_or_default().into()), "text/plain"),
        };
        Ok(Self {
            uri: resource.uri.clone(),
            name: resource.name.clone(),
            title: resource.title.clone(),
            description: resource.description.clone(),
            mime_type: resource.mime_type.clone().unwrap_or_else(|| natural.to_owned()),
            is_typed: resource.mime_type.is_some(),
            size: match &source {
                Source::Text(text) => Some(text.len()),
                Source::Tool(..) => None,
            },
            template,
            source,
        })
    }
}

impl Toolset {
    /// The resources and templates, in the order of the spec.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The resource of a URI, or the template of this URI or of one that fits it.
    pub fn resource(&self, uri: &str) -> Option<&Resource> {
        let same = self.resources.iter().find(|resource| resource.uri == uri);
        same.or_else(|| {
            self.resources
                .iter()
                .find(|resource| resource.template.as_ref().is_some_and(|one| one.matches(uri).is_some()))
        })
    }

    /// Reads a resource; a tool behind it is called under the same limits as any call.
    ///
    /// # Errors
    /// There is none with this URI, or its tool failed.
    pub async fn read(&self, context: &CallContext<'_>, uri: &str) -> Result<Document, ReadError> {
        let exact = self.resources.iter().find(|resource| !resource.is_template() && resource.uri == uri);
        if let Some(resource) = exact {
            return self.read_one(context, resource, Vec::new()).await;
        }
        let found = self.resources.iter().find_map(|resource| {
            let values = resource.template.as_ref()?.matches(uri)?;
            Some((resource, values))
        });
        let (resource, values) = found.ok_or(ReadError::NotFound)?;
        self.read_one(context, resource, values).await
    }

    async fn read_one(
        &self,
        context: &CallContext<'_>,
        resource: &Resource,
        values: Vec<(&str, String)>,
    ) -> Result<Document, ReadError> {
        let document = |text: Arc<str>| Document { mime_type: resource.mime_type.clone(), text, is_blob: false };
        let (index, types) = match &resource.source {
            Source::Text(text) => return Ok(document(text.clone())),
            Source::Tool(index, types) => (*index, types),
        };
        let arguments: Map<String, Value> = values
            .into_iter()
            .map(|(name, text)| {
                let types = types.iter().find(|(known, _)| **known == *name);
                (name.to_owned(), given::read(text, types.map(|(_, types)| types.as_slice()).unwrap_or_default()))
            })
            .collect();
        // An object of texts and numbers is always written, and the tool was there when this was compiled.
        let raw = RawValue::from_string(Value::Object(arguments).to_string()).map_err(|_| ReadError::NotFound)?;
        let tool = self.tools.get(index).ok_or(ReadError::NotFound)?;
        let outcome = self.call(context, &tool.info.name, Some(&raw)).await.map_err(|_| ReadError::NotFound)?;
        match outcome.failure {
            Some(failure) => Err(ReadError::Failed(Box::new(failure))),
            None => match &outcome.structured {
                Some(json) if outcome.echo => Ok(document(text_of(json, &resource.mime_type))),
                _ => Ok(resource.content(outcome)),
            },
        }
    }
}

/// A result as a document: JSON, unless it is a text and the document is not to be JSON.
pub(crate) fn text_of(json: &[u8], mime_type: &str) -> Arc<str> {
    match serde_json::from_slice::<String>(json) {
        Ok(text) if !mime_type.contains("json") => text.into(),
        _ => String::from_utf8_lossy(json).into(),
    }
}
