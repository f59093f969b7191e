//! What of all servers a caller sees: their own, and what rules give them.

use std::sync::Arc;

use identity::Principal;

use super::rule::{EVERYBODYS, Rule, fits};

/// What a caller sees of the servers of everybody.
#[derive(Clone, Debug)]
pub(crate) enum Sight {
    /// Everything.
    All,
    /// What is theirs, and what rules give them.
    Part {
        /// Whose servers are theirs.
        owner: Arc<str>,
        /// The rules that give them something, each with the owner whose servers it is about.
        given: Vec<(String, Rule)>,
    },
}

impl Sight {
    /// What a caller sees under these rules.
    pub(super) fn of(principal: &Principal, rules: &[(String, Rule)]) -> Self {
        let given = rules.iter().filter(|(_, rule)| rule.allow.is_some() && rule.is_of(principal));
        Self::Part { owner: Arc::clone(&principal.owner), given: given.cloned().collect() }
    }

    /// Whether a server of this owner is theirs, or they see everything.
    pub(crate) fn is_whole(&self, owner: &str) -> bool {
        match self {
            Self::All => true,
            Self::Part { owner: own, .. } => **own == *owner,
        }
    }

    /// Whether they see a server of this owner: by its own door, or by one of its groups.
    pub(crate) fn has_server(&self, server: &str, owner: &str) -> bool {
        self.is_whole(owner) || self.rules(server, owner).next().is_some()
    }

    /// Whether they see a tool of such a server, which is in these groups.
    pub(crate) fn has_tool(&self, server: &str, owner: &str, tool: &str, groups: &[String]) -> bool {
        let by_door = |rule: &Rule| {
            let wanted = |group: &String| rule.groups.iter().any(|one| fits(one, group));
            rule.groups.is_empty() || groups.iter().any(wanted)
        };
        self.is_whole(owner) || self.rules(server, owner).any(|rule| by_door(rule) && rule.has(tool))
    }

    /// The rules that give something of a server.
    fn rules(&self, server: &str, owner: &str) -> impl Iterator<Item = &Rule> {
        let given = match self {
            Self::All => &[][..],
            Self::Part { given, .. } => given,
        };
        let about = move |of: &str| of == EVERYBODYS || of == owner;
        given.iter().filter(move |(of, rule)| about(of) && rule.names(server)).map(|(_, rule)| rule)
    }
}
