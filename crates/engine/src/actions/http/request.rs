//! A request from the arguments of a call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use connect::http::{Body, Call, Events, Method, Part, PathTemplate, UrlTemplate};
use serde_json::{Map, Value};
use spec::expression::{Scope, Template, Tree};
use spec::model::{Http, HttpBody, HttpPart};

use super::super::part::{self, Fault, fixed_text, tree};
use crate::errors;
use crate::outcome::Failure;
use crate::toolset::Tool;

type Attempt<T> = Result<T, Box<Failure>>;

/// A request whose values are templates.
#[derive(Debug)]
pub(super) struct Request {
    method: Method,
    target: Target,
    query: Vec<(Box<str>, Tree)>,
    headers: Vec<(Box<str>, Tree)>,
    body: Option<Sent>,
    idempotent: Option<bool>,
    events: Option<Events>,
}

/// Where it goes.
#[derive(Debug)]
enum Target {
    Below(PathTemplate),
    Whole(UrlTemplate),
}

#[derive(Debug)]
enum Sent {
    Json(Tree),
    Form(Vec<(Box<str>, Tree)>),
    Multipart(Vec<Piece>),
    Text { text: Template, media_type: Box<str> },
    Bytes { base64: Template, media_type: Box<str> },
}

#[derive(Debug)]
struct Piece {
    name: Box<str>,
    value: Template,
    is_base64: bool,
    file_name: Option<Template>,
    media_type: Option<Template>,
}

fn fields(map: &Map<String, Value>) -> Result<Vec<(Box<str>, Tree)>, Fault> {
    map.iter().map(|(name, value)| Ok((name.as_str().into(), tree(value)?))).collect()
}

impl Request {
    pub(super) fn compile(action: &Http, events: Option<Events>) -> Result<Self, Fault> {
        Ok(Self {
            method: action.method.parse().map_err(|_| format!("`{}` is no method", action.method))?,
            target: match &action.url {
                Some(url) => Target::Whole(UrlTemplate::parse(url).map_err(|error| error.to_string())?),
                None => Target::Below(PathTemplate::parse(&action.path).map_err(|error| error.to_string())?),
            },
            query: fields(&action.query)?,
            headers: fields(&action.headers)?,
            body: action.body.as_ref().map(Sent::compile).transpose()?.flatten(),
            idempotent: action.idempotent,
            events,
        })
    }

    /// The request of one call.
    pub(super) fn fill(&self, tool: &Tool, arguments: &Map<String, Value>, scope: &Scope) -> Attempt<Call> {
        let names: Vec<&str> = match &self.target {
            Target::Below(path) => path.names().collect(),
            Target::Whole(url) => url.names(),
        };
        let known: Vec<(&str, String)> = names
            .into_iter()
            .filter_map(|name| Some((name, spec::expression::plain(arguments.get(name)?.clone())?)))
            .collect();
        let value = |name: &str| known.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        let method = self.method.clone();
        let call = match &self.target {
            Target::Below(path) => path.fill(value).map(|path| Call::new(method, path)),
            Target::Whole(url) => url.fill(value).map(|url| Call::whole(method, url)),
        };
        let mut call = call.map_err(|error| errors::value(tool, &error.to_string()))?;
        for (name, tree) in &self.query {
            let value = part::value(tool, &format!("query/{name}"), tree, scope)?;
            let texts = value.map(part::texts).unwrap_or_default();
            call.query.extend(texts.into_iter().map(|text| (name.to_string(), text)));
        }
        for (name, tree) in &self.headers {
            let value = part::value(tool, &format!("headers/{name}"), tree, scope)?;
            let texts = value.map(part::texts).unwrap_or_default();
            call.headers.extend(texts.into_iter().map(|text| (name.to_string(), text)));
        }
        if let Some(body) = &self.body {
            call.body = body.fill(tool, scope)?;
        }
        call.idempotent = self.idempotent;
        call.events.clone_from(&self.events);
        Ok(call)
    }
}

