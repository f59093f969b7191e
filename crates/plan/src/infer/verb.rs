//! What a tool's name asks for.

use super::words::split;

/// What a tool does to its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Looks for rows.
    Search,
    /// Gives one row, or the rows of one thing.
    Get,
    /// Counts rows.
    Count,
    /// Changes columns of one row.
    Update,
    /// Adds to a column of one row.
    Increase,
    /// Takes from a column of one row.
    Decrease,
    /// Adds a row.
    Create,
    /// Adds a row, or changes the one with its key.
    Upsert,
    /// Removes one row.
    Delete,
}

const WORDS: [(Verb, &[&str]); 9] = [
    (
        Verb::Search,
        &[
            "search",
            "find",
            "query",
            "list",
            "browse",
            "filter",
            "lookup",
            "explore",
            "discover",
            "ls",
            "match",
            "searching",
        ],
    ),
    (
        Verb::Get,
        &[
            "get", "fetch", "read", "show", "describe", "check", "view", "retrieve", "display", "inspect", "lookup",
            "load", "see",
        ],
    ),
    (Verb::Count, &["count", "total"]),
    (Verb::Update, &["update", "set", "change", "edit", "modify", "adjust", "patch", "rename", "correct"]),
    (Verb::Increase, &["increase", "increment", "restock", "replenish"]),
    (Verb::Decrease, &["decrease", "decrement", "reduce", "deduct"]),
    (Verb::Create, &["create", "add", "insert", "new", "register", "record", "log", "submit", "open"]),
    (Verb::Upsert, &["upsert", "save", "put"]),
    (Verb::Delete, &["delete", "remove", "erase", "drop", "destroy"]),
];

/// A verb, and the rest of the words of the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) verb: Verb,
    /// The word that said so.
    pub(crate) word: String,
    /// Words of the name without the verb.
    pub(crate) rest: Vec<String>,
}

impl Verb {
    /// Whether it changes rows.
    pub(crate) fn writes(self) -> bool {
        !matches!(self, Self::Search | Self::Get | Self::Count)
    }

    fn of(word: &str) -> Option<Self> {
        WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(verb, _)| *verb)
    }
}

/// Reads the verb from the name: its first word, `how_many`, its last word for reads
/// (`product_search`), else the first word of the description for reads.
pub(crate) fn read(name: &str, description: Option<&str>) -> Option<Asked> {
    let words = split(name);
    if words.len() >= 2 && words[0] == "how" && matches!(words[1].as_str(), "many" | "much") {
        return Some(Asked { verb: Verb::Count, word: "how many".to_owned(), rest: words[2..].to_vec() });
    }
    let first = words.first()?;
    if words.len() >= 2 && first == "look" && words[1] == "up" {
        return Some(Asked { verb: Verb::Search, word: "look up".to_owned(), rest: words[2..].to_vec() });
    }
    if let Some(verb) = Verb::of(first) {
        let mut rest = words[1..].to_vec();
        // `get_order_count`, `get_number_of_orders`.
        let counted = rest.last().is_some_and(|word| word == "count")
            || (rest.len() > 2 && rest[0] == "number" && rest[1] == "of");
        if verb == Verb::Get && counted {
            rest.retain(|word| !matches!(word.as_str(), "count" | "number" | "of"));
            return Some(Asked { verb: Verb::Count, word: "count".to_owned(), rest });
        }
        return Some(Asked { verb, word: first.clone(), rest });
    }
    let last = words.last()?;
    if let Some(verb) = Verb::of(last).filter(|verb| !verb.writes() && words.len() > 1) {
        return Some(Asked { verb, word: last.clone(), rest: words[..words.len() - 1].to_vec() });
    }
    let said = split(description?);
    let said = said.first()?;
    let said = said.strip_suffix('s').filter(|_| Verb::of(said).is_none()).unwrap_or(said);
    let verb = if matches!(said, "return" | "give") { Some(Verb::Get) } else { Verb::of(said) };
    verb.filter(|verb| !verb.writes()).map(|verb| Asked { verb, word: said.to_owned(), rest: words })
}
