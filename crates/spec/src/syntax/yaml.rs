//! YAML 1.2 to the tree.

use std::collections::{HashMap, HashSet};

use base::{Diagnostic, Span};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::Lines;
use super::scalar::{self, NoValue};
use super::tree::{Entry, Key, Node, Style, Value};
use crate::codes;
use crate::limits::{DEPTH_MAX, DOCUMENT_BYTES_MAX, NODES_MAX};
use crate::report::Report;

/// Reads one YAML document. Without a tree the report has the reason.
pub(crate) fn read(lines: &Lines<'_>, report: &mut Report) -> Option<Node> {
    let mut reader = Reader::new(lines, report);
    match reader.run() {
        Ok(tree) => {
            if tree.is_none() {
                reader.report.push(empty_document());
            }
            tree
        }
        Err(stop) => {
            reader.report.push(*stop);
            None
        }
    }
}

pub(crate) fn empty_document() -> Diagnostic {
    Diagnostic::error(codes::EMPTY_DOCUMENT, "the document is empty")
        .help("a spec needs at least `name` and one tool, resource or prompt")
}

/// A problem after which reading cannot go on.
type Stop = Box<Diagnostic>;

/// A value under way.
enum Open {
    List { items: Vec<Node>, start: usize, anchor: usize },
    Map { entries: Vec<Entry>, keys: HashSet<String>, key: Option<Key>, merges: Vec<Node>, start: usize, anchor: usize },
}

/// A value that an alias can repeat, and what repeating it costs.
struct Anchored {
    node: Node,
    cost: Cost,
}

/// Nodes and bytes of text of a value.
#[derive(Clone, Copy, Default)]
struct Cost {
    nodes: usize,
    bytes: usize,
}

struct Reader<'a, 'r> {
    lines: &'a Lines<'a>,
    report: &'r mut Report,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    spent: Cost,
}

impl<'a, 'r> Reader<'a, 'r> {
    fn new(lines: &'a Lines<'a>, report: &'r mut Report) -> Self {
        Self { lines, report, open: Vec::new(), root: None, anchors: HashMap::new(), spent: Cost::default() }
    }

