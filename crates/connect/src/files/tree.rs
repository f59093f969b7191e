//! A folder with everything below it, as a tree.

use std::collections::BTreeMap;

use super::{Entry, EntryKind, Job, List, Store};
use crate::Error;

/// Most entries of a tree.
pub const TREE_ENTRIES_MAX: usize = 10_000;

/// What to show.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The folder; the root when empty.
    pub folder: String,
    /// What is left out.
    pub exclude: Vec<String>,
    /// How many folders deep; all of them without it.
    pub depth: Option<usize>,
    /// Most entries; bounded by [`TREE_ENTRIES_MAX`], which is also the default.
    pub limit: Option<usize>,
}

/// A folder with everything below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Grown {
    /// The entries of the folder, by name.
    pub entries: Vec<Branch>,
    /// Whether a limit left some out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// A file, or a folder with what it holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What a folder holds; absent below the depth that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<Branch>>,
}

#[derive(Default)]
struct Node {
    entry: Option<Entry>,
    below: BTreeMap<String, Node>,
}

impl Store {
    /// Shows a folder with everything below it.
    pub async fn tree(&self, tree: &Tree, job: &Job) -> Result<Grown, Error> {
        let depth = tree.depth.unwrap_or(usize::MAX).max(1);
        let most = tree.limit.unwrap_or(TREE_ENTRIES_MAX).clamp(1, TREE_ENTRIES_MAX);
        let (folder, exclude) = (tree.folder.clone(), tree.exclude.clone());
        let mut list = List { folder, recursive: depth > 1, exclude, ..List::default() };
        let above = self.path(&tree.folder, "list files")?.parts().count();
        let mut root = Node::default();
        let (mut count, mut pages, mut truncated) = (0, 0, false);
        'pages: loop {
            let page = self.list(&list, job).await?;
            pages += 1;
            for entry in page.entries {
                let parts: Vec<&str> = entry.path.split('/').filter(|part| !part.is_empty()).skip(above).collect();
                if parts.is_empty() || parts.len() > depth {
                    continue;
                }
                if count == most {
                    truncated = true;
                    break 'pages;
                }
                count += 1;
                let node = parts.iter().fold(&mut root, |node, part| node.below.entry((*part).to_owned()).or_default());
                node.entry = Some(entry);
            }
            match page.next {
                None => break,
                Some(_) if pages * self.limits().entries >= self.limits().visited => {
                    truncated = true;
                    break;
                }
                next => list.cursor = next,
            }
        }
        Ok(Grown { entries: branches(root, depth), truncated })
    }
}

fn branches(node: Node, depth: usize) -> Vec<Branch> {
    let branch = |(name, node): (String, Node)| {
        // A bucket tells of no folders: what has something below it is one.
        let (kind, size) = node.entry.as_ref().map_or((EntryKind::Folder, None), |entry| (entry.kind, entry.size));
        let is_folder = kind == EntryKind::Folder;
        let entries = (is_folder && depth > 1).then(|| branches(node, depth - 1));
        Branch { name, kind, size, entries }
    };
    node.below.into_iter().map(branch).collect()
}
