//! The help pages of codes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Code, Error};

/// A code in the list of codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The code.
    pub code: String,
    /// What it means, in a few words.
    pub title: String,
}

/// A help page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The code.
    pub code: String,
    /// What it means, in a few words.
    pub title: String,
    /// Why it happens and what to do, Markdown.
    pub page: String,
}

/// The help page of a code, written in any case.
pub fn explain(code: &str) -> Result<Page, Error> {
    let wanted = code.trim().to_ascii_uppercase();
    let listed = entries();
    let known = listed.iter().find(|entry| entry.code == wanted);
    if let (Some(page), Some(entry)) = (page(&wanted), known) {
        return Ok(Page { code: wanted, title: entry.title.clone(), page });
    }
    let mut error = Error::new(Code::NoCode, format!("there is no code `{code}`"));
    if let Some(near) = base::nearest(&wanted, listed.iter().map(|entry| entry.code.as_str())) {
        error = error.hint(format!("did you mean `{near}`?"));
    }
    Err(error.hint("`mcp-factory explain` lists all codes"))
}

/// The page without its heading, which is the code and the title.
fn page(code: &str) -> Option<String> {
    raw(code).map(|page| page.split_once('\n').map_or(page, |(_, body)| body).trim().to_owned())
}

fn raw(code: &str) -> Option<&'static str> {
    let own = Code::ALL.iter().find(|known| known.as_str() == code).map(|known| known.page());
    let other = || others().find(|(known, _, _)| *known == code).map(|(_, _, page)| page);
    spec::explain(code).or(own).or_else(other)
}

/// The codes of planning, compiling and opening: code, title and page.
fn others() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    [::plan::codes(), engine::codes(), host::codes()].into_iter().flatten().copied()
}

/// Every code, in order.
pub fn entries() -> Vec<Entry> {
    let entry = |code: &str, title: &str| Entry { code: code.to_owned(), title: sentence(title) };
    let mut all: Vec<Entry> = spec::codes().iter().map(|info| entry(info.code, info.title)).collect();
    all.extend(others().map(|(code, title, _)| entry(code, title)));
    all.extend(Code::ALL.iter().map(|code| entry(code.as_str(), code.title())));
    all.sort_by(|a, b| a.code.cmp(&b.code));
    all
}

/// Titles begin with a capital letter, whoever wrote them.
fn sentence(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{entries, explain, raw};

    #[test]
    fn every_code_is_unique_and_has_a_page() {
        let all = entries();
        assert!(all.windows(2).all(|pair| pair[0].code != pair[1].code), "{all:?}");
        for entry in all {
            let page = raw(&entry.code).unwrap();
            assert!(page.starts_with(&format!("# {}: {}\n", entry.code, entry.title)), "head of {}", entry.code);
            assert!(!explain(&entry.code.to_lowercase()).unwrap().page.starts_with('#'), "{}", entry.code);
            assert!(page.contains("\n## How to mend it\n"), "{} has no advice", entry.code);
        }
        assert!(explain("MF9999").is_err());
    }

    /// Codes of files of many bytes, and of bytes that are not text: an example would not be read.
    const WITHOUT_EXAMPLE: [&str; 5] = ["MF0103", "MF0104", "MF0105", "MF0106", "MF0207"];

    #[test]
    fn every_page_has_an_example() {
        for entry in entries().iter().filter(|entry| !WITHOUT_EXAMPLE.contains(&entry.code.as_str())) {
            let page = explain(&entry.code).unwrap().page;
            assert!(page.contains("\n## Example\n\n```"), "{} has no example", entry.code);
        }
    }

    /// Whatever code stands in the source of a crate can be printed, and so has a page.
    #[test]
    fn every_code_in_the_source_has_a_page() {
        /// Codes that tests make up.
        const MADE_UP: [&str; 2] = ["MF9999", "MF0800"];
        let mut without = Vec::new();
        let mut seen = 0;
        for (file, text) in sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")) {
            for (at, _) in text.match_indices("\"MF") {
                let code: String = text[at + 1..].chars().take_while(char::is_ascii_alphanumeric).collect();
                let is_code = code.len() == 6 && code[2..].bytes().all(|b| b.is_ascii_digit());
                if is_code && !MADE_UP.contains(&code.as_str()) {
                    seen += 1;
                    if explain(&code).is_err() {
                        without.push(format!("{code} in {}", file.display()));
                    }
                }
            }
        }
        assert!(seen > 100, "only {seen} codes were found");
        assert!(without.is_empty(), "without a page: {without:#?}");
    }

    /// Every source file of the crates below a folder, with its text.
    fn sources(folder: &std::path::Path) -> Vec<(std::path::PathBuf, String)> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.ends_with("tests") {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    found.push((path, text));
                }
            }
        }
        found
    }
}
