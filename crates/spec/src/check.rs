//! What a spec means: every rule that the shape of the document does not say.

use std::collections::HashMap;

use base::{Diagnostic, Span, nearest};

use crate::codes;
use crate::model::{Spec, Tool};
use crate::report::Report;
use crate::syntax::{Lines, Node};

mod actions;
mod annotations;
mod ask;
mod auth;
mod connections;
mod cron;
mod groups;
mod hosts;
mod names;
pub(crate) mod numbers;
mod pages;
mod parameters;
mod prompts;
mod resources;
mod schemas;
mod script;
pub(crate) mod secrets;
mod shape;
mod sql;
mod templates;
pub(crate) mod text;
mod triggers;
mod zones;

pub(crate) use actions::choose_connections;
pub use names::RESERVED_NAMES;
pub use schemas::FORMATS;
pub(crate) use script::places;

/// Names that the document declares, those of items that were cut out included: nothing that is
/// written there is called unknown.
#[derive(Debug, Default)]
pub(crate) struct Names {
    tools: Vec<String>,
    connections: Vec<String>,
}

impl Names {
    pub(crate) fn of(tree: &Node) -> Self {
        let names = |key: &str| {
            let items = tree.get(key).map(Node::items).unwrap_or_default();
            items.iter().filter_map(|item| item.str_of("name")).map(str::to_owned).collect()
        };
        Self { tools: names("tools"), connections: names("connections") }
    }

    fn has_tool(&self, name: &str) -> bool {
        self.tools.iter().any(|tool| tool == name)
    }

    fn has_connection(&self, name: &str) -> bool {
        self.connections.iter().any(|connection| connection == name)
    }
}

/// Runs every check.
pub(crate) fn all(spec: &Spec, tree: &Node, names: &Names, lines: &Lines<'_>, report: &mut Report) {
    let mut check = Check { spec, tree, names, lines, report, within: None };
    names::all(&mut check);
    numbers::all(&mut check);
    auth::all(&mut check);
    connections::all(&mut check);
    schemas::all(&mut check);
    parameters::all(&mut check);
    shape::all(&mut check);
    groups::all(&mut check);
    actions::all(&mut check);
    resources::all(&mut check);
    prompts::all(&mut check);
    triggers::all(&mut check);
    ask::all(&mut check);
    names::unused_connections(&mut check);
    script::unused_modules(&mut check);
}

/// A spec under check, with its tree.
struct Check<'a, 'r> {
    spec: &'a Spec,
    tree: &'a Node,
    names: &'a Names,
    lines: &'a Lines<'a>,
    report: &'r mut Report,
    /// What templates of a step may look up beside the names of every action.
    within: Option<Within>,
}

/// The place of an action in a sequence of steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Within {
    /// The steps before it.
    done: Vec<String>,
    /// All steps.
    all: Vec<String>,
    /// Other names, such as `item`.
    more: Vec<&'static str>,
}

impl<'a> Check<'a, '_> {
    fn push(&mut self, diagnostic: Diagnostic) {
        self.report.push(diagnostic);
    }

    fn error(&mut self, code: &str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.push(Diagnostic::error(code, message).at(span).help(help));
    }

    fn warning(&mut self, code: &str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.push(Diagnostic::warning(code, message).at(span).help(help));
    }

    /// The items of a top-level list.
    fn list(&self, key: &str) -> &'a [Node] {
        self.tree.get(key).map(Node::items).unwrap_or_default()
    }

    /// Every tool with its node.
    fn tools(&self) -> impl Iterator<Item = (&'a Tool, &'a Node)> + use<'a> {
        self.spec.tools.iter().zip(self.list("tools"))
    }

    /// Whether the structure of a node was already found wrong, so that what seems to be missing
    /// in it may be what was cut out.
    fn is_damaged(&self, node: &Node) -> bool {
        self.report.has_error_within(node.span)
    }

    /// Reports a name that is not declared, with the nearest that is.
    fn unknown(&mut self, code: &str, warning: bool, node: &Node, what: &str, known: &[String]) {
        let name = node.as_str().unwrap_or_default();
        let message = format!("the {what} `{}` is not declared", crate::structure::clip(name));
        let problem = if warning { Diagnostic::warning(code, message) } else { Diagnostic::error(code, message) };
        let help = match known.len() {
            0 => format!("this spec declares no {what}"),
            1..=20 => {
                format!("declared: {}", crate::structure::list(&known.iter().map(String::as_str).collect::<Vec<_>>()))
            }
            more => format!("{more} {what}s are declared"),
        };
        let problem = problem.at(node.span).help(help);
        self.push(match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => problem.label(format!("did you mean `{near}`?")),
            None => problem,
        });
    }

    /// Reports names that are used twice, and with `fold` those that differ only in case.
    fn duplicates<'n>(&mut self, what: &str, names: impl Iterator<Item = &'n Node>, fold: bool) {
        let mut seen: HashMap<String, (&str, usize)> = HashMap::new();
        for node in names {
            let Some(name) = node.as_str() else { continue };
            let key = if fold { name.to_lowercase() } else { name.to_owned() };
            let Some((first, line)) = seen.get(&key) else {
                seen.insert(key, (name, node.span.line));
                continue;
            };
            let problem = if *first == name {
                Diagnostic::error(
                    codes::DUPLICATE_NAME,
                    format!("{what} `{}` is declared twice", crate::structure::clip(name)),
                )
                .help("give one of them another name")
            } else {
                Diagnostic::warning(codes::SIMILAR_NAME, format!("{what} `{name}` and `{first}` differ only in case"))
                    .help("models and clients confuse such names; rename one of them")
            };
            self.push(problem.at(node.span).label(format!("first declared on line {line}")));
        }
    }
}
