//! Scripts of tools. Whether the code can be compiled is for the room that can compile it.

use super::{Check, sql};
use crate::codes;
use crate::model::{Action, Script, ScriptPlace, Spec, TextPlace};
use crate::sql::Effects;
use crate::syntax::{Lines, Node, align};

/// Names that the second parameter of a script's function has anyhow.
const OWN_NAMES: [&str; 3] = ["log", "progress", "sleep"];

/// What a script may do that writes: nothing more is known of it.
const ANYTHING: Effects = Effects { read_only: false, destructive: true, idempotent: false };

/// Notes where each script stands in the document.
pub(crate) fn places(spec: &mut Spec, tree: &Node, lines: &Lines<'_>) {
    let nodes = tree.get("tools").map(Node::items).unwrap_or_default();
    for (tool, node) in spec.tools.iter_mut().zip(nodes) {
        if let Some(Action::Script(script)) = &mut tool.action
            && let Some(code) = node.get("script").and_then(|script| script.get("code"))
        {
            script.place = ScriptPlace(place(&script.code, code, lines));
        }
    }
}

/// The place of a text on one line, or of one whose lines are lines of the document, all in one column.
fn place(code: &str, node: &Node, lines: &Lines<'_>) -> Option<TextPlace> {
    let number = |place: usize| u32::try_from(place).ok();
    // What is found is the first character that is no white space.
    let offset = code.len() - code.trim_start().len();
    let found = align::place(lines, node, offset, 1);
    let start = code[..offset].rfind('\n').map_or(0, |at| at + 1);
    let column = found.column.checked_sub(code[start..offset].chars().count())?;
    let line = found.line.checked_sub(code[..start].matches('\n').count())?;
    let (line, column) = (number(line)?, number(column)?);
    let rest = lines.text().get(found.start..)?;
    if !code.trim_end().contains('\n') {
        // Escapes and folded lines are not followed.
        return rest.starts_with(code.trim()).then_some(TextPlace { line, column, indent: 1 });
    }
    let indent = usize::try_from(column).ok()?.checked_sub(1)?;
    // The first line, of which the white space before it is known already; then the others, whole.
    let mut written = rest.split('\n');
    let mut meant = code[offset..].trim_end().split('\n');
    let same = |written: &str, meant: &str| written.trim_end() == meant.trim_end();
    let first = same(written.next()?, meant.next()?);
    let others = meant.all(|meant| {
        written.next().is_some_and(|written| match written.get(..indent) {
            Some(before) => before.trim().is_empty() && same(&written[indent..], meant),
            None => same(written, meant),
        })
    });
    (first && others).then_some(TextPlace { line, column, indent: column })
}

/// Checks a script; gives what it may do.
pub(super) fn all(check: &mut Check<'_, '_>, action: &Script, node: &Node) -> Option<Effects> {
    let at = node.get("script")?;
    if action.code.trim().is_empty() && !check.is_damaged(at) {
        let help = "write `export default async function run(args, host) { … }`";
        check.error(codes::EMPTY_TEXT, at.span, "the script is empty", help);
    }
    for name in OWN_NAMES {
        let Some(connection) = check.list("connections").iter().find(|node| node.str_of("name") == Some(name)) else {
            continue;
        };
        let message =
            format!("a script cannot reach a connection of the name `{name}`, which is a function of its own");
        let span = connection.span_of("name");
        check.error(codes::SCRIPT_NAME, span, message, "give the connection another name");
    }
    Some(if action.write { ANYTHING } else { sql::NO_EFFECTS })
}
