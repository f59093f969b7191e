//! Even indentation of YAML: two spaces per level, lists two spaces in from their key.

use crate::syntax::{Node, Style, Value};

/// Spaces per level.
const STEP: usize = 2;

/// What a line is, and where it goes.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// Column where its first key or dash goes.
    indent: Option<usize>,
    /// The number of dashes it starts with.
    dashes: usize,
    /// It continues a text or a flow collection of the line that started it.
    owner: Option<usize>,
    /// It is the body of a block text, which is kept byte by byte but for its indentation.
    is_body: bool,
}

/// The text with even indentation, or `None` when its layout is one that is not understood.
pub(super) fn even(text: &str, tree: &Node) -> Option<String> {
    let text = text.trim_start_matches('\u{feff}');
    let source: Vec<&str> = text.lines().collect();
    let mut plan = Plan { source: &source, lines: vec![Line::default(); source.len()] };
    plan.block(tree, 0)?;
    Some(plan.write())
}

struct Plan<'a> {
    source: &'a [&'a str],
    lines: Vec<Line>,
}

impl Plan<'_> {
    /// A value whose first key or dash goes to a column.
    fn block(&mut self, node: &Node, indent: usize) -> Option<()> {
        if self.is_flow(node) {
            self.continues(node);
            return Some(());
        }
        match &node.value {
            Value::Map(entries) => {
                for entry in entries {
                    self.starts(entry.key.span.line, entry.key.span.column, indent)?;
                    let inner = if entry.value.span.line == entry.key.span.line { indent } else { indent + STEP };
                    let inner =
                        if is_collection(&entry.value) && !self.is_flow(&entry.value) { indent + STEP } else { inner };
                    self.block(&entry.value, inner)?;
                }
            }
            Value::List(items) => {
                for item in items {
                    let line = self.dash(item)?;
                    self.lines[line].indent.get_or_insert(indent);
                    self.block(item, indent + STEP)?;
                }
            }
            _ => self.continues(node),
        }
        Some(())
    }

    fn is_flow(&self, node: &Node) -> bool {
        let line = self.source.get(node.span.line - 1).copied().unwrap_or_default();
        is_collection(node) && matches!(line.chars().nth(node.span.column - 1), Some('{' | '[' | '*' | '&' | '!'))
    }

    /// A key at a place: the first of its line, or behind dashes.
    fn starts(&mut self, line: usize, column: usize, indent: usize) -> Option<()> {
        let text = self.source.get(line - 1)?;
        let before: String = text.chars().take(column - 1).collect();
        let trimmed = before.trim_start();
        if trimmed.is_empty() {
            let slot = &mut self.lines[line - 1];
            if slot.indent.is_some_and(|other| other != indent) {
                return None;
            }
            slot.indent = Some(indent);
            return Some(());
        }
        // `- key:` or `- - key:`; anything else is an alias, an explicit key or a tag.
        let dashes = trimmed.split_whitespace().all(|word| word == "-").then(|| trimmed.split_whitespace().count())?;
        let slot = &mut self.lines[line - 1];
        slot.dashes = dashes;
        slot.indent = Some(indent.checked_sub(dashes * STEP)?);
        Some(())
    }

    /// The line of the dash of an item, which is the item's own.
    fn dash(&mut self, item: &Node) -> Option<usize> {
        let line = item.span.line - 1;
        let text = self.source.get(line)?;
        let before: String = text.chars().take(item.span.column - 1).collect();
        let words: Vec<&str> = before.split_whitespace().collect();
        let is_dashes = !words.is_empty() && words.iter().all(|word| *word == "-");
        if !is_dashes {
            return None;
        }
        self.lines[line].dashes = self.lines[line].dashes.max(words.len());
        Some(line)
    }

    /// Lines after the first of a text or a flow collection.
    fn continues(&mut self, node: &Node) {
        let is_body = matches!(node.value, Value::String(_, Style::Block));
        let first = node.span.line - 1;
        if first >= self.lines.len() {
            return; // An empty value behind the last line: `---` alone.
        }
        let owner = (0..=first).rev().find(|line| self.lines[*line].indent.is_some()).unwrap_or(first);
        let last = first + self.height(node);
        for line in (owner + 1)..=last.min(self.lines.len().saturating_sub(1)) {
            if line > first || owner < first {
                let slot = &mut self.lines[line];
                slot.owner = Some(owner);
                slot.is_body = is_body;
            }
        }
    }

    /// How many lines follow the first of a node.
    fn height(&self, node: &Node) -> usize {
        let mut bytes = node.span.end - node.span.start;
        let first = self.source.get(node.span.line - 1).copied().unwrap_or_default();
        let mut rest = first.chars().skip(node.span.column - 1).map(char::len_utf8).sum::<usize>();
        let mut height = 0;
        while bytes > rest {
            height += 1;
            let Some(line) = self.source.get(node.span.line - 1 + height) else { break };
            // The line break itself counts one byte, or two with a carriage return, which `lines` cut off.
            bytes = bytes.saturating_sub(rest + 1);
            rest = line.len();
            if bytes == 0 {
                break;
            }
        }
        height
    }

    fn write(&self) -> String {
        let mut out = String::new();
        let mut blank = true;
        for (index, text) in self.source.iter().enumerate() {
            let line = self.lines[index];
            if line.is_body || line.owner.is_some() {
                self.continuation(&mut out, text, line);
                blank = false;
                continue;
            }
            let content = text.trim();
            if content.is_empty() {
                if !blank {
                    out.push('\n');
                }
                blank = true;
                continue;
            }
            blank = false;
            match line.indent {
                Some(indent) => {
                    out.push_str(&" ".repeat(indent));
                    let mut content = content;
                    for _ in 0..line.dashes {
                        content = content.strip_prefix('-').unwrap_or(content).trim_start();
                        out.push_str(if content.is_empty() { "-" } else { "- " });
                    }
                    out.push_str(content);
                }
                None => {
                    out.push_str(&" ".repeat(self.comment_indent(index)));
                    out.push_str(content);
                }
            }
            out.push('\n');
        }
        out.truncate(out.trim_end_matches('\n').len());
        out.push('\n');
        out
    }

    /// A comment stands with the line below it, or with the line above it at the end of a block.
    fn comment_indent(&self, index: usize) -> usize {
        let column = width(self.source[index]);
        let below = (index + 1..self.lines.len()).find(|line| self.lines[*line].indent.is_some());
        let above = (0..index).rev().find(|line| self.lines[*line].indent.is_some());
        let moved = |line: usize| {
            let delta = self.lines[line].indent.unwrap_or_default();
            delta.saturating_add(column).saturating_sub(width(self.source[line]))
        };
        let level =
            (0..index).rev().find(|line| self.lines[*line].indent.is_some() && width(self.source[*line]) == column);
        match (below, above) {
            (None, _) if level.is_some() => level.map_or(0, moved),
            (Some(below), _) if width(self.source[below]) == column => self.lines[below].indent.unwrap_or_default(),
            (_, Some(above)) if width(self.source[above]) <= column => moved(above),
            (Some(below), _) => self.lines[below].indent.unwrap_or_default(),
            (None, Some(above)) => moved(above),
            (None, None) => 0,
        }
    }

    /// A line that moves with the line that its text or collection started on.
    fn continuation(&self, out: &mut String, text: &str, line: Line) {
        let owner = line.owner.unwrap_or_default();
        let was = key_column(self.source[owner]);
        let is = self.lines[owner].indent.unwrap_or_default() + STEP * self.lines[owner].dashes;
        let content = text.trim_start();
        if content.trim_end().is_empty() {
            // Spaces of an empty line in a block text mean something beyond its indentation.
            let kept = if line.is_body { width(text).saturating_add(is).saturating_sub(was) } else { 0 };
            let kept = if width(text) > was { kept } else { 0 };
            out.push_str(&" ".repeat(kept));
        } else {
            out.push_str(&" ".repeat(width(text).saturating_add(is).saturating_sub(was).max(is + 1)));
            out.push_str(if line.is_body { content } else { content.trim_end() });
        }
        out.push('\n');
    }
}

fn is_collection(node: &Node) -> bool {
    matches!(node.value, Value::Map(_) | Value::List(_))
}

/// Spaces before the first character.
fn width(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Column of the first key of a line, behind its dashes.
fn key_column(line: &str) -> usize {
    let mut at = width(line);
    while line[at..].starts_with("- ") {
        at += 1 + width(&line[at + 1..]);
    }
    at
}
