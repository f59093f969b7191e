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
    ("client", &["base", "connect"]),
    ("script", &["base"]),
    ("plan", &["base", "spec", "connect"]),
    ("engine", &["base", "spec", "connect", "client", "script", "plan"]),
    ("protocol", &["base"]),
    ("host", &["base", "spec", "connect", "client", "plan", "engine", "protocol"]),
    ("deploy", &["base", "engine", "protocol", "host"]),
    ("store", &["base"]),
    ("identity", &["base", "connect", "store"]),
    (
        "operations",
        &["base", "spec", "connect", "client", "plan", "engine", "protocol", "host", "deploy", "store", "identity"],
    ),
    ("shim", &["base", "connect"]),
    ("fakes", &["base", "connect", "shim"]),
    ("server", &["base", "protocol", "host", "deploy", "identity", "operations"]),
    (
        "cli",
        &[
            "base",
            "spec",
            "connect",
            "client",
            "plan",
            "engine",
            "protocol",
            "host",
            "identity",
            "operations",
            "server",
            "shim",
            "fakes",
        ],
    ),
    ("mcp-factory", &["cli"]),
    ("xtask", &[]),
];

/// Each crate with packages that must be nowhere below it.
const ABSENT: &[(&str, &[&str], &str)] = &[
    ("base", &["tokio", "hyper", "rusqlite", "tracing"], "the base knows no I/O"),
    ("spec", &["tokio", "hyper", "rusqlite", "tokio-postgres"], "a spec is data: no I/O, no async"),
    ("connect", &["axum"], "a connector knows no server"),
    ("client", &["axum"], "a client of other servers is no server"),
    (
        "script",
        &["hyper", "axum", "tokio-postgres", "mysql_async", "rusqlite"],
        "a script reaches only what it was handed",
    ),
    ("plan", &["axum"], "a plan knows no server"),
    ("engine", &["axum"], "the engine knows no transport"),
    ("protocol", &["tokio-postgres", "mysql_async", "rusqlite", "sqlparser"], "the wire knows no connector"),
    ("identity", &["axum", "mysql_async"], "who asks is decided without a route"),
    ("shim", &["axum", "rusqlite"], "the shim runs one program and keeps nothing"),
    ("store", &["hyper", "mysql_async"], "the store knows two databases and no server"),
    ("deploy", &["axum"], "a target knows no route"),
    (
        "mcp-factory",
        &["aws-lc-sys", "openssl", "openssl-sys", "native-tls"],
        "one implementation of cryptography is enough",
    ),
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
    println!("{} rules hold", tally.passed);
    tally.into_result("arrows")
}

/// Checks every crate.
pub fn check() -> Result<Tally> {
    let text = Run::cargo()
        .args(["metadata", "--format-version=1", "--filter-platform=x86_64-unknown-linux-gnu"])
        .folder(&repo::root()?)
        .output()?;
    let metadata: Metadata = serde_json::from_str(&text).context("cannot read the output of `cargo metadata`")?;
    let mut tally = Graph::new(&metadata).check();
    for (name, absent, reason) in ABSENT {
        let paths = present(&tree(name)?, absent);
        tally.passed += usize::from(paths.is_empty());
        tally.failures.extend(paths.into_iter().map(|path| format!("{path}: {reason}")));
    }
    Ok(tally)
}

/// Everything that a crate is built from. The metadata would not do: it names optional packages that
/// no feature asks for.
fn tree(name: &str) -> Result<String> {
    Run::cargo()
        .args(["tree", "--package", name, "--edges=normal", "--prefix=depth", "--format={p}", "--charset=ascii"])
        .folder(&repo::root()?)
        .output()
}

/// The paths to packages that must not be in the tree. A line is a depth and, without a space between,
/// a package.
fn present(tree: &str, absent: &[&str]) -> Vec<String> {
    let mut path: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for line in tree.lines() {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let depth: usize = line[..digits].parse().unwrap_or_default();
        let name = line[digits..].split(' ').next().unwrap_or_default();
        path.truncate(depth);
        path.push(name);
        if absent.contains(&name) {
            found.push(path.join(" -> "));
        }
    }
    found
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
            let faults = self.forbidden_arrows(id, name);
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

    fn below(&self, id: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.edges.get(id).cloned().unwrap_or_default().into_iter()
    }

    fn name(&self, id: &str) -> &'a str {
        self.names.get(id).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::present;

    #[test]
    fn the_path_to_what_must_be_absent() {
        let tree = "0app v1\n1web v1\n2tls v2\n1store v1\n2tls v2 (*)\n";
        assert_eq!(present(tree, &["tls"]), ["app -> web -> tls", "app -> store -> tls"]);
        assert!(present(tree, &["ring"]).is_empty());
    }
}
