//! Changes one entry of a JSON document with comments, and keeps every other byte.

mod scan;

use scan::{Member, Node};

/// Why a document is not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where, as a byte of the text.
    pub(super) at: usize,
    pub(super) why: String,
}

/// The entries of a section: their names, with their texts.
pub(super) fn entries<'a>(text: &'a str, section: &str) -> Result<Vec<(String, &'a str)>, Fault> {
    let root = scan::read(text)?;
    let Some(found) = section_of(&root, section)? else { return Ok(Vec::new()) };
    Ok(found.1.iter().map(|member| (member.name.clone(), &text[member.value.span()])).collect())
}

/// The document with this entry in the section. `entry` is pretty JSON with two spaces for a level.
pub(super) fn set(text: &str, section: &str, name: &str, entry: &str) -> Result<String, Fault> {
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        let entry = shifted(entry, "  ", "    ", "\n");
        return Ok(format!("{{\n  {}: {{\n    {}: {entry}\n  }}\n}}\n", quoted(section), quoted(name)));
    }
    let root = scan::read(text)?;
    let style = Style::of(text, &root);
    let Node::Object { members: all, .. } = &root else {
        return Err(Fault { at: root.span().start, why: "the document is no object".to_owned() });
    };
    let Some((node, members)) = section_of(&root, section)? else {
        let inner = style.member(text, all, 1);
        let below = format!("{inner}{}", style.unit);
        let entry = shifted(entry, &style.unit, &below, style.line);
        let line = style.line;
        let value = format!("{{{line}{below}{}: {entry}{line}{inner}}}", quoted(name));
        return Ok(insert(text, &root, all, &inner, &style, &format!("{}: {value}", quoted(section))));
    };
    Ok(put_member(text, (node, members), 2, &style, name, entry))
}

/// The text of a value; nothing when it is not there.
pub(super) fn value<'a>(text: &'a str, path: &[&str]) -> Result<Option<&'a str>, Fault> {
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Ok(None);
    }
    let root = scan::read(text)?;
    Ok(find(&root, path).map(|node| &text[node.span()]))
}

/// The document with this member in an object that is there. `value` is pretty JSON with two spaces for a level.
pub(super) fn put(text: &str, path: &[&str], name: &str, value: &str) -> Result<String, Fault> {
    let root = scan::read(text)?;
    let Some(node @ Node::Object { members, .. }) = find(&root, path) else {
        return Err(Fault { at: root.span().start, why: format!("`{}` is no object", path.join("/")) });
    };
    Ok(put_member(text, (node, members), path.len() + 1, &Style::of(text, &root), name, value))
}

fn find<'a>(root: &'a Node, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(root, |node, name| match node {
        Node::Object { members, .. } => members.iter().rfind(|member| member.name == *name).map(|member| &member.value),
        Node::Other { .. } => None,
    })
}

/// Puts a member that is there in another form, or behind the last one.
fn put_member(
    text: &str,
    (node, members): (&Node, &[Member]),
    level: usize,
    style: &Style,
    name: &str,
    value: &str,
) -> String {
    let indent = style.member(text, members, level);
    let value = shifted(value, &style.unit, &indent, style.line);
    match members.iter().rfind(|member| member.name == name) {
        Some(known) => {
            let span = known.value.span();
            format!("{}{value}{}", &text[..span.start], &text[span.end..])
        }
        None => insert(text, node, members, &indent, style, &format!("{}: {value}", quoted(name))),
    }
}

/// The document without this entry of the section; nothing when it is not there.
pub(super) fn remove(text: &str, section: &str, name: &str) -> Result<Option<String>, Fault> {
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Ok(None);
    }
    let root = scan::read(text)?;
    let Some((node, members)) = section_of(&root, section)? else { return Ok(None) };
    let Some(nth) = members.iter().rposition(|member| member.name == name) else { return Ok(None) };
    let member = &members[nth];
    let before = text[..member.start].trim_end().len();
    let end = member.value.span().end;
    let (from, to) = match (members.get(nth + 1), nth.checked_sub(1).map(|nth| &members[nth])) {
        // Its own comma goes with it.
        (Some(_), _) => (before, member.comma.map_or(end, |comma| comma + 1)),
        // The last one takes the comma before it along, unless it had one itself.
        (None, Some(last)) => match (member.comma, last.comma) {
            (Some(comma), _) => (before, comma + 1),
            (None, Some(comma)) => {
                let kept = format!("{}{}{}", &text[..comma], &text[comma + 1..before], &text[end..]);
                return Ok(Some(kept));
            }
            (None, None) => (before, end),
        },
        // The only one: an object with nothing but spaces in it is closed up.
        (None, None) => {
            let end = member.comma.map_or(end, |comma| comma + 1);
            let span = node.span();
            let rest = &text[end..span.end - 1];
            (before, if rest.trim().is_empty() { span.end - 1 } else { end })
        }
    };
    Ok(Some(format!("{}{}", &text[..from], &text[to..])))
}

