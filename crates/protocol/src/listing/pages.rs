//! Rendering the pages of a list.

use bytes::Bytes;
use serde_json::Value;

use super::{Kind, Listing, shapes};
use crate::json::push_string;
use crate::revision::Revision;

/// Every page of a list, each a complete result object.
pub(super) fn render(listing: &Listing, kind: Kind, revision: Revision, server_info: &[u8]) -> Vec<Bytes> {
    let entries: Vec<Value> = match kind {
        Kind::Tools => listing.tools.iter().map(|tool| shapes::tool(tool, revision)).collect(),
        Kind::Resources => listing.resources.iter().map(|resource| shapes::resource(resource, revision)).collect(),
        Kind::Templates => listing.templates.iter().map(|template| shapes::template(template, revision)).collect(),
        Kind::Prompts => listing.prompts.iter().map(|prompt| shapes::prompt(prompt, revision)).collect(),
    };
    let count = entries.len().div_ceil(listing.page_size).max(1);
    (0..count)
        .map(|page| {
            let start = page * listing.page_size;
            let end = entries.len().min(start + listing.page_size);
            let next = (page + 1 < count).then(|| listing.cursor(kind, page + 1));
            one(listing, kind, revision, &entries[start..end], next, server_info)
        })
        .collect()
}

fn one(
    listing: &Listing,
    kind: Kind,
    revision: Revision,
    entries: &[Value],
    next: Option<String>,
    server_info: &[u8],
) -> Bytes {
    let mut out = Vec::with_capacity(256 + entries.len() * 512);
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(match kind {
        Kind::Tools => b"tools".as_slice(),
        Kind::Resources => b"resources",
        Kind::Templates => b"resourceTemplates",
        Kind::Prompts => b"prompts",
    });
    out.extend_from_slice(b"\":");
    // Values built from definitions have string keys only, so this cannot fail.
    let _ = serde_json::to_writer(&mut out, entries);
    if let Some(next) = next {
        out.extend_from_slice(b",\"nextCursor\":");
        push_string(&mut out, &next);
    }
    if revision.is_modern() {
        out.extend_from_slice(b",\"resultType\":\"complete\",\"ttlMs\":");
        out.extend_from_slice(listing.ttl_ms.to_string().as_bytes());
        out.extend_from_slice(b",\"cacheScope\":\"");
        out.extend_from_slice(listing.scope.as_str().as_bytes());
        out.extend_from_slice(b"\",\"_meta\":{");
        out.extend_from_slice(server_info);
        out.push(b'}');
    }
    out.push(b'}');
    out.into()
}
