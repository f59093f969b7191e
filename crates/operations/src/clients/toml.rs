//! Changes one table of a TOML document, and keeps every other byte.

mod scan;

use std::ops::Range;

use super::jsonc::Fault;
use scan::{Item, Items};

/// The tables below a section: their names, with their texts.
pub(super) fn entries<'a>(text: &'a str, section: &str) -> Result<Vec<(String, &'a str)>, Fault> {
    let items = scan::read(text)?;
    let mut found: Vec<(String, &str)> = Vec::new();
    for (path, item) in items.iter() {
        if let [first, name, ..] = &path[..]
            && first == section
            && !found.iter().any(|(known, _)| known == name)
        {
            let ranges = ranges(&items, section, name);
            let whole = ranges.first().map_or(item.span.clone(), Clone::clone);
            found.push((name.clone(), text[whole].trim_end()));
        }
    }
    Ok(found)
}

/// The document with this table. `table` is its text, with its header.
pub(super) fn set(text: &str, section: &str, name: &str, table: &str) -> Result<String, Fault> {
    let items = scan::read(text)?;
    by_hand(&items, section, Some(name))?;
    let line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let table = table.trim_end().replace('\n', line);
    let known = ranges(&items, section, name);
    if let Some(first) = known.first() {
        let mut out = text.to_owned();
        for other in known[1..].iter().rev() {
            out.replace_range(other.clone(), "");
        }
        let end = first.start + text[first.clone()].trim_end().len();
        out.replace_range(first.start..end, &table);
        return Ok(out);
    }
    let mut out = text.to_owned();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push_str(line);
    }
    if !out.trim_start_matches('\u{feff}').is_empty() {
        out.push_str(line);
    }
    out.push_str(&table);
    out.push_str(line);
    Ok(out)
}

/// The text of a value of a table; nothing when it is not there.
pub(super) fn value<'a>(text: &'a str, table: [&str; 2], key: &str) -> Result<Option<&'a str>, Fault> {
    let items = scan::read(text)?;
    Ok(keys(&items, table).find(|item| item.path == [key]).map(|item| &text[item.value.clone()]))
}

/// The document with this value in a table that is there. What is written as tables below it, or with dots, stays.
pub(super) fn put(text: &str, table: [&str; 2], key: &str, value: &str) -> Result<String, Fault> {
    let items = scan::read(text)?;
    by_hand(&items, table[0], Some(table[1]))?;
    let mut out = text.to_owned();
    if let Some(known) = keys(&items, table).find(|item| item.path == [key]) {
        out.replace_range(known.value.clone(), value);
        return Ok(out);
    }
    if items.iter().any(|(path, _)| path.len() > 2 && path[..3] == [table[0], table[1], key]) {
        return Ok(out);
    }
    let header = items.0.iter().find(|item| is_header_of(item, table));
    let Some(last) = keys(&items, table).last().or(header) else { return Ok(out) };
    let line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let before = if text[..last.span.end].ends_with('\n') { "" } else { line };
    out.insert_str(last.span.end, &format!("{before}{key} = {value}{line}"));
    Ok(out)
}

fn is_header_of(item: &Item, table: [&str; 2]) -> bool {
    item.is_header && item.path == table
}

/// The keys that stand below the header of a table.
fn keys<'a>(items: &'a Items<'_>, table: [&'a str; 2]) -> impl Iterator<Item = &'a Item> {
    let mut open = false;
    items.0.iter().filter(move |item| {
        if item.is_header {
            open = is_header_of(item, table);
        }
        open && !item.is_header
    })
}

/// The document without this table and those below it; nothing when it is not there.
pub(super) fn remove(text: &str, section: &str, name: &str) -> Result<Option<String>, Fault> {
    let items = scan::read(text)?;
    let known = ranges(&items, section, name);
    if known.is_empty() {
        by_hand(&items, section, Some(name))?;
        return Ok(None);
    }
    let mut out = text.to_owned();
    for range in known.iter().rev() {
        // One empty line divides it from what is before it.
        let before = &text[..range.start];
        let blank =
            ["\r\n\r\n", "\n\n"].iter().find(|blank| before.ends_with(**blank)).map_or(0, |blank| blank.len() / 2);
        out.replace_range(range.start - blank..range.end, "");
    }
    Ok(Some(out))
}

