//! The XML of S3: small trees of elements and texts.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Most elements within each other.
const DEPTH_MAX: usize = 16;

/// An element.
#[derive(Debug, Default)]
pub(in crate::files) struct Element {
    pub(in crate::files) name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The text of the first child of this name; empty when there is none.
    pub(in crate::files) fn text(&self, name: &str) -> &str {
        self.children.iter().find(|child| child.name == name).map(|child| child.text.as_str()).unwrap_or_default()
    }

    /// The children of this name.
    pub(in crate::files) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a document. Its own entities are not known, so there is nothing that could swell.
pub(in crate::files) fn parse(bytes: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the answer is not UTF-8")?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|error| format!("the answer is no XML: {error}"))?;
        match event {
            Event::Start(start) => {
                if open.len() > DEPTH_MAX {
                    return Err("the answer is nested too deeply".to_owned());
                }
                open.push(Element { name: start.local_name().as_ref().to_owned(), ..Element::default() });
            }
            Event::Empty(start) => {
                let child = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
                open.last_mut().ok_or(UNBALANCED)?.children.push(child);
            }
            Event::End(_) => {
                let done = open.pop().ok_or(UNBALANCED)?;
                open.last_mut().ok_or(UNBALANCED)?.children.push(done);
            }
            Event::Text(text) => {
                open.last_mut().ok_or(UNBALANCED)?.text.push_str(text.as_ref());
            }
            Event::CData(text) => {
                open.last_mut().ok_or(UNBALANCED)?.text.push_str(text.as_ref());
            }
            Event::GeneralRef(reference) => {
                let c = match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    Some(c) => c,
                    None => match reference.as_ref() {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        "quot" => '"',
                        "apos" => '\'',
                        _ => return Err("the answer holds an unknown entity".to_owned()),
                    },
                };
                open.last_mut().ok_or(UNBALANCED)?.text.push(c);
            }
            Event::DocType(_) => return Err("the answer declares a document type".to_owned()),
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    if open.len() != 1 {
        return Err(UNBALANCED.to_owned());
    }
    let root = open.pop().and_then(|mut top| top.children.pop());
    root.ok_or_else(|| "the answer is empty".to_owned())
}

const UNBALANCED: &str = "the answer is no complete XML";

/// A text for a document.
pub(in crate::files) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
