//! The tools of the servers that run, as tools of the factory's own MCP server.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use operations::deploy::{Local, Running};
use operations::operation::Scope;
use operations::policies::Policies;
use operations::{Caller, access};
use protocol::service::Tool;
use protocol::{Listing, Service};
use sha2::{Digest as _, Sha256};

use super::choice::Choice;

/// Longest name of a tool that every client takes.
const NAME_BYTES_MAX: usize = 64;
/// What stands between the name of a server and that of its tool. Names of servers have no underscore.
const BETWEEN: &str = "__";
/// Most tools of servers that are listed for clients whose URL chooses none; where there are more, none is.
pub(super) const OPEN_TOOLS_MAX: usize = 128;
/// Most tools of servers that are listed for clients whose URL chooses.
pub(super) const CHOSEN_TOOLS_MAX: usize = 2_000;

/// A tool of a server.
pub(super) struct Entry {
    /// Its name here.
    pub(super) name: String,
    server: Arc<Running>,
    /// Its name at the server.
    tool: String,
    /// The groups of the server that it is in.
    groups: Vec<String>,
    definition: Tool,
}

/// By which door of its server a caller comes to a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Door<'a> {
    /// That of the whole server.
    Whole,
    /// That of a group.
    Group(&'a str),
}

/// The tools of every server that ran at one moment.
pub(super) struct Fleet {
    generation: u64,
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
}

impl Fleet {
    /// What runs now.
    pub(super) fn of(local: &Local) -> Self {
        let generation = local.generation();
        let mut entries = Vec::new();
        for server in local.all() {
            let listing: Arc<Listing> = server.service().listing(None);
            let toolset = server.hosted().toolset();
            for tool in listing.tools() {
                let name = name(server.name(), &tool.name);
                let mut definition = tool.clone();
                definition.name.clone_from(&name);
                let groups = toolset.groups().iter().filter(|group| toolset.is_in(group, &tool.name));
                let groups = groups.map(|group| group.name.clone()).collect();
                let (server, tool) = (Arc::clone(&server), tool.name.clone());
                entries.push(Entry { name, server, tool, groups, definition });
            }
        }
        let by_name = entries.iter().enumerate().map(|(nth, entry)| (entry.name.clone(), nth)).collect();
        Self { generation, entries, by_name }
    }

    /// Whether it is what runs now.
    pub(super) fn is_of(&self, local: &Local) -> bool {
        self.generation == local.generation()
    }

    /// The tools that are listed for a caller's choice.
    pub(super) fn listed(&self, choice: &Choice, caller: &Caller, policies: Option<&Policies>) -> Vec<Tool> {
        let wanted = |entry: &&Entry| choice.has_server(entry.server.name()) && entry.is_in(&choice.groups);
        let chosen = self.entries.iter().filter(wanted).filter(|entry| entry.door(caller, policies).is_some());
        let most = if choice.is_open() { OPEN_TOOLS_MAX } else { CHOSEN_TOOLS_MAX };
        let found: Vec<Tool> = chosen.take(most + 1).map(|entry| entry.definition.clone()).collect();
        match found.len() > most {
            // A part of a fleet would be taken for the whole.
            true if choice.is_open() => Vec::new(),
            true => found.into_iter().take(most).collect(),
            false => found,
        }
    }

    /// The servers and groups of which a caller sees something.
    pub(super) fn seen(&self, caller: &Caller, policies: Option<&Policies>) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let (mut servers, mut groups) = (BTreeSet::new(), BTreeSet::new());
        for entry in self.entries.iter().filter(|entry| entry.door(caller, policies).is_some()) {
            servers.insert(entry.server.name());
            groups.extend(entry.groups.iter().map(String::as_str));
        }
        (servers, groups)
    }

    /// The tool of this name, as its server knows it.
    pub(super) fn find(
        &self,
        name: &str,
        caller: &Caller,
        policies: Option<&Policies>,
    ) -> Option<(Arc<dyn Service>, &str)> {
        let entry = self.entries.get(*self.by_name.get(name)?)?;
        let service = match entry.door(caller, policies)? {
            Door::Whole => Arc::clone(entry.server.service()),
            Door::Group(group) => entry.server.service_of(group)?,
        };
        Some((service, entry.tool.as_str()))
    }
}

impl Entry {
    /// By which door its server lets the caller in and shows them the tool, the one of the whole server first; nothing where
    /// none does.
    fn door(&self, caller: &Caller, policies: Option<&Policies>) -> Option<Door<'_>> {
        let (known, policies) = match (caller, policies) {
            (Caller::Local, _) => return Some(Door::Whole),
            (Caller::Remote(_), None) => return caller.may(Scope::Admin).then_some(Door::Whole),
            (Caller::Remote(known), Some(policies)) => (known, policies),
        };
        let (server, owner) = (self.server.name(), self.server.owner());
        let opens = |group: Option<&str>| {
            access::enter(policies, known, server, owner, group).is_ok()
                && policies.reach(known, server, owner, group).is_some_and(|reach| reach.sees(&self.tool))
        };
        if opens(None) {
            return Some(Door::Whole);
        }
        self.groups.iter().map(String::as_str).find(|group| opens(Some(*group))).map(Door::Group)
    }

    /// Whether it is in one of these groups; in any case when there are none.
    fn is_in(&self, groups: &[String]) -> bool {
        groups.is_empty() || groups.iter().any(|group| self.groups.contains(group))
    }
}

/// `SERVER__TOOL`, shortened so that no two are the same.
fn name(server: &str, tool: &str) -> String {
    /// Hexadecimal digits that stand for what was left out.
    const DIGITS: usize = 8;
    let whole = format!("{server}{BETWEEN}{tool}");
    if whole.len() <= NAME_BYTES_MAX {
        return whole;
    }
    let digest = Sha256::digest(whole.as_bytes());
    let digits: String = digest.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = whole.chars().take(NAME_BYTES_MAX - DIGITS - 1).collect();
    format!("{kept}_{digits}")
}

#[cfg(test)]
mod tests {
    use super::{NAME_BYTES_MAX, name};

    #[test]
    fn names_are_short_and_differ() {
        assert_eq!(name("shop-mcp", "search"), "shop-mcp__search");
        let long = "x".repeat(60);
        let (one, two) = (name(&long, "search_products"), name(&long, "search_orders"));
        assert!(one.len() == NAME_BYTES_MAX && one != two && one.starts_with(&long[..50]), "{one} {two}");
        assert_ne!(name("a", "b__c"), name("a-b", "c"));
    }
}
