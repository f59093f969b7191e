//! Rules: who may list and call which server, group and tool, and which scope a tool needs.

use identity::{Kind, Principal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Code, Error};

/// The owner of rules that speak of everybody's servers.
pub(super) const EVERYBODYS: &str = "*";
/// Before a scope that an owner gave away by themselves: it counts for the rules of that owner alone. Scopes have no owner, so
/// without it whoever thinks of a name first would have what somebody else's rule asks for later.
pub(crate) const OWN: &str = "own:";
/// Words of one list of a rule.
const WORDS_MAX: usize = 100;
/// Longest word of a rule, bytes.
const WORD_BYTES_MAX: usize = 200;

/// What somebody may do with a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// See it.
    List,
    /// Call it, and see it.
    Call,
}

/// A rule. It gives others the right to use servers, or says which scope tools need, also for their owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Whom it speaks of: `everyone`, `accounts`, `guests`, `anonymous`, `account:NAME`, `owner:ID`, `key:ID`. Everyone when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub who: Vec<String>,
    /// Names of servers; `*` stands for any characters.
    pub servers: Vec<String>,
    /// Names of groups: the right is for what is reached by them. The whole server when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Names of tools; `*` stands for any characters. Every tool when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// What they may do: `list`, or `call`, which is more. Nothing when absent: the rule says what tools need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Right>,
    /// A scope that calling these tools needs, for whomever it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
}

impl Rule {
    /// Whether it can be a rule.
    pub(super) fn check(&self) -> Result<(), Error> {
        let bad = |what: String, hint: &str| Err(Error::new(Code::BadPolicy, what).hint(hint));
        for (name, words) in
            [("who", &self.who), ("servers", &self.servers), ("groups", &self.groups), ("tools", &self.tools)]
        {
            let long = words.iter().any(|word| word.is_empty() || word.len() > WORD_BYTES_MAX);
            if words.len() > WORDS_MAX || long {
                let what = format!("`{name}` has more than {WORDS_MAX} words, or one that is empty or too long");
                return bad(what, "write several rules");
            }
        }
        if self.servers.is_empty() {
            return bad("the rule names no server".to_owned(), "name servers: `*` stands for all of yours");
        }
        if let Some(word) = self.who.iter().find(|word| !is_who(word)) {
            return bad(
                format!("`{word}` is nobody that a rule can speak of"),
                "write everyone, accounts, guests, anonymous, account:NAME, owner:ID or key:ID",
            );
        }
        if let Some(scope) = self.needs.as_ref().filter(|scope| scope.starts_with(OWN)) {
            return bad(
                format!("the scope `{scope}` begins with `{OWN}`"),
                "leave that out: keys have it by themselves",
            );
        }
        if self.needs.is_some() && !self.groups.is_empty() {
            return bad(
                "a rule of groups cannot say what tools need: the whole server has the same tools".to_owned(),
                "name the tools with `tools`, and leave `groups` out",
            );
        }
        if self.allow.is_none() && self.needs.is_none() {
            return bad("the rule says nothing".to_owned(), "give a right with `allow`, or name a scope with `needs`");
        }
        Ok(())
    }

    /// Whether it speaks of this caller.
    pub(super) fn is_of(&self, principal: &Principal) -> bool {
        let of = |word: &String| match word.as_str() {
            "everyone" => true,
            "accounts" => matches!(principal.kind, Kind::Account | Kind::Key | Kind::Client),
            "guests" => principal.kind == Kind::Guest,
            "anonymous" => principal.kind == Kind::Anonymous,
            word if word.starts_with("key:") => *word == *principal.id,
            word => word.strip_prefix("owner:").is_some_and(|owner| *owner == *principal.owner),
        };
        self.who.is_empty() || self.who.iter().any(of)
    }

    /// Whether it speaks of what is behind a door.
    pub(super) fn covers(&self, server: &str, group: Option<&str>) -> bool {
        let grouped =
            self.groups.is_empty() || group.is_some_and(|group| self.groups.iter().any(|one| fits(one, group)));
        grouped && self.names(server)
    }

    /// Whether it speaks of a server, as a whole or by some of its groups.
    pub(super) fn names(&self, server: &str) -> bool {
        self.servers.iter().any(|one| fits(one, server))
    }

    /// Whether it speaks of a tool.
    pub(super) fn has(&self, tool: &str) -> bool {
        self.tools.is_empty() || self.tools.iter().any(|one| fits(one, tool))
    }
}

fn is_who(word: &str) -> bool {
    matches!(word, "everyone" | "accounts" | "guests" | "anonymous")
        || ["account:", "owner:", "key:"].iter().any(|kind| word.strip_prefix(kind).is_some_and(|id| !id.is_empty()))
}

/// Whether a name fits a pattern in which `*` stands for any characters.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, name, wanted) in [
            ("shop", "shop", true),
            ("shop", "shop-mcp", false),
            ("*", "", true),
            ("shop*", "shop-mcp", true),
            ("*-mcp", "shop-mcp", true),
            ("get_*_by_*", "get_item_by_id", true),
            ("get_*_by_*", "get_item", false),
            ("a*a", "a", false),
            ("a*b*b", "ab", false),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
