//! Pages of HTML as Markdown: what a model reads of them.
//!
//! One pass over the tags, without a tree: broken pages give what can be read of them. Left out is what is no text of the page
//! (scripts, styles, forms' controls, hidden parts) and what stands around it (`nav`, `aside`, `footer`); of a page with a `main`,
//! or with one `article`, only that is read.

mod block;
mod entities;
mod tags;
mod write;

use std::borrow::Cow;

use url::Url;

use tags::{Tag, Tags};
use write::Writer;

/// Elements whose content is no text of a page.
const SILENT: [&str; 21] = [
    "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "canvas", "audio", "video", "select",
    "textarea", "button", "datalist", "dialog", "map", "nav", "aside", "footer", "title",
];

/// Elements whose end tag may be left out: where a hidden one ends is not known for sure, so it is shown.
const OPEN_ENDED: [&str; 14] =
    ["p", "li", "td", "th", "tr", "dd", "dt", "option", "tbody", "thead", "tfoot", "html", "body", "head"];

/// A page as Markdown. Links are completed by the URL of the page, where it is known.
pub(crate) fn markdown(html: &str, page: Option<&Url>) -> String {
    let base = base_of(html, page);
    let html = main_part(html);
    let mut writer = Writer::new(base.as_ref().or(page));
    let mut silent: Option<(String, usize)> = None;
    for tag in Tags::new(html) {
        if let Some((name, depth)) = &mut silent {
            match &tag {
                Tag::Start { name: other, is_void: false, .. } if *other == *name => *depth += 1,
                Tag::End { name: other } if *other == *name => *depth -= 1,
                _ => {}
            }
            if *depth == 0 {
                silent = None;
            }
            continue;
        }
        match tag {
            Tag::Text(text) => writer.text(&entities::decoded(text)),
            Tag::Start { name, is_void: false, attributes } if is_silent(&name, attributes) => {
                silent = Some((name, 1));
            }
            Tag::Start { name, attributes, .. } => writer.start(&name, attributes),
            Tag::End { name } => writer.end(&name),
        }
    }
    writer.finish()
}

/// A body as text, by its declared set of characters or as most pages without one are meant.
pub(crate) fn text_of<'a>(bytes: &'a [u8], media_type: &str) -> Cow<'a, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.strip_prefix('\u{feff}').unwrap_or(text).into();
    }
    let charset = media_type.to_ascii_lowercase();
    if charset.contains("charset=utf-8") || charset.contains("charset=\"utf-8") {
        return String::from_utf8_lossy(bytes);
    }
    bytes.iter().map(|byte| entities::windows_1252(*byte)).collect::<String>().into()
}

/// Whether a text is a page: by its media type, or by how it begins where there is none.
pub(crate) fn is_html(kind: &str, text: &str) -> bool {
    if !kind.is_empty() {
        return matches!(kind, "text/html" | "application/xhtml+xml");
    }
    let start: String = text.trim_start().chars().take(100).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.contains("<html")
}

fn is_silent(name: &str, attributes: &str) -> bool {
    SILENT.contains(&name) || (!attributes.is_empty() && !OPEN_ENDED.contains(&name) && tags::is_hidden(attributes))
}

/// What is inside `main`, or inside the only `article`; else the whole.
fn main_part(html: &str) -> &str {
    let mut articles = 0;
    let mut article = None;
    let mut open: Option<(&str, usize, usize)> = None;
    let mut tags = Tags::new(html);
    while let Some(tag) = tags.next() {
        match (&tag, &mut open) {
            (Tag::Start { name, attributes, .. }, None) if !tags::is_hidden(attributes) => {
                if name == "main" {
                    open = Some(("main", tags.place(), 1));
                } else if name == "article" {
                    open = Some(("article", tags.place(), 1));
                }
            }
            (Tag::Start { name, .. }, Some((known, _, depth))) if name == known => *depth += 1,
            // A `main` within an `article` is the better part.
            (Tag::Start { name, .. }, Some(("article", ..))) if name == "main" => {
                open = Some(("main", tags.place(), 1))
            }
            (Tag::End { name }, Some((known, start, depth))) if name == known => {
                *depth -= 1;
                if *depth == 0 {
                    let inside = &html[*start..tags.begin()];
                    if *known == "main" && has_text(inside) {
                        return inside;
                    }
                    articles += usize::from(*known == "article");
                    article = Some(inside);
                    open = None;
                }
            }
            _ => {}
        }
    }
    article.filter(|inside| articles == 1 && has_text(inside)).unwrap_or(html)
}

fn has_text(html: &str) -> bool {
    Tags::new(html).any(|tag| matches!(tag, Tag::Text(text) if !text.trim().is_empty()))
}

/// What `<base href>` says.
fn base_of(html: &str, page: Option<&Url>) -> Option<Url> {
    let tag = Tags::new(html).take(100).find_map(|tag| match tag {
        Tag::Start { name, attributes, .. } if name == "base" => tags::attribute(attributes, "href"),
        _ => None,
    })?;
    page.and_then(|page| page.join(&tag).ok()).or_else(|| Url::parse(&tag).ok())
}

#[cfg(test)]
mod tests;
