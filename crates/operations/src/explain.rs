//! The help pages of codes.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Code, Error};

/// A code in the list of codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The code.
    pub code: String,
    /// What it means, in a few words.
    pub title: String,
}

/// A help page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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

fn page(code: &str) -> Option<String> {
    let own = Code::ALL.iter().find(|known| known.as_str() == code).map(|known| known.page());
    let other = || others().find(|(known, _, _)| *known == code).map(|(_, _, page)| page);
    spec::explain(code).or(own).or_else(other).map(str::to_owned)
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
    use super::{entries, explain};

    #[test]
    fn every_code_is_unique_and_has_a_page() {
        let all = entries();
        assert!(all.windows(2).all(|pair| pair[0].code != pair[1].code), "{all:?}");
        for entry in all {
            let page = explain(&entry.code.to_lowercase()).unwrap();
            assert!(page.page.len() > 40, "{} has no page", entry.code);
        }
        assert!(explain("MF9999").is_err());
    }
}
