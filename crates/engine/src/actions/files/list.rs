//! Listing: pages of a folder, in the order that was asked for.

use std::cmp::Reverse;

use connect::files::{Entry, EntryKind, List, Listing};
use serde::{Deserialize, Serialize};

use super::{Attempt, Call};
use crate::errors;
use crate::outcome::Outcome;
use crate::toolset::Toolset;

/// The settings of a call.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Given {
    #[serde(default)]
    path: String,
    #[serde(default)]
    recursive: bool,
    glob: Option<String>,
    #[serde(default)]
    exclude: Vec<String>,
    limit: Option<usize>,
    cursor: Option<String>,
    #[serde(default)]
    sort: Sort,
    #[serde(default)]
    totals: bool,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Sort {
    #[default]
    Path,
    Name,
    Size,
    Modified,
}

#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    listing: Listing,
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<Totals>,
}

/// What a page holds.
#[derive(Default, Serialize)]
struct Totals {
    files: usize,
    folders: usize,
    bytes: u64,
}

impl Toolset {
    pub(super) async fn list_files(&self, call: &Call<'_>, given: Given) -> Attempt<Outcome> {
        let tool = call.tool;
        let Given { path: folder, recursive, glob, exclude, limit, cursor, sort, totals } = given;
        let list = List { folder, recursive, glob, exclude, limit, cursor };
        let mut listing = call.store.list(&list, &call.job).await.map_err(|error| call.failed(&error))?;
        if sort != Sort::Path && (listing.next.is_some() || list.cursor.is_some()) {
            let why = "the folder is more than one page, and only a whole one can be put in another order than by path: \
                       ask for a folder or a pattern that gives less, or for no order";
            return Err(errors::value(tool, why));
        }
        match sort {
            Sort::Path => {}
            Sort::Name => listing.entries.sort_by(|a, b| a.name().cmp(b.name())),
            Sort::Size => listing.entries.sort_by_key(|entry| Reverse(entry.size.unwrap_or_default())),
            Sort::Modified => listing.entries.sort_by_key(|entry| Reverse(entry.modified)),
        }
        let totals = totals.then(|| sums(&listing.entries));
        self.told(tool, &Page { listing, totals })
    }
}

fn sums(entries: &[Entry]) -> Totals {
    let mut totals = Totals::default();
    for entry in entries {
        match entry.kind {
            EntryKind::Folder => totals.folders += 1,
            _ => totals.files += 1,
        }
        totals.bytes += entry.size.unwrap_or_default();
    }
    totals
}
