//! Which crate may know which, and what must be absent. `ARCHITECTURE.md` says why; this says it to machines.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::exec::Run;
use crate::repo;
use crate::report::Tally;

pub const HELP: &str = "\
Usage: cargo xtask arrows

Checks the dependencies of the workspace's crates against the architecture: arrows point down only, and what a crate
must never know is absent from everything that it depends on. Dependencies of tests are not looked at.
";

/// Each crate with the crates of the workspace that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("spec", &["base"]),
    ("connect", &["base"]),
    ("plan", &["base", "spec", "connect"]),
    ("engine", &["base", "spec", "connect", "plan"]),
    ("protocol", &["base"]),
    ("host", &["base", "spec", "connect", "plan", "engine", "protocol"]),
    ("store", &["base"]),
    ("operations", &["base", "spec", "connect", "plan", "engine", "protocol", "host", "store"]),
    ("server", &["base", "protocol", "host", "operations"]),
    ("cli", &["base", "spec", "plan", "engine", "protocol", "host", "operations", "server"]),
    ("mcp-factory", &["cli"]),
    ("xtask", &[]),
];

/// Each crate with packages that must be nowhere below it.
const ABSENT: &[(&str, &[&str], &str)] = &[
    ("base", &["tokio", "hyper", "rusqlite", "tracing"], "the base knows no I/O"),
    ("spec", &["tokio", "hyper", "rusqlite", "tokio-postgres"], "a spec is data: no I/O, no async"),
    ("connect", &["hyper", "axum"], "a connector knows no server"),
    ("plan", &["hyper", "axum"], "a plan knows no server"),
    ("engine", &["hyper", "axum"], "the engine knows no transport"),
    ("protocol", &["tokio-postgres", "mysql_async", "rusqlite", "sqlparser"], "the wire knows no connector"),
    ("store", &["hyper", "tokio-postgres", "mysql_async"], "the store is embedded"),
    ("mcp-factory", &["ring", "openssl", "openssl-sys", "native-tls"], "one implementation of cryptography is enough"),
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    /// `dev`, `build`, or nothing for a normal dependency.
    kind: Option<String>,
}

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("unknown arguments {arguments:?}; see `cargo xtask arrows --help`");
    }
    let tally = check()?;
    println!("{} crates checked", tally.passed);
    tally.into_result("arrows")
}

/// Checks every crate.
pub fn check() -> Result<Tally> {
    let text = Run::cargo()
        .args(["metadata", "--format-version=1", "--filter-platform=x86_64-unknown-linux-gnu"])
        .folder(&repo::root()?)
        .output()?;
    let metadata: Metadata = serde_json::from_str(&text).context("cannot read the output of `cargo metadata`")?;
    Ok(Graph::new(&metadata).check())
}

/// The packages by id: names, and normal dependencies.
struct Graph<'a> {
    names: BTreeMap<&'a str, &'a str>,
    edges: BTreeMap<&'a str, Vec<&'a str>>,
    members: &'a BTreeSet<String>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        let is_normal = |edge: &&Edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none());
        Self {
            names: metadata.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect(),
            edges: metadata
                .resolve
                .nodes
                .iter()
                .map(|node| (&*node.id, node.deps.iter().filter(is_normal).map(|edge| &*edge.pkg).collect()))
                .collect(),
            members: &metadata.workspace_members,
        }
    }

    fn check(&self) -> Tally {
        let mut tally = Tally::default();
        for id in self.members {
            let name = self.name(id);
            let mut faults = self.forbidden_arrows(id, name);
            for (_, absent, reason) in ABSENT.iter().filter(|(crate_name, ..)| *crate_name == name) {
                faults.extend(self.present(id, absent).into_iter().map(|path| format!("{path}: {reason}")));
            }
            tally.passed += usize::from(faults.is_empty());
            tally.failures.extend(faults);
        }
        tally
    }

    fn forbidden_arrows(&self, id: &str, name: &str) -> Vec<String> {
        let Some((_, allowed)) = ALLOWED.iter().find(|(crate_name, _)| *crate_name == name) else {
            return vec![format!("`{name}` has no place in the architecture; add it to xtask's arrows")];
        };
        self.below(id)
            .filter(|dependency| self.members.contains(*dependency))
            .map(|dependency| self.name(dependency))
            .filter(|dependency| !allowed.contains(dependency))
            .map(|dependency| format!("{name} -> {dependency} is not an arrow of the architecture"))
            .collect()
    }

    /// The paths to packages that must not be there.
    fn present(&self, from: &'a str, absent: &[&str]) -> Vec<String> {
        let mut paths = Vec::new();
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![vec![from]];
        while let Some(path) = open.pop() {
            let Some(last) = path.last() else { continue };
            for next in self.below(last) {
                let longer: Vec<&str> = path.iter().copied().chain([next]).collect();
                if absent.contains(&self.name(next)) {
                    paths.push(longer.iter().map(|id| self.name(id)).collect::<Vec<_>>().join(" -> "));
                } else if seen.insert(next) {
                    open.push(longer);
                }
            }
        }
        paths
    }

    fn below(&self, id: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.edges.get(id).cloned().unwrap_or_default().into_iter()
    }

    fn name(&self, id: &str) -> &'a str {
        self.names.get(id).copied().unwrap_or_default()
    }
}
