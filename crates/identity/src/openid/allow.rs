//! Who is let in: a list of the operator's.

use super::person::Person;
use crate::accounts::Role;

/// Who is let in. Without entries nobody is who has no account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    who: Who,
    role: Role,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    /// Somebody with this address.
    Address(String),
    /// Somebody in this group.
    Group(String),
    /// Everybody with an address in this domain.
    Domain(String),
}

impl Allow {
    /// Reads entries: `ann@example.com`, `*@example.com`, `group:NAME`, each with `owner:`, `admin:` or `member:` before it
    /// for another role than the usual one. Only an address can be an owner's.
    ///
    /// # Errors
    /// The first entry that cannot be read, or that means whom another one means in another role.
    pub fn parse<'a>(entries: impl Iterator<Item = &'a str>, usual: Role) -> Result<Self, String> {
        let mut list = Vec::<Entry>::new();
        for text in entries.map(str::trim).filter(|entry| !entry.is_empty()) {
            let entry = read(text, usual).ok_or_else(|| text.to_owned())?;
            if list.iter().any(|known| known.who == entry.who && known.role != entry.role) {
                return Err(text.to_owned());
            }
            list.push(entry);
        }
        Ok(Self(list))
    }

    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an owner is named.
    pub fn names_owner(&self) -> bool {
        self.0.iter().any(|entry| entry.role == Role::Owner)
    }

    /// Whether a group is named.
    pub fn names_groups(&self) -> bool {
        self.0.iter().any(|entry| matches!(entry.who, Who::Group(_)))
    }

    /// The role of a person who is let in: that of the entry that says most exactly whom it means; of several groups, the first.
    pub fn role(&self, person: &Person) -> Option<Role> {
        let fitting = self.0.iter().filter(|entry| entry.who.is(person));
        fitting.min_by_key(|entry| entry.who.breadth()).map(|entry| entry.role)
    }

    /// Whether an address is named itself: a whole domain does not name it.
    pub fn names(&self, address: &str) -> bool {
        self.0.iter().any(|entry| matches!(&entry.who, Who::Address(known) if known == address))
    }
}

impl Who {
    /// How many it may mean: the smaller, the more exact.
    fn breadth(&self) -> u8 {
        match self {
            Self::Address(_) => 0,
            Self::Group(_) => 1,
            Self::Domain(_) => 2,
        }
    }

    fn is(&self, person: &Person) -> bool {
        match self {
            Self::Address(address) => person.verified() == Some(address),
            Self::Domain(domain) => {
                person.verified().and_then(|address| address.split_once('@')).is_some_and(|(_, own)| own == domain)
            }
            Self::Group(group) => person.groups.contains(group),
        }
    }
}

fn read(entry: &str, usual: Role) -> Option<Entry> {
    let named = entry.split_once(':').and_then(|(word, rest)| Some((Role::of_word(word)?, rest.trim())));
    let (role, rest) = named.unwrap_or((usual, entry));
    let who = match rest.strip_prefix("group:") {
        Some(group) => Who::Group(Some(group.trim().to_owned()).filter(|group| !group.is_empty())?),
        None => {
            let (one, domain) = rest.split_once('@')?;
            let plain = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && !b"*@:,<>\"".contains(&byte))
            };
            let domain = Some(domain.to_ascii_lowercase()).filter(|domain| plain(domain))?;
            match one {
                "*" => Who::Domain(domain),
                one if plain(one) => Who::Address(format!("{}@{domain}", one.to_ascii_lowercase())),
                _ => return None,
            }
        }
    };
    (role != Role::Owner || matches!(who, Who::Address(_))).then_some(Entry { who, role })
}

#[cfg(test)]
mod tests {
    use super::{Allow, Person, Role};

    fn person(email: &str, verified: bool, groups: &[&str]) -> Person {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Person { subject: "1".to_owned(), email: Some(email.to_owned()), is_verified: verified, name: None, groups }
    }

    #[test]
    fn the_most_exact_entry_says_the_role_and_who_is_not_named_has_none() {
        let list = "*@example.com, admin:group:ops, owner:Ann@Example.com,group:guests:all,member:bob@other.org";
        let allow = Allow::parse(list.split(','), Role::Member).unwrap();
        let role = |email: &str, groups: &[&str]| allow.role(&person(email, true, groups));
        assert_eq!(role("ann@example.com", &["ops"]), Some(Role::Owner));
        assert_eq!(role("bob@example.com", &["ops"]), Some(Role::Admin));
        assert_eq!(role("bob@example.com", &[]), Some(Role::Member));
        assert_eq!(role("eve@elsewhere.org", &["guests:all"]), Some(Role::Member));
        for stranger in [
            "eve@elsewhere.org",
            "eve@sub.example.com",
            "eve@xexample.com",
            "eve@example.com.evil.org",
            "bob@other.orgs",
        ] {
            assert_eq!(role(stranger, &["op", "group:ops"]), None, "{stranger}");
        }
        assert_eq!(allow.role(&person("ann@example.com", false, &[])), None, "nobody vouches for the address");
        assert_eq!(allow.role(&person("ann@example.com", false, &["ops"])), Some(Role::Admin));
        assert!(allow.names("ann@example.com") && !allow.names("bob@example.com") && allow.names_owner());
    }

    #[test]
    fn entries_that_mean_nothing_are_refused() {
        for bad in [
            "ann",
            "*",
            "@example.com",
            "*@",
            "a*@example.com",
            "group:",
            "owner:*@example.com",
            "owner:group:ops",
            "boss:a@b",
            "a@b@c",
            "*@*.com",
        ] {
            assert_eq!(Allow::parse([bad].into_iter(), Role::Member), Err(bad.to_owned()));
        }
        assert!(Allow::parse(["", " "].into_iter(), Role::Member).unwrap().is_empty());
        let twice = |list: &str| Allow::parse(list.split(','), Role::Member);
        assert_eq!(twice("a@x,owner:A@X"), Err("owner:A@X".to_owned()), "two roles of one person");
        assert!(twice("a@x,member:a@x,admin:group:a,group:b").is_ok());
    }
}