impl Sent {
    fn compile(body: &HttpBody) -> Result<Option<Self>, Fault> {
        let media_type = |natural: &str| body.media_type.as_deref().unwrap_or(natural).into();
        Ok(Some(match body {
            HttpBody { json: Some(value), .. } => Self::Json(tree(value)?),
            HttpBody { form: Some(form), .. } => Self::Form(fields(form)?),
            HttpBody { multipart: Some(parts), .. } => {
                Self::Multipart(parts.iter().map(Piece::compile).collect::<Result<_, _>>()?)
            }
            HttpBody { text: Some(text), .. } => {
                Self::Text { text: fixed_text(text)?, media_type: media_type("text/plain; charset=utf-8") }
            }
            HttpBody { base64: Some(text), .. } => {
                Self::Bytes { base64: fixed_text(text)?, media_type: media_type("application/octet-stream") }
            }
            _ => return Ok(None),
        }))
    }

    fn fill(&self, tool: &Tool, scope: &Scope) -> Attempt<Body> {
        Ok(match self {
            Self::Json(tree) => {
                let value = part::value(tool, "body/json", tree, scope)?;
                value.map_or(Body::None, |value| Body::Json(Bytes::from(value.to_string())))
            }
            Self::Form(fields) => {
                let mut form = Vec::new();
                for (name, tree) in fields {
                    let value = part::value(tool, &format!("body/form/{name}"), tree, scope)?;
                    let texts = value.map(part::texts).unwrap_or_default();
                    form.extend(texts.into_iter().map(|text| (name.to_string(), text)));
                }
                Body::Form(form)
            }
            Self::Multipart(pieces) => {
                let parts = pieces.iter().map(|piece| piece.fill(tool, scope)).collect::<Result<Vec<_>, _>>()?;
                Body::Multipart(parts.into_iter().flatten().collect())
            }
            Self::Text { text, media_type } => match part::text(tool, "body/text", text, scope)? {
                Some(text) => Body::Raw { content_type: media_type.to_string(), bytes: text.into() },
                None => Body::None,
            },
            Self::Bytes { base64, media_type } => match part::text(tool, "body/base64", base64, scope)? {
                Some(text) => Body::Raw { content_type: media_type.to_string(), bytes: decoded(tool, &text)? },
                None => Body::None,
            },
        })
    }
}

impl Piece {
    fn compile(part: &HttpPart) -> Result<Self, Fault> {
        let value = part.text.as_ref().or(part.base64.as_ref()).map(String::as_str).unwrap_or_default();
        Ok(Self {
            name: part.name.as_str().into(),
            value: fixed_text(value)?,
            is_base64: part.text.is_none(),
            file_name: part.file_name.as_deref().map(fixed_text).transpose()?,
            media_type: part.media_type.as_deref().map(fixed_text).transpose()?,
        })
    }

    fn fill(&self, tool: &Tool, scope: &Scope) -> Attempt<Option<Part>> {
        let what = format!("body/multipart/{}", self.name);
        let Some(text) = part::text(tool, &what, &self.value, scope)? else { return Ok(None) };
        let text_of = |text: &Option<Template>| -> Attempt<Option<String>> {
            Ok(text.as_ref().map(|text| part::text(tool, &what, text, scope)).transpose()?.flatten())
        };
        Ok(Some(Part {
            name: self.name.to_string(),
            file_name: text_of(&self.file_name)?,
            content_type: text_of(&self.media_type)?,
            bytes: if self.is_base64 { decoded(tool, &text)? } else { text.into() },
        }))
    }
}

fn decoded(tool: &Tool, text: &str) -> Attempt<Bytes> {
    let bytes = STANDARD.decode(text.trim());
    bytes.map(Bytes::from).map_err(|error| errors::value(tool, &format!("a value is no Base64: {error}")))
}