/// The object of a section; nothing when it is not there.
fn section_of<'a>(root: &'a Node, section: &str) -> Result<Option<(&'a Node, &'a [Member])>, Fault> {
    let Node::Object { members, .. } = root else {
        return Err(Fault { at: root.span().start, why: "the document is no object".to_owned() });
    };
    let Some(found) = members.iter().rfind(|member| member.name == section) else { return Ok(None) };
    match &found.value {
        node @ Node::Object { members, .. } => Ok(Some((node, members))),
        other => Err(Fault { at: other.span().start, why: format!("`{section}` is no object") }),
    }
}

/// Puts a member behind the last one.
fn insert(text: &str, node: &Node, members: &[Member], indent: &str, style: &Style, member: &str) -> String {
    let close = node.span().end - 1;
    let line = style.line;
    let (comma, from) = match members.last() {
        None => (None, node.span().start + 1),
        Some(last) => match last.comma {
            Some(comma) => (None, comma + 1),
            None => (Some(last.value.span().end), last.value.span().end),
        },
    };
    let rest = &text[from..close];
    let kept = rest.trim_end();
    let after = match rest[kept.len()..].contains('\n') {
        true => rest[kept.len()..].to_owned(),
        false => format!("{line}{}", style.outer(text, node)),
    };
    let (comma, trailing) = match (comma, members.is_empty()) {
        (Some(_), _) => (",", ""),
        // Whoever ends the last member with a comma goes on doing so.
        (None, false) => ("", ","),
        (None, true) => ("", ""),
    };
    format!("{}{comma}{kept}{line}{indent}{member}{trailing}{after}{}", &text[..from], &text[close..])
}

/// How a document is written.
struct Style {
    /// One level.
    unit: String,
    line: &'static str,
}

impl Style {
    fn of(text: &str, root: &Node) -> Self {
        let line = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let first = match root {
            Node::Object { members, .. } => members.first().and_then(|member| indent_of(text, member.start)),
            Node::Other { .. } => None,
        };
        let unit = first.filter(|indent| !indent.is_empty()).unwrap_or("  ").to_owned();
        Self { unit, line }
    }

    /// What stands before the members of an object at this level.
    fn member(&self, text: &str, members: &[Member], level: usize) -> String {
        let own = members.last().and_then(|member| indent_of(text, member.start));
        own.map_or_else(|| self.unit.repeat(level), str::to_owned)
    }

    /// What stands before the brace that closes an object.
    fn outer(&self, text: &str, node: &Node) -> String {
        let start = node.span().start;
        let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let own = text[line..].trim_start_matches([' ', '\t', '\u{feff}']);
        text[line..text.len() - own.len()].trim_start_matches('\u{feff}').to_owned()
    }
}

/// The spaces before a place that is the first of its line.
fn indent_of(text: &str, at: usize) -> Option<&str> {
    let line = text[..at].rfind('\n')? + 1;
    let before = &text[line..at];
    before.bytes().all(|byte| matches!(byte, b' ' | b'\t')).then_some(before)
}