/// The places of a table and the tables below it, to the end of their last lines.
fn ranges(items: &Items<'_>, section: &str, name: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for item in &items.0 {
        match item.is_header {
            true => {
                open = matches!(&item.path[..], [first, second, ..] if first == section && second == name);
                match found.last_mut() {
                    Some(last) if open && last.end == item.span.start => last.end = item.span.end,
                    _ if open => found.push(item.span.clone()),
                    _ => {}
                }
            }
            false if open => {
                if let Some(last) = found.last_mut() {
                    last.end = item.span.end;
                }
            }
            false => {}
        }
    }
    // Tables that follow one another, with empty lines between them, are one place.
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in found {
        match joined.last_mut() {
            Some(last) if items.is_blank(last.end, range.start) => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// Refuses what is written in a form that is not changed here: inline tables and dotted keys.
fn by_hand(items: &Items<'_>, section: &str, name: Option<&str>) -> Result<(), Fault> {
    let mut table: &[String] = &[];
    for item in &items.0 {
        if item.is_header {
            table = &item.path;
            if item.is_list && matches!(&item.path[..], [first, ..] if first == section) {
                return Err(refused(item, section));
            }
            continue;
        }
        let whole: Vec<&String> = table.iter().chain(&item.path).collect();
        let within = whole.first().is_some_and(|first| *first == section);
        let inline = match (table, whole.get(1)) {
            _ if !within => false,
            // `[section.name]` and below: that is the form which is changed.
            ([_, _, ..], _) => false,
            (_, Some(second)) => name.is_none_or(|name| *second == name),
            (_, None) => true,
        };
        if inline {
            return Err(refused(item, section));
        }
    }
    Ok(())
}

fn refused(item: &Item, section: &str) -> Fault {
    Fault { at: item.span.start, why: format!("this is not written as a table `[{section}.NAME]`") }
}

#[cfg(test)]
mod tests {
    use super::{entries, remove, set};

    const TABLE: &str = "[mcp_servers.shop]\ncommand = \"x\"\nargs = [\"connect\", \"shop\"]";

    #[test]
    fn a_table_is_added_and_removed_and_every_other_byte_stays() {
        for text in [
            "",
            "model = \"o\" # mine\n",
            "# a comment\nx = \"\"\"\n[mcp_servers.shop]\n\"\"\"\n[mcp_servers.other]\ncommand = 'o'\n[mcp_servers.other.env]\nA = \"1\"\n",
            "a = [\n  1, # [mcp_servers.shop]\n  2,\n]\r\n\r\n[b.\"c.d\"]\r\ne = { f = 1 }\r\n",
            "[mcp_servers]\n[mcp_servers.\"with space\"]\nurl = \"u\"\n",
        ] {
            let added = set(text, "mcp_servers", "shop", TABLE).unwrap();
            assert!(added.starts_with(text), "{added}");
            assert_eq!(set(&added, "mcp_servers", "shop", TABLE).unwrap(), added, "twice is once");
            let all = entries(&added, "mcp_servers").unwrap();
            let found = all.iter().find(|(name, _)| name == "shop").unwrap();
            assert_eq!(found.1.replace("\r\n", "\n"), TABLE);
            assert_eq!(remove(&added, "mcp_servers", "shop").unwrap().unwrap(), text);
            assert_eq!(remove(text, "mcp_servers", "shop").unwrap(), None);
        }
    }

    #[test]
    fn a_table_in_the_middle_is_replaced_with_those_below_it() {
        let text =
            "a = 1\n\n[mcp_servers.shop]\nurl = \"u\"\n\n[mcp_servers.shop.env]\nX = \"1\"\n\n# of c\n[c]\nd = 2\n";
        let changed = set(text, "mcp_servers", "shop", TABLE).unwrap();
        assert_eq!(changed, format!("a = 1\n\n{TABLE}\n\n# of c\n[c]\nd = 2\n"));
        assert_eq!(remove(text, "mcp_servers", "shop").unwrap().unwrap(), "a = 1\n\n# of c\n[c]\nd = 2\n");
    }

    #[test]
    fn other_forms_and_what_is_no_document_are_refused_with_their_place() {
        for (text, at) in [
            ("mcp_servers = { shop = {} }\n", 0),
            ("a = 1\nmcp_servers.shop.url = \"u\"\n", 6),
            ("[mcp_servers]\nshop = { url = \"u\" }\n", 14),
            ("[[mcp_servers]]\n", 0),
            ("a = \"not closed\n", 4),
            ("[a\n", 0),
            ("just words\n", 0),
            ("a = [1, 2\n", 4),
        ] {
            assert_eq!(set(text, "mcp_servers", "shop", TABLE).unwrap_err().at, at, "{text}");
        }
    }
}
