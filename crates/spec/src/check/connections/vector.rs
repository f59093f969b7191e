//! Tables of texts with vectors: the table's name, and an embedding that is whole.

use super::super::{Check, auth};
use super::references;
use crate::codes;
use crate::limits::VECTOR_NAME_MAX;
use crate::model::VectorStore;
use crate::structure::clip;
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>, store: &VectorStore, node: &Node) {
    let parts: Vec<&str> = store.table.split('.').collect();
    let is_name = |part: &&str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !part.is_empty() && part.len() <= VECTOR_NAME_MAX && part.chars().all(fits)
    };
    if parts.len() > 2 || !parts.iter().all(is_name) {
        let message = format!("`{}` is no name of a table", clip(&store.table));
        let help = "write letters, digits and `_`: `notes`, or with a schema `app.notes`";
        check.error(codes::VECTOR, node.span_of("table"), message, help);
    }
    let (Some(at), embedding) = (node.get("embedding"), &store.embedding) else { return };
    if check.is_damaged(at) {
        return;
    }
    let has_place = embedding.url.is_some() || embedding.env_var.is_some();
    if embedding.model.is_none() && (has_place || embedding.shortened || at.get("credentials").is_some()) {
        let message = "the embedding names an API and no model of it";
        check.error(codes::VECTOR, at.span, message, "add `model: text-embedding-3-small`, or remove the rest");
    }
    if embedding.model.is_some() && embedding.dimensions.is_none() {
        let message = "the embedding does not say how many numbers its vectors have";
        check.error(codes::VECTOR, at.span, message, "add `dimensions: 1536`, or as many as the model gives");
    }
    if embedding.url.is_some() && embedding.env_var.is_some() {
        let span = at.span_of("url");
        check.error(codes::CONNECTION_SOURCE, span, "the embedding has both `envVar` and `url`", "keep one of them");
    }
    if let (Some(variable), Some(at)) = (&embedding.env_var, at.get("envVar")) {
        auth::env_var(check, variable, at.span);
    }
    if let (Some(url), Some(at)) = (&embedding.url, at.get("url"))
        && !references(check, url, at.span)
        && !url.starts_with("${")
        && !(url.starts_with("https://") || url.starts_with("http://"))
    {
        let help = "write a URL such as `https://api.openai.com/v1`";
        check.error(codes::CONNECTION_URL, at.span, "the URL of the embedding is none of an HTTP API", help);
    }
}