    fn run(&mut self) -> Result<Option<Node>, Stop> {
        let mut parser = Parser::new_from_str(self.lines.body());
        let mut documents = 0;
        while let Some(event) = next(&mut parser) {
            let (event, at) = event.map_err(|error| Box::new(self.broken(&error)))?;
            let span = self.span(at);
            match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(Box::new(several_documents(span)));
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let node = self.scalar(&text, style, tag.as_deref(), span)?;
                    self.anchor(anchor, &node);
                    self.add(node)?;
                }
                Event::Alias(id) => {
                    let node = self.alias(id, span)?;
                    self.add(node)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    self.check_tag(tag.as_deref(), "seq", span)?;
                    self.enter(Open::List { items: Vec::new(), start: span.start, anchor }, span)?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.check_tag(tag.as_deref(), "map", span)?;
                    let (entries, keys, key, merges) = Default::default();
                    self.enter(Open::Map { entries, keys, key, merges, start: span.start, anchor }, span)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.leave(span)?,
                _ => {}
            }
        }
        Ok(self.root.take())
    }

    fn span(&self, at: saphyr_parser::Span) -> Span {
        let start = self.lines.byte_of(at.start.index());
        let end = self.lines.byte_of(at.end.index()).max(start);
        let text = self.lines.text().get(start..end).unwrap_or_default();
        self.lines.span(start, start + text.trim_end().len())
    }

    fn broken(&self, error: &ScanError) -> Diagnostic {
        let at = self.lines.byte_of(error.marker().index());
        let length = self.lines.text()[at..].chars().next().map_or(0, char::len_utf8);
        explain(self.lines, self.lines.span(at, at + length), error.info())
    }

    fn spend(&mut self, cost: Cost, span: Span) -> Result<(), Stop> {
        self.spent.nodes += cost.nodes;
        self.spent.bytes += cost.bytes;
        if self.spent.nodes <= NODES_MAX && self.spent.bytes <= DOCUMENT_BYTES_MAX {
            return Ok(());
        }
        let problem = Diagnostic::error(codes::TOO_MANY_NODES, "the document holds too many values")
            .at(span)
            .label("the limit is passed here")
            .help(format!(
                "up to {NODES_MAX} values and {DOCUMENT_BYTES_MAX} bytes of text, aliases expanded, are read"
            ));
        Err(Box::new(problem))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Node, Stop> {
        self.spend(Cost { nodes: 1, bytes: text.len() }, span)?;
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let value = match tag {
            None if style == Style::Plain => scalar::resolve(text),
            None => Ok(Value::String(text.to_owned(), style)),
            Some(tag) if is_core(tag, "str") || is_non_specific(tag) => Ok(Value::String(text.to_owned(), style)),
            Some(tag) if ["int", "float", "bool", "null"].iter().any(|word| is_core(tag, word)) => {
                scalar::resolve(text)
            }
            Some(tag) => return Err(Box::new(unknown_tag(tag, span))),
        };
        match value {
            Ok(value) => Ok(Node::new(span, value)),
            Err(problem) => {
                self.report.push(no_number(&problem, text, span));
                Ok(Node::new(span, Value::Number(0.into())))
            }
        }
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Node, Stop> {
        let Some(anchored) = self.anchors.get(&id) else {
            let problem = Diagnostic::error(codes::YAML_FEATURE, "an alias stands inside of the value it repeats")
                .at(span)
                .help("write the value out");
            return Err(Box::new(problem));
        };
        let cost = anchored.cost;
        self.spend(cost, span)?;
        Ok(self.anchors[&id].node.clone())
    }

    fn anchor(&mut self, id: usize, node: &Node) {
        if id != 0 {
            self.anchors.insert(id, Anchored { cost: cost(node), node: node.clone() });
        }
    }

    fn check_tag(&self, tag: Option<&Tag>, word: &str, span: Span) -> Result<(), Stop> {
        match tag {
            Some(tag) if !is_core(tag, word) && !is_non_specific(tag) => Err(Box::new(unknown_tag(tag, span))),
            _ => Ok(()),
        }
    }

    fn enter(&mut self, open: Open, span: Span) -> Result<(), Stop> {
        self.spend(Cost { nodes: 1, bytes: 0 }, span)?;
        if self.open.len() >= DEPTH_MAX {
            return Err(Box::new(too_deep(span)));
        }
        self.open.push(open);
        Ok(())
    }

    fn leave(&mut self, end: Span) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let (node, anchor) = match open {
            Open::List { items, start, anchor } => {
                let end = self.end_of(start, items.last().map(|item| item.span), end);
                (Node::new(self.lines.span(start, end), Value::List(items)), anchor)
            }
            Open::Map { mut entries, mut keys, merges, start, anchor, .. } => {
                for merge in merges {
                    self.merge(merge, &mut entries, &mut keys);
                }
                let end = self.end_of(start, entries.last().map(|entry| entry.value.span), end);
                (Node::new(self.lines.span(start, end), Value::Map(entries)), anchor)
            }
        };
        self.anchor(anchor, &node);
        self.add(node)
    }

    /// A block collection ends with its last value, a flow collection with its bracket.
    fn end_of(&self, start: usize, last: Option<Span>, end: Span) -> usize {
        if matches!(self.lines.text().as_bytes().get(start), Some(b'{' | b'[')) {
            return end.end.max(start);
        }
        last.map_or(start, |last| last.end.max(start))
    }

    fn add(&mut self, node: Node) -> Result<(), Stop> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { key, entries, keys, merges, .. }) => match key.take() {
                None => *key = Some(as_key(self.lines, node)?),
                Some(name) if name.text == "<<" && is_plain_merge(self.lines, &name) => {
                    if !merges.is_empty() {
                        let problem = duplicate_key(&name, None).help("merge several maps with `<<: [*a, *b]`");
                        self.report.push(problem);
                    }
                    merges.push(node);
                }
                Some(name) => {
                    if keys.insert(name.text.clone()) {
                        entries.push(Entry { key: name, value: node });
                    } else if self.report.is_full() {
                        self.report.count_error();
                    } else {
                        let first = entries.iter().find(|entry| entry.key.text == name.text);
                        self.report.push(duplicate_key(&name, first.map(|entry| entry.key.span)));
                    }
                }
            },
        }
        Ok(())
    }

    /// The merge key of YAML 1.1: keys of the map itself win, then those of earlier maps.
    fn merge(&mut self, node: Node, entries: &mut Vec<Entry>, keys: &mut HashSet<String>) {
        let span = node.span;
        let maps = match node.value {
            Value::Map(more) => vec![more],
            Value::List(items) if items.iter().all(|item| item.as_map().is_some()) => {
                items.into_iter().map(|item| item.entries().to_vec()).collect()
            }
            _ => {
                let problem = Diagnostic::error(codes::YAML_FEATURE, "`<<` merges a map or a list of maps")
                    .at(span)
                    .help("give an alias of a map: `<<: *defaults`");
                return self.report.push(problem);
            }
        };
        for entry in maps.into_iter().flatten() {
            if keys.insert(entry.key.text.clone()) {
                entries.push(entry);
            }
        }
    }
}

type Events<'a> = Parser<'a, StrInput<'a>>;

fn next<'a>(parser: &mut Events<'a>) -> Option<Result<(Event<'a>, saphyr_parser::Span), ScanError>> {
    parser.next_event()
}

