//! Characters that a person cannot see but a model can read: a way to hide instructions.

use base::Diagnostic;

use crate::codes;
use crate::report::Report;
use crate::syntax::{Lines, Node, Value, align};

/// Reports every text and key that holds a hidden character.
pub(crate) fn hidden_characters(tree: &Node, lines: &Lines<'_>, report: &mut Report) {
    if report.is_full() {
        return; // Hundreds were reported; looking for more places would only take time.
    }
    match &tree.value {
        Value::String(text, _) => {
            if let Some((offset, found)) = text.char_indices().find(|(_, c)| is_hidden(*c)) {
                let place = align::place(lines, tree, offset, found.len_utf8());
                report.push(hidden(found, place));
            }
        }
        Value::List(items) => items.iter().for_each(|item| hidden_characters(item, lines, report)),
        Value::Map(entries) => {
            for entry in entries {
                if let Some(found) = entry.key.text.chars().find(|c| is_hidden(*c)) {
                    report.push(hidden(found, entry.key.span));
                }
                hidden_characters(&entry.value, lines, report);
            }
        }
        _ => {}
    }
}

fn hidden(found: char, span: base::Span) -> Diagnostic {
    let message = format!("the text holds the hidden character U+{:04X} ({})", u32::from(found), kind(found));
    Diagnostic::error(codes::HIDDEN_CHARACTER, message)
        .at(span)
        .help("remove it; people who read this text cannot see it")
}

/// Controls (tab and line breaks apart), text direction controls, zero-width characters that join
/// nothing, variation selectors beyond emoji's, and the tag block.
fn is_hidden(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => false,
        '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{00ad}' | '\u{180e}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' => true,
        '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' => true,
        other => other.is_control(),
    }
}

fn kind(character: char) -> &'static str {
    match character {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' => {
            "a text direction control"
        }
        '\u{e0000}'..='\u{e007f}' => "a tag character",
        '\u{e000}'..='\u{f8ff}' => "a private use character",
        '\u{2028}' | '\u{2029}' => "a line separator",
        other if other.is_control() => "a control character",
        _ => "an invisible character",
    }
}