/// Pretty JSON with two spaces for a level, as it is written below `indent`.
fn shifted(entry: &str, unit: &str, indent: &str, line: &str) -> String {
    let lines = entry.lines().enumerate().map(|(nth, text)| {
        let rest = text.trim_start_matches(' ');
        let level = (text.len() - rest.len()) / 2;
        match nth {
            0 => text.to_owned(),
            _ => format!("{indent}{}{rest}", unit.repeat(level)),
        }
    });
    lines.collect::<Vec<_>>().join(line)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::{entries, remove, set};

    const ENTRY: &str = "{\n  \"command\": \"x\",\n  \"args\": [\n    \"a\"\n  ]\n}";

    /// Documents, and what is to be in them after an entry was put into them.
    const CASES: &[(&str, &str)] = &[
        (
            "{\n  // mine\n  \"theme\": \"dark\", // kept\n  \"mcpServers\": {\n    \"other\": {\"command\": \"o\"} // there\n  }\n}\n",
            "\"other\": {\"command\": \"o\"}, // there\n    \"shop\": {\n      \"command\": \"x\"",
        ),
        ("{\"mcpServers\":{\"a\":1}}", "\"a\":1,\n    \"shop\": {\n      \"command\""),
        ("{\n\t\"mcpServers\": {\n\t\t\"a\": {},\n\t},\n}\n", "\"a\": {},\n\t\t\"shop\": {\n\t\t\t\"command\""),
        (
            "\u{feff}{\r\n    \"mcpServers\": {\r\n        \"a\": 1\r\n    }\r\n}",
            "\"a\": 1,\r\n        \"shop\": {\r\n            \"command\"",
        ),
        ("{\"mcpServers\": {\"a\": \"}\\\"{ /* no comment */\"}, \"b\": [1, {\"c\": 2}]}", "\"shop\""),
        ("{\n  \"mcpServers\": {\n    \"a\": 1\n    /* the end */\n  }\n}\n", "/* the end */\n    \"shop\": {"),
    ];

    #[test]
    fn an_entry_is_added_and_removed_and_every_other_byte_stays() {
        for (text, part) in CASES {
            let added = set(text, "mcpServers", "shop", ENTRY).unwrap();
            assert!(added.contains(part), "{added}");
            assert_eq!(set(&added, "mcpServers", "shop", ENTRY).unwrap(), added, "twice is once");
            let names: Vec<String> = entries(&added, "mcpServers").unwrap().into_iter().map(|(name, _)| name).collect();
            assert_eq!(names.last().map(String::as_str), Some("shop"), "{added}");
            let kept = remove(&added, "mcpServers", "shop").unwrap().unwrap();
            let same = |text: &str| text.replace(char::is_whitespace, "");
            assert_eq!(same(&kept), same(text));
            if !text.starts_with("{\"") {
                assert_eq!(&kept, text, "every byte");
            }
            assert_eq!(remove(&kept, "mcpServers", "shop").unwrap(), None);
        }
    }

    #[test]
    fn a_document_without_the_section_gets_it() {
        for text in ["", "{}", "{ }", "{\n}\n", "{\n  \"a\": 1\n}\n", "// nothing\n{\n  // yet\n}\n"] {
            let added = set(text, "servers", "shop", ENTRY).unwrap();
            assert_eq!(entries(&added, "servers").unwrap().len(), 1, "{added}");
            let kept = remove(&added, "servers", "shop").unwrap().unwrap();
            assert!(kept.contains("\"servers\": {}"), "{kept}");
        }
        assert_eq!(
            set("{\n  \"a\": 1\n}\n", "servers", "s", "{}").unwrap(),
            "{\n  \"a\": 1,\n  \"servers\": {\n    \"s\": {}\n  }\n}\n"
        );
    }

    #[test]
    fn entries_in_the_middle_and_at_the_front_go_with_their_commas() {
        let text = "{\n  \"s\": {\n    \"a\": 1,\n    \"b\": 2,\n    \"c\": 3\n  }\n}";
        assert_eq!(remove(text, "s", "b").unwrap().unwrap(), text.replace("\n    \"b\": 2,", ""));
        assert_eq!(remove(text, "s", "a").unwrap().unwrap(), text.replace("\n    \"a\": 1,", ""));
        assert_eq!(remove(text, "s", "c").unwrap().unwrap(), text.replace(",\n    \"c\": 3", ""));
    }

    #[test]
    fn what_is_no_document_is_told_of_with_its_place() {
        for (text, at) in [
            ("{\"a\": }", 6),
            ("[1]", 0),
            ("{\"servers\": 3}", 12),
            ("{\"a\": 1", 7),
            ("{'a': 1}", 1),
            ("{\"a\": 1} x", 9),
        ] {
            assert_eq!(set(text, "servers", "x", "{}").unwrap_err().at, at, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(set(&format!("{{\"a\": {deep}"), "servers", "x", "{}").unwrap_err().why.contains("deep"));
    }
}
