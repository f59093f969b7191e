//! Search: names by pattern, contents by text or regular expression.

use regex::bytes::{Regex, RegexBuilder};

use super::{Entry, EntryKind, Glob, Job, List, Read, Store};
use crate::{Error, ErrorKind};

/// Largest compiled expression, bytes.
const COMPILED_BYTES_MAX: usize = 1 << 20;
/// Most lines of one file that are given.
const LINES_MAX: usize = 20;
/// Most bytes of a line that are given.
const LINE_BYTES_MAX: usize = 400;
/// A file with a zero among its first bytes is no text.
const SNIFFED: usize = 8192;

/// What to search for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The folder; the root when empty.
    pub folder: String,
    /// Pattern of the paths below it.
    pub glob: Option<String>,
    /// What is left out.
    pub exclude: Vec<String>,
    /// A text that the file holds.
    pub text: Option<String>,
    /// A regular expression that a line of the file fits.
    pub regex: Option<String>,
    /// Whether capitals matter in the contents.
    pub any_case: bool,
    /// Whether folders count, when names alone are searched.
    pub folders: bool,
    /// Most files; bounded by [`super::Limits::matches`].
    pub limit: Option<usize>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Matches {
    /// The files, by path.
    pub files: Vec<Found>,
    /// Whether a limit ended the search before everything was looked at.
    pub truncated: bool,
    /// How many files were too large, or no text, to be searched.
    pub skipped: usize,
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Found {
    /// The file.
    #[serde(flatten)]
    pub entry: Entry,
    /// The lines that fit, when contents were searched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// Its text, cut when it is long.
    pub text: String,
}

impl Store {
    /// Searches a folder and those within it.
    pub async fn search(&self, search: &Search, job: &Job) -> Result<Matches, Error> {
        let wanted = |why: String| self.fault(ErrorKind::Value, "search files", why).with_code("pattern");
        let content = content(search).map_err(wanted)?;
        if let Some(glob) = &search.glob {
            Glob::parse(glob).map_err(wanted)?;
        }
        let limits = *self.limits();
        let most = search.limit.unwrap_or(limits.matches).clamp(1, limits.matches);
        let mut list = List {
            folder: search.folder.clone(),
            recursive: true,
            glob: search.glob.clone(),
            exclude: search.exclude.clone(),
            limit: None,
            cursor: None,
        };
        let mut matches = Matches::default();
        let (mut pages, mut budget) = (0, limits.search_bytes);
        loop {
            let page = self.list(&list, job).await?;
            pages += 1;
            for entry in page.entries {
                let lines = match &content {
                    None if entry.kind == EntryKind::Folder && !search.folders => continue,
                    None => Vec::new(),
                    Some(_) if entry.kind != EntryKind::File => continue,
                    Some(content) => match self.scan(&entry, content, &mut budget, job).await? {
                        Scanned::Lines(lines) if lines.is_empty() => continue,
                        Scanned::Lines(lines) => lines,
                        Scanned::Skipped => {
                            matches.skipped += 1;
                            continue;
                        }
                        Scanned::Spent => {
                            matches.truncated = true;
                            return Ok(matches);
                        }
                    },
                };
                if matches.files.len() == most {
                    matches.truncated = true;
                    return Ok(matches);
                }
                matches.files.push(Found { entry, lines });
            }
            match page.next {
                None => return Ok(matches),
                Some(_) if pages * limits.entries >= limits.visited => {
                    matches.truncated = true;
                    return Ok(matches);
                }
                next => list.cursor = next,
            }
        }
    }

    async fn scan(&self, entry: &Entry, content: &Regex, budget: &mut u64, job: &Job) -> Result<Scanned, Error> {
        let size = entry.size.unwrap_or(0);
        if size > self.limits().search_file_bytes.min(self.limits().read_bytes) {
            return Ok(Scanned::Skipped);
        }
        if size > *budget {
            return Ok(Scanned::Spent);
        }
        *budget -= size;
        let read = Read { path: entry.path.clone(), ..Read::default() };
        let bytes = match self.read(&read, job).await {
            Ok(content) => content.bytes,
            Err(error) if matches!(error.kind, ErrorKind::Timeout | ErrorKind::Cancelled) => return Err(error),
            // It went away meanwhile, or we may not read it: nothing of it is found.
            Err(_) => return Ok(Scanned::Skipped),
        };
        if bytes.iter().take(SNIFFED).any(|byte| *byte == 0) {
            return Ok(Scanned::Skipped);
        }
        Ok(Scanned::Lines(lines(&bytes, content)))
    }
}

enum Scanned {
    Lines(Vec<Line>),
    Skipped,
    Spent,
}

fn content(search: &Search) -> Result<Option<Regex>, String> {
    let expression = match (&search.text, &search.regex) {
        (Some(_), Some(_)) => return Err("a text and a regular expression at once: give one of them".to_owned()),
        (None, None) => return Ok(None),
        (Some(text), None) if text.is_empty() || text.contains('\n') => {
            return Err("the text is empty or has several lines: contents are searched line by line".to_owned());
        }
        (Some(text), None) => regex::escape(text),
        (None, Some(expression)) => expression.clone(),
    };
    RegexBuilder::new(&expression)
        .case_insensitive(search.any_case)
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map(Some)
        .map_err(|error| format!("the regular expression cannot be used: {error}"))
}

fn lines(bytes: &[u8], content: &Regex) -> Vec<Line> {
    let mut found = Vec::new();
    for (nth, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if content.is_match(line) {
            let cut = &line[..line.len().min(LINE_BYTES_MAX)];
            let mut text = String::from_utf8_lossy(cut).into_owned();
            if cut.len() < line.len() {
                text.push('…');
            }
            found.push(Line { number: nth + 1, text });
            if found.len() == LINES_MAX {
                break;
            }
        }
    }
    found
}
