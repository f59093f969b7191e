//! Links in Markdown.

use std::path::Path;

/// The links of a Markdown file that lead nowhere. Links to other hosts are not followed.
pub fn broken(root: &Path, file: &Path, text: &str) -> Vec<String> {
    let folder = root.join(file).parent().map(Path::to_path_buf).unwrap_or_default();
    let mut faults = Vec::new();
    for (number, target) in targets(text) {
        let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let aimed = if path.is_empty() { root.join(file) } else { folder.join(path) };
        if !aimed.exists() {
            faults.push(format!(":{number}: the link to `{target}` leads nowhere"));
        } else if !anchor.is_empty() && aimed.extension().is_some_and(|extension| extension == "md") {
            let aimed = std::fs::read_to_string(&aimed).unwrap_or_default();
            if !anchors(&aimed).any(|name| name == anchor) {
                faults.push(format!(":{number}: there is no heading for `#{anchor}`"));
            }
        }
    }
    faults
}

/// Targets of links in this repository, with their lines. Code is left out.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let mut code = false;
        let mut rest = line;
        while let Some(at) = rest.find(['`', ']']) {
            let (mark, after) = (rest.as_bytes()[at], &rest[at + 1..]);
            rest = after;
            if mark == b'`' {
                code = !code;
            } else if !code
                && let Some(inner) = after.strip_prefix('(')
                && let Some((target, _)) = inner.split_once(')')
            {
                let target = target.split_whitespace().next().unwrap_or_default();
                if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                    found.push((number, target.to_owned()));
                }
            }
        }
    }
    found
}

/// Names of the headings, as the usual renderers make them.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

/// The lines outside of fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

#[cfg(test)]
mod tests {
    use super::{anchors, targets};

    #[test]
    fn links_outside_of_code() {
        let text = "See [a](docs/a.md) and `[b](b.md)`, [c](https://c) [d](#d \"title\").\n```\n[e](e.md)\n```\n";
        assert_eq!(targets(text), [(1, "docs/a.md".to_owned()), (1, "#d".to_owned())]);
    }

    #[test]
    fn headings_become_anchors() {
        assert_eq!(anchors("# One, two!\n## `run`").collect::<Vec<_>>(), ["one-two", "run"]);
    }
}
