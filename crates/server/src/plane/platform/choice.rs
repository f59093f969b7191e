//! Which tools a client wants to see, as the query of its URL says.

use std::collections::BTreeSet;

use operations::Code;

/// Most names that an error lists.
const NAMED_MAX: usize = 20;
/// Longest list of servers or groups.
const NAMES_MAX: usize = 100;

/// Which tools are listed. The default: those of the platform, and those of every server as long as they are not too many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Choice {
    /// The servers; all when empty.
    pub(super) servers: Vec<String>,
    /// Groups that the specs of servers declare; all tools when empty.
    pub(super) groups: Vec<String>,
    /// Whether the tools of the platform are left out.
    pub(super) without_platform: bool,
    /// Whether the tools of servers are left out.
    pub(super) without_servers: bool,
}

impl Choice {
    /// Reads the query of a URL.
    ///
    /// # Errors
    /// It says something else.
    pub(super) fn parse(query: &str) -> Result<Self, String> {
        let mut choice = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let names = || value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
            match name.as_ref() {
                "servers" => choice.servers.extend(names()),
                "groups" => choice.groups.extend(names()),
                "tools" => match value.as_ref() {
                    "all" => {}
                    "platform" => choice.without_servers = true,
                    "servers" => choice.without_platform = true,
                    _ => return Err("`tools` is `all`, `platform` or `servers`".to_owned()),
                },
                other => {
                    let shown: String = other.chars().take(40).collect();
                    return Err(format!("the query has `{shown}`, and is made of `servers`, `groups` and `tools`"));
                }
            }
        }
        if choice.servers.len() > NAMES_MAX || choice.groups.len() > NAMES_MAX {
            return Err(format!("the query names more than {NAMES_MAX} servers or groups"));
        }
        choice.servers.sort_unstable();
        choice.groups.sort_unstable();
        Ok(choice)
    }

    /// The query that chooses a group at `/mcp/groups/GROUP`: those two words, or a group of specs.
    pub(super) fn query_of_group(group: &str) -> String {
        match group {
            "platform" | "servers" => format!("tools={group}"),
            _ => format!("tools=servers&groups={group}"),
        }
    }

    /// Whether nothing narrows what is listed of servers.
    pub(super) fn is_open(&self) -> bool {
        self.servers.is_empty() && self.groups.is_empty()
    }

    /// Whether a server is among the chosen ones.
    pub(super) fn has_server(&self, name: &str) -> bool {
        !self.without_servers && (self.servers.is_empty() || self.servers.iter().any(|known| known == name))
    }
}

/// What is said of a name that nothing has, with those that there are.
pub(super) fn nothing(what: &str, name: &str, known: &BTreeSet<&str>) -> String {
    let shown: String = name.chars().take(64).collect();
    let mut text = format!("{}: there is no {what} `{shown}` that you may use", Code::NoPath.as_str());
    if let Some(near) = base::nearest(name, known.iter().copied()) {
        text.push_str(&format!("; did you mean `{near}`?"));
    }
    let names: Vec<&str> = known.iter().copied().take(NAMED_MAX).collect();
    let more = known.len().saturating_sub(NAMED_MAX);
    text.push_str(&match (names.is_empty(), more) {
        (true, _) => format!("; no {what} of yours, or that you were given, runs"),
        (false, 0) => format!("; those that run are {}", names.join(", ")),
        (false, more) => format!("; those that run are {} and {more} more", names.join(", ")),
    });
    text
}

#[cfg(test)]
mod tests {
    use super::Choice;

    #[test]
    fn queries_choose() {
        let parsed = |query: &str| Choice::parse(query).unwrap();
        assert!(parsed("").is_open() && parsed("tools=all").has_server("a"));
        let some = parsed("servers=b,a&servers=c");
        assert_eq!(some.servers, ["a", "b", "c"]);
        assert!(some.has_server("b") && !some.has_server("d"));
        assert!(!parsed("tools=platform").has_server("a"));
        assert!(parsed(&Choice::query_of_group("servers")).without_platform);
        assert_eq!(parsed(&Choice::query_of_group("sales")).groups, ["sales"]);
        assert!(Choice::parse("tools=some").is_err() && Choice::parse("server=a").is_err());
        assert!(Choice::parse(&format!("servers={}", "a,".repeat(3) + &"b,".repeat(99))).is_err());
    }
}
