//! The engine's stack texts: `    at name (script:3:17)`, innermost first.

use crate::machine::SCRIPT;

/// One call in the script's own text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) function: &'a str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// The frames that are in the script; the engine's and the prelude's own are left out.
pub(crate) fn frames(stack: &str) -> impl Iterator<Item = Frame<'_>> {
    stack.lines().filter_map(frame)
}

fn frame(line: &str) -> Option<Frame<'_>> {
    let text = line.trim().strip_prefix("at ")?;
    let (function, place) = match text.strip_suffix(')').and_then(|text| text.rsplit_once(" (")) {
        Some((function, place)) => (function, place),
        None => ("", text),
    };
    let mut parts = place.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    (parts.next()? == SCRIPT).then_some(Frame { function, line, column })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_the_script() {
        let stack = "    at JSON.parse (native)\n    at run (script:3:17)\n    at call (prelude:9:1)\n    at script:1:2\nat x (a:b:c)";
        let found: Vec<_> = frames(stack).collect();
        assert_eq!(found, [Frame { function: "run", line: 3, column: 17 }, Frame { function: "", line: 1, column: 2 }]);
    }
}