fn cost(node: &Node) -> Cost {
    let mut total = Cost { nodes: 1, bytes: 0 };
    let mut add = |more: Cost| {
        total.nodes += more.nodes;
        total.bytes += more.bytes;
    };
    match &node.value {
        Value::String(text, _) => add(Cost { nodes: 0, bytes: text.len() }),
        Value::List(items) => items.iter().for_each(|item| add(cost(item))),
        Value::Map(entries) => entries.iter().for_each(|entry| {
            add(cost(&entry.value));
            add(Cost { nodes: 1, bytes: entry.key.text.len() });
        }),
        _ => {}
    }
    total
}

/// Keys are texts; a number or a word is taken as it is written.
fn as_key(lines: &Lines<'_>, node: Node) -> Result<Key, Stop> {
    let span = node.span;
    let text = match node.value {
        Value::String(text, _) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            lines.text().get(span.start..span.end).unwrap_or_default().to_owned()
        }
        Value::List(_) | Value::Map(_) => {
            let problem = Diagnostic::error(codes::YAML_FEATURE, "a key must be text, not a list or a map")
                .at(span)
                .help("if this is a text in braces or brackets, put it in quotes");
            return Err(Box::new(problem));
        }
    };
    Ok(Key { span, text })
}

/// A merge key is written without quotes.
fn is_plain_merge(lines: &Lines<'_>, key: &Key) -> bool {
    lines.text().get(key.span.start..key.span.end) == Some("<<")
}

fn is_core(tag: &Tag, word: &str) -> bool {
    tag.suffix == word && (tag.is_yaml_core_schema() || tag.handle == "!!")
}

fn is_non_specific(tag: &Tag) -> bool {
    tag.suffix == "!" && tag.handle.is_empty() || tag.handle == "!" && tag.suffix.is_empty()
}

fn unknown_tag(tag: &Tag, span: Span) -> Diagnostic {
    Diagnostic::error(codes::YAML_FEATURE, format!("the tag `{tag}` is not supported"))
        .at(span)
        .help("remove the tag; `!!str`, `!!int`, `!!float`, `!!bool` and `!!null` are read")
}

pub(crate) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(codes::TOO_DEEP, "the document is nested too deeply")
        .at(span)
        .help(format!("up to {DEPTH_MAX} levels are read"))
}

fn several_documents(span: Span) -> Diagnostic {
    Diagnostic::error(codes::SEVERAL_DOCUMENTS, "the file holds more than one YAML document")
        .at(span)
        .label("the second one starts here")
        .help("keep one spec in one file: remove the `---` or split the file")
}

pub(crate) fn duplicate_key(key: &Key, first: Option<Span>) -> Diagnostic {
    let problem = Diagnostic::error(
        codes::DUPLICATE_KEY,
        format!("the key `{}` is written twice", crate::structure::clip(&key.text)),
    )
    .at(key.span)
    .help("remove one of the two");
    match first {
        Some(first) => problem.label(format!("first written on line {}", first.line)),
        None => problem,
    }
}

pub(crate) fn no_number(problem: &NoValue, text: &str, span: Span) -> Diagnostic {
    let shown: String = text.chars().take(40).collect();
    let (message, help) = match problem {
        NoValue::NotFinite => {
            (format!("`{shown}` is not a number that JSON has"), "write a finite number, or quote the text")
        }
        NoValue::TooLarge => (
            format!("the number `{shown}` is too large to be kept exactly"),
            "put it in quotes to keep it as text; whole numbers have up to 64 bits",
        ),
    };
    Diagnostic::error(codes::BAD_NUMBER, message).at(span).help(help)
}

/// The parser's words, with what commonly causes them.
fn explain(lines: &Lines<'_>, span: Span, info: &str) -> Diagnostic {
    let text = lines.text();
    let line_start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let indent = &line[..line.len() - line.trim_start().len()];
    let problem =
        Diagnostic::error(codes::BAD_YAML, format!("this is not YAML: {}", info.trim_end_matches('.'))).at(span);
    if indent.contains('\t') || text[..span.start].ends_with('\t') {
        return problem.label("a tab").help("YAML is indented with spaces; replace the tabs");
    }
    match text[span.start..].chars().next() {
        Some('@' | '`') => problem.help("a text that starts with `@` or a backtick needs quotes"),
        Some('%') => problem.help("a text that starts with `%` needs quotes"),
        _ if info.contains("mapping values are not allowed") || info.contains("simple key") => {
            problem.help("a text with `: ` in it needs quotes; keys of one map start in the same column")
        }
        _ if info.contains("anchor") => {
            problem.help("define it first with `&name`; a text that starts with `*` or `&` needs quotes")
        }
        _ => problem.help("check the indentation, the quotes and the brackets here and on the line before"),
    }
}
