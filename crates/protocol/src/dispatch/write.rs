//! Results as each revision knows them, written straight into the answer.

use crate::json::{Json, push_raw, push_string};
use crate::revision::Revision;
use crate::service::{Content, PromptResult, ReadResult, ResourceContents, ToolResult};

/// A good guess of the written size, so that the buffer grows at most once.
pub(super) fn tool_size(result: &ToolResult) -> usize {
    let structured = result.structured.as_ref().map_or(0, |json| json.as_bytes().len());
    let blocks: usize = result.content.iter().map(|block| 64 + content_size(block)).sum();
    // The text form is the same bytes again, with quotes escaped.
    256 + blocks + structured * 2 + structured / 4
}

fn content_size(block: &Content) -> usize {
    match block {
        Content::Text(text) => text.len(),
        Content::Image { data, .. } | Content::Audio { data, .. } => data.len(),
        Content::Link { uri, .. } => uri.len() + 128,
        Content::Embedded(contents) => contents.body.len() + contents.uri.len(),
        Content::Raw(json) => json.as_bytes().len(),
    }
}

/// `CallToolResult`.
pub(super) fn tool(result: &ToolResult, revision: Revision, server_info: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"content\":[");
    let mut first = true;
    if let Some(structured) = result.structured.as_ref().filter(|_| result.text_from_structured) {
        out.extend_from_slice(b"{\"type\":\"text\",\"text\":");
        // The text of a text is the text itself, not the text in quotes.
        match structured.as_str() {
            text if text.starts_with('"') => push_raw(out, text.as_bytes()),
            other => push_string(out, other),
        }
        out.push(b'}');
        first = false;
    }
    for block in &result.content {
        if !first {
            out.push(b',');
        }
        first = false;
        content(block, revision, out);
    }
    out.push(b']');
    if let Some(structured) = result.structured.as_ref().filter(|_| revision.has_structured()) {
        out.extend_from_slice(b",\"structuredContent\":");
        if revision.has_any_structured() || structured.is_object() {
            push_raw(out, structured.as_bytes());
        } else {
            out.extend_from_slice(b"{\"result\":");
            push_raw(out, structured.as_bytes());
            out.push(b'}');
        }
    }
    if result.is_error {
        out.extend_from_slice(b",\"isError\":true");
    }
    finish(result.meta.as_ref(), revision, server_info, out);
}

/// `GetPromptResult`.
pub(super) fn prompt(result: &PromptResult, revision: Revision, server_info: &[u8], out: &mut Vec<u8>) {
    out.push(b'{');
    if let Some(description) = &result.description {
        out.extend_from_slice(b"\"description\":");
        push_string(out, description);
        out.push(b',');
    }
    out.extend_from_slice(b"\"messages\":[");
    for (index, message) in result.messages.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"role\":\"");
        out.extend_from_slice(message.role.as_str().as_bytes());
        out.extend_from_slice(b"\",\"content\":");
        content(&message.content, revision, out);
        out.push(b'}');
    }
    out.push(b']');
    finish(None, revision, server_info, out);
}

/// `ReadResourceResult`.
pub(super) fn read(result: &ReadResult, revision: Revision, server_info: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"contents\":[");
    for (index, contents) in result.contents.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        resource(contents, out);
    }
    out.push(b']');
    if revision.is_modern() {
        let hints = format!(",\"ttlMs\":{},\"cacheScope\":\"{}\"", result.ttl_ms, result.scope.as_str());
        out.extend_from_slice(hints.as_bytes());
    }
    finish(None, revision, server_info, out);
}

/// Closes a result object with the members that every result has.
fn finish(own: Option<&Json>, revision: Revision, server_info: &[u8], out: &mut Vec<u8>) {
    if revision.is_modern() {
        out.extend_from_slice(b",\"resultType\":\"complete\"");
        meta(own, server_info, out);
    } else if let Some(own) = own {
        out.extend_from_slice(b",\"_meta\":");
        push_raw(out, own.as_bytes());
    }
    out.push(b'}');
}

/// Appends `,"_meta":{…}` with the server's identity and the handler's own members.
pub(super) fn meta(own: Option<&Json>, server_info: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"_meta\":{");
    out.extend_from_slice(server_info);
    if let Some(members) = own.map(Json::members).filter(|members| !members.is_empty()) {
        out.push(b',');
        out.extend_from_slice(members);
    }
    out.push(b'}');
}

fn content(block: &Content, revision: Revision, out: &mut Vec<u8>) {
    match block {
        Content::Text(text) => text_block(text, out),
        Content::Image { data, mime_type } => media(b"image", data, mime_type, out),
        Content::Audio { data, mime_type } if revision.has_annotations() => media(b"audio", data, mime_type, out),
        Content::Audio { data, mime_type } => {
            text_block(&format!("[audio, {mime_type}, {} bytes as base64]", data.len()), out);
        }
        Content::Link { uri, name, description, mime_type } if revision.has_structured() => {
            out.extend_from_slice(b"{\"type\":\"resource_link\",\"uri\":");
            push_string(out, uri);
            member(out, "name", name);
            if let Some(description) = description {
                member(out, "description", description);
            }
            if let Some(mime_type) = mime_type {
                member(out, "mimeType", mime_type);
            }
            out.push(b'}');
        }
        Content::Link { uri, name, .. } => text_block(&format!("{name}: {uri}"), out),
        Content::Embedded(contents) => {
            out.extend_from_slice(b"{\"type\":\"resource\",\"resource\":");
            resource(contents, out);
            out.push(b'}');
        }
        Content::Raw(json) => push_raw(out, json.as_bytes()),
    }
}

fn text_block(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"text\",\"text\":");
    push_string(out, text);
    out.push(b'}');
}

fn media(kind: &[u8], data: &str, mime_type: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(kind);
    out.push(b'"');
    member(out, "data", data);
    member(out, "mimeType", mime_type);
    out.push(b'}');
}

fn resource(contents: &ResourceContents, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"uri\":");
    push_string(out, &contents.uri);
    if let Some(mime_type) = &contents.mime_type {
        member(out, "mimeType", mime_type);
    }
    member(out, if contents.is_blob { "blob" } else { "text" }, &contents.body);
    if let Some(meta) = &contents.meta {
        out.extend_from_slice(b",\"_meta\":");
        push_raw(out, meta.as_bytes());
    }
    out.push(b'}');
}

fn member(out: &mut Vec<u8>, key: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    push_string(out, value);
}
