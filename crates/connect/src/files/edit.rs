//! Changes of a text file: one text put in the place of another, and what that changed.

use super::diff::unified;
use super::{Entry, Job, Read, Store, Write};
use crate::{Error, ErrorKind};

/// Most changes of one request.
pub const EDITS_MAX: usize = 1000;
/// Most characters of a text that an error shows.
const SHOWN: usize = 80;
const ATTEMPTED: &str = "edit a file";

/// What to change.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The file.
    pub path: String,
    /// The changes, each made in what the one before it left.
    pub changes: Vec<Change>,
    /// Which places of a text are changed.
    pub which: Which,
    /// Whether lines may differ in the spaces at their ends when a text is nowhere as it is.
    pub loose: bool,
    /// Whether the file is left as it is, and only the difference is told.
    pub dry_run: bool,
}

/// One text in the place of another.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What is there.
    pub old: String,
    /// What comes in its place.
    pub new: String,
}

/// Which places of a text are changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The only one: a text that is there several times is refused.
    #[default]
    Only,
    /// The first one.
    First,
    /// Every one.
    All,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edited {
    /// The file as it is now.
    #[serde(flatten)]
    pub entry: Entry,
    /// The difference, as `diff -u` shows it.
    pub diff: String,
    /// How many places were changed.
    pub changed: usize,
    /// Whether it was written.
    pub written: bool,
}

impl Store {
    /// Changes a text file. It is written whole and at once, and not at all when one of the changes does not fit or when
    /// somebody else wrote it meanwhile.
    pub async fn edit(&self, edit: &Edit, job: &Job) -> Result<Edited, Error> {
        if edit.changes.len() > EDITS_MAX {
            let message = format!("at most {EDITS_MAX} changes are made at once");
            return Err(self.fault(ErrorKind::Limit, ATTEMPTED, message));
        }
        let read = Read { path: edit.path.clone(), ..Read::default() };
        let found = self.read(&read, job).await?;
        let before = found.text()?;
        let (after, changed) = self.changed(before, edit)?;
        let diff = unified(&found.entry.path, before, &after);
        if edit.dry_run || diff.is_empty() {
            return Ok(Edited { entry: found.entry, diff, changed, written: false });
        }
        let write = Write {
            path: edit.path.clone(),
            bytes: after.into(),
            if_version: found.entry.version.clone(),
            media_type: found.entry.media_type.clone(),
            ..Write::default()
        };
        Ok(Edited { entry: self.write(&write, job).await?, diff, changed, written: true })
    }

    fn changed(&self, before: &str, edit: &Edit) -> Result<(String, usize), Error> {
        let most = usize::try_from(self.limits().write_bytes).unwrap_or(usize::MAX);
        let (mut text, mut changed) = (before.to_owned(), 0);
        for (nth, change) in edit.changes.iter().enumerate() {
            let refused = |why: String, code: &str| {
                let shown: String = change.old.chars().take(SHOWN).collect();
                let message = format!("change {} of `{}`: {why}: `{}`", nth + 1, edit.path, shown.escape_debug());
                self.fault(ErrorKind::Value, ATTEMPTED, message).with_code(code)
            };
            if change.old.is_empty() {
                return Err(refused("the text that is to be changed is empty".to_owned(), "no_match"));
            }
            let change = fitted(change, &text);
            let spans = match text.match_indices(&change.old).count() {
                0 if edit.loose => loosely(&text, &change),
                _ => exactly(&text, &change),
            };
            let spans = match (spans.len(), edit.which) {
                (0, _) => return Err(refused("the text is not there".to_owned(), "no_match")),
                (1, _) | (_, Which::All) => spans,
                (_, Which::First) => spans.into_iter().take(1).collect(),
                (count, Which::Only) => {
                    let why = format!("the text is there {count} times; give more of what is around the place");
                    return Err(refused(why, "ambiguous"));
                }
            };
            changed += spans.len();
            text = replaced(&text, &spans, most).ok_or_else(|| {
                self.fault(ErrorKind::Limit, ATTEMPTED, format!("the file would be larger than {most} bytes"))
            })?;
        }
        Ok((text, changed))
    }
}

/// A place, and what comes there.
type Span = (usize, usize, String);

fn exactly(text: &str, change: &Change) -> Vec<Span> {
    text.match_indices(&change.old).map(|(at, found)| (at, at + found.len(), change.new.clone())).collect()
}

/// Lines that are the same but for the spaces at their ends. What comes there is indented as what was there.
fn loosely(text: &str, change: &Change) -> Vec<Span> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let ending = if change.old.contains("\r\n") { "\r\n" } else { "\n" };
    let wanted: Vec<&str> = change.old.strip_suffix(ending).unwrap_or(&change.old).split('\n').map(str::trim).collect();
    if wanted.iter().all(|line| line.is_empty()) || wanted.len() > lines.len() {
        return Vec::new();
    }
    let starts: Vec<usize> = lines.iter().scan(0, |at, line| Some(std::mem::replace(at, *at + line.len()))).collect();
    let (mut spans, mut at) = (Vec::new(), 0);
    while at + wanted.len() <= lines.len() {
        let window = &lines[at..at + wanted.len()];
        if window.iter().zip(&wanted).all(|(line, wanted)| line.trim() == *wanted) {
            let last = window.last().copied().unwrap_or_default();
            let length: usize = window.iter().map(|line| line.len()).sum();
            let end = starts[at] + length - (last.len() - last.trim_end_matches(['\r', '\n']).len());
            spans.push((starts[at], end, indented(change, indent(window[0]), ending)));
            at += wanted.len();
        } else {
            at += 1;
        }
    }
    spans
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn indented(change: &Change, there: &str, ending: &str) -> String {
    let own = indent(&change.old);
    let new = change.new.strip_suffix(ending).unwrap_or(&change.new);
    let lines = new.split('\n').enumerate().map(|(nth, line)| match line.strip_prefix(own) {
        _ if line.trim().is_empty() => line.trim_matches([' ', '\t']).to_owned(),
        Some(rest) => format!("{there}{rest}"),
        None if nth == 0 => format!("{there}{}", line.trim_start()),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The change with the line ends of the text: a caller does not know whether they are those of Windows.
fn fitted(change: &Change, text: &str) -> Change {
    let is_windows = text.find('\n').is_some_and(|at| text[..at].ends_with('\r'));
    let fit = |text: &str| {
        let plain = text.replace("\r\n", "\n");
        if is_windows { plain.replace('\n', "\r\n") } else { plain }
    };
    // A text that is there as it is stays as it is.
    match text.contains(&change.old) && !is_windows {
        true => change.clone(),
        false => Change { old: fit(&change.old), new: fit(&change.new) },
    }
}

/// The text with what comes into its places; nothing when it would be too large.
fn replaced(text: &str, spans: &[Span], most: usize) -> Option<String> {
    let added: usize = spans.iter().map(|(_, _, new)| new.len()).sum();
    let gone: usize = spans.iter().map(|(from, to, _)| to - from).sum();
    let size = text.len() - gone + added;
    if size > most {
        return None;
    }
    let mut out = String::with_capacity(size);
    let mut at = 0;
    for (from, to, new) in spans {
        out.push_str(&text[at..*from]);
        out.push_str(new);
        at = *to;
    }
    out.push_str(&text[at..]);
    Some(out)
}
