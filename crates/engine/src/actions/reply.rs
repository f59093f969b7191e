//! The `reply` action: answers that the spec itself gives. One without templates is made once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};
use spec::expression::{Scope, Template, Tree};
use spec::model::{Reply, ReplyItem};

use super::part::{self, Fault, fixed_text, tree};
use super::scope;
use crate::context::CallContext;
use crate::errors;
use crate::outcome::{Content, Failure, Outcome};
use crate::shape;
use crate::toolset::{Action, Tool, Toolset};

type Attempt<T> = Result<T, Box<Failure>>;

/// An answer with templates.
#[derive(Debug)]
pub(crate) struct ReplyAction {
    json: Option<Tree>,
    items: Vec<Item>,
    /// Whether its text is the structured result too: there is an output schema.
    structured: bool,
}

#[derive(Debug)]
enum Item {
    Text(Template),
    Media { data: Template, kind: Template, is_image: bool },
    File { uri: Template, kind: Option<Template>, body: Template, is_blob: bool },
    Link { uri: Template, name: Template, kind: Option<Template> },
}

/// Compiles an answer. A text is a content block; where an output schema is known it is the structured result too.
pub(crate) fn compile(reply: &Reply, structured: bool) -> Result<Action, Fault> {
    let json = reply.json.as_ref().map(tree).transpose()?;
    let own = reply.item();
    let items = (own.keys() > 0).then_some(&own).into_iter().chain(&reply.content);
    let items = items.map(Item::compile).collect::<Result<Vec<_>, _>>()?;
    let is_fixed = json.as_ref().is_none_or(Tree::is_fixed)
        && own.templates().into_iter().chain(reply.content.iter().flat_map(ReplyItem::templates)).all(is_literal);
    let action = ReplyAction { json, items, structured: structured && reply.text.is_some() };
    if !is_fixed {
        return Ok(Action::Template(Box::new(action)));
    }
    let texts = |content: Content| match content {
        Content::Text(text) => Content::fixed(&text),
        other => other,
    };
    let empty = Scope::new();
    let content = action.items.iter().filter_map(|item| item.content("reply", &empty).transpose());
    let content = content.collect::<Result<Vec<_>, _>>().map_err(|missing| match missing {
        Missing::Template(place, fault) => format!("its template at `{place}` has no value: {fault}"),
        Missing::Base64(place) => format!("`{place}` is no Base64"),
    })?;
    let structured = match &reply.json {
        Some(json) => Some(Bytes::from(json.to_string())),
        None => reply.text.as_deref().filter(|_| structured).map(|text| Bytes::from(Value::from(text).to_string())),
    };
    let content: Vec<Content> = content.into_iter().map(texts).collect();
    let content = if content.is_empty() && structured.is_none() { vec![Content::fixed("")] } else { content };
    let echo = !content.iter().any(|content| matches!(content, Content::Block(_)));
    Ok(Action::Reply { structured, content: content.into(), echo })
}

fn is_literal((_, text): (&'static [&'static str], &str)) -> bool {
    !spec::expression::is_template(text)
}

/// Why an item has no content.
enum Missing {
    Template(String, spec::expression::Fault),
    Base64(String),
}

impl Item {
    fn compile(item: &ReplyItem) -> Result<Self, Fault> {
        let kind = |text: &Option<String>| text.as_deref().map(fixed_text).transpose();
        let media = [(&item.image, true), (&item.audio, false)];
        if let Some((media, is_image)) = media.iter().find_map(|(media, is_image)| Some((media.as_ref()?, *is_image))) {
            let (data, kind) = (fixed_text(&media.base64)?, fixed_text(&media.media_type)?);
            return Ok(Self::Media { data, kind, is_image });
        }
        if let Some(file) = &item.resource {
            let is_blob = file.text.is_none();
            let body = file.text.as_ref().or(file.base64.as_ref()).map(String::as_str).unwrap_or_default();
            let (uri, body) = (fixed_text(&file.uri)?, fixed_text(body)?);
            return Ok(Self::File { uri, kind: kind(&file.media_type)?, body, is_blob });
        }
        if let Some(link) = &item.link {
            let (uri, name) = (fixed_text(&link.uri)?, fixed_text(&link.name)?);
            return Ok(Self::Link { uri, name, kind: kind(&link.media_type)? });
        }
        Ok(Self::Text(fixed_text(item.text.as_deref().unwrap_or_default())?))
    }

    /// Its content; nothing when what it is made of is absent.
    fn content(&self, place: &str, scope: &Scope) -> Result<Option<Content>, Missing> {
        let text = |key: &str, template: &Template| {
            template.text(scope).map_err(|fault| Missing::Template(format!("{place}/{key}"), fault))
        };
        let optional = |key: &str, template: &Option<Template>| match template {
            Some(template) => text(key, template),
            None => Ok(None),
        };
        let base64 = |key: &str, data: &str| {
            let bytes = STANDARD.decode(data.trim()).map_err(|_| Missing::Base64(format!("{place}/{key}")))?;
            Ok(STANDARD.encode(bytes))
        };
        Ok(match self {
            Self::Text(template) => text("text", template)?.map(Content::Text),
            Self::Media { data, kind, is_image } => {
                let key = if *is_image { "image" } else { "audio" };
                let (Some(data), Some(mime_type)) = (text(key, data)?, text(key, kind)?) else { return Ok(None) };
                let data = base64(key, &data)?;
                Some(if *is_image { Content::Image { data, mime_type } } else { Content::Audio { data, mime_type } })
            }
            Self::File { uri, kind, body, is_blob } => {
                let (Some(uri), Some(body)) = (text("resource", uri)?, text("resource", body)?) else {
                    return Ok(None);
                };
                let natural = if *is_blob { "application/octet-stream" } else { "text/plain" };
                let mime_type = optional("resource", kind)?.unwrap_or_else(|| natural.to_owned());
                let body = if *is_blob { base64("resource", &body)? } else { body };
                Some(Content::Resource { uri, mime_type, body, is_blob: *is_blob })
            }
            Self::Link { uri, name, kind } => {
                let (Some(uri), Some(name)) = (text("link", uri)?, text("link", name)?) else { return Ok(None) };
                Some(Content::Link { uri, name, mime_type: optional("link", kind)? })
            }
        })
    }
}

impl Toolset {
    pub(crate) fn fill_reply(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &ReplyAction,
        arguments: &Map<String, Value>,
    ) -> Attempt<Outcome> {
        let scope = scope(context, arguments);
        let mut outcome = Outcome::default();
        if let Some(json) = &action.json {
            let value = part::value(tool, "reply/json", json, &scope)?.unwrap_or_default();
            let json = Bytes::from(value.to_string());
            shape::conforms(tool, &json)?;
            outcome = Outcome::structured(json);
        }
        for item in &action.items {
            let content = item.content("reply", &scope).map_err(|missing| match missing {
                Missing::Template(place, fault) => errors::template(tool, &place, &fault),
                Missing::Base64(place) => errors::value(tool, &format!("the value at `{place}` is no Base64")),
            })?;
            if let (true, Some(Content::Text(text))) = (action.structured, &content) {
                let json = Bytes::from(Value::from(text.as_str()).to_string());
                shape::conforms(tool, &json)?;
                outcome.structured = Some(json);
            }
            outcome.content.extend(content);
        }
        outcome.echo &= !outcome.content.iter().any(|content| matches!(content, Content::Text(_)));
        let (size, most) = (outcome.size(), self.result_bytes());
        if size > most {
            return Err(errors::too_many_bytes(tool, size, most));
        }
        Ok(outcome)
    }
}
