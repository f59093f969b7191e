//! Which column a name means.

use connect::Catalogue;
use connect::catalogue::{Column, ForeignKey, Kind, Table};

use super::words::{akin, same, same_all, split};

/// A column, and why it is the one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) column: &'a Column,
    /// The foreign key of the base table that leads to the column's table.
    pub(crate) via: Option<(&'a ForeignKey, &'a Table)>,
    pub(crate) how: How,
}

/// How sure a match is, surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum How {
    /// The same name.
    Name,
    /// `id` or `product_id` for the primary key.
    Key,
    /// The name with or without the table's: `product_name` and `name`.
    Table,
    /// The only column whose words end or start so: `price` and `unit_price`.
    Part,
    /// A word that means the same.
    Synonym,
    /// A column of a table one foreign key away.
    Joined,
}

impl Field<'_> {
    /// Whether the name is the column's own.
    pub(crate) fn is_named(&self) -> bool {
        self.how == How::Name
    }

    /// The column as a sentence names it: with its table when that is another one.
    pub(crate) fn said(&self) -> String {
        match self.via {
            Some((_, table)) => format!("{}.{}", table.name, self.column.name),
            None => self.column.name.clone(),
        }
    }
}

/// The column of a table that a name means, looking one foreign key far.
pub(crate) fn find<'a>(name: &str, table: &'a Table, catalogue: &'a Catalogue) -> Option<Field<'a>> {
    let words = split(name);
    own(&words, table).or_else(|| joined(&words, table, catalogue))
}

/// The column of the table itself that a name means.
pub(crate) fn own<'a>(words: &[String], table: &'a Table) -> Option<Field<'a>> {
    if words.is_empty() {
        return None;
    }
    let field = |column, how| Some(Field { column, via: None, how });
    let columns = || table.columns.iter();
    if let Some(column) = columns()
        .find(|c| split(&c.name) == words)
        .or_else(|| one(columns().filter(|c| same_all(&split(&c.name), words))))
    {
        return field(column, How::Name);
    }
    let table_words = split(&table.name);
    let rest = without_table(words, &table_words);
    let id = |words: &[String]| matches!(words, [word] if word == "id" || word == "key" || word == "uuid");
    if let [key] = table.primary_key.as_slice()
        && (id(words) || rest.is_some_and(id))
        && let Some(column) = table.column(key)
    {
        return field(column, How::Key);
    }
    if let Some(column) = rest.and_then(|rest| one(columns().filter(|c| same_all(&split(&c.name), rest)))) {
        return field(column, How::Table);
    }
    let with_table =
        |column: &&Column| without_table(&split(&column.name), &table_words).is_some_and(|rest| same_all(rest, words));
    if let Some(column) = one(columns().filter(with_table)) {
        return field(column, How::Table);
    }
    // `id` names a key, never a part: `id` is not `order_id`.
    if words.iter().any(|word| word == "id") {
        return None;
    }
    let starts = |column: &&Column| ends_or_starts(&split(&column.name), words) && !is_reference(column);
    if let Some(column) = one(columns().filter(starts)) {
        return field(column, How::Part);
    }
    let synonym = |column: &&Column| {
        let words_of = split(&column.name);
        words_of.len() == words.len() && words_of.iter().zip(words).all(|(a, b)| akin(a, b))
    };
    if let Some(column) = one(columns().filter(synonym)) {
        return field(column, How::Synonym);
    }
    // `stock` and `stock_quantity` is a part; `inventory` and `stock_quantity` is its synonym.
    let loose = |column: &&Column| {
        let words_of = split(&column.name);
        words.len() == 1
            && words_of.len() > 1
            && !is_reference(column)
            && words_of.iter().all(|word| akin(word, &words[0]))
    };
    one(columns().filter(loose)).and_then(|column| field(column, How::Synonym))
}

/// `category` or `category_name` for the name of the row that `category_id` refers to.
fn joined<'a>(words: &[String], table: &'a Table, catalogue: &'a Catalogue) -> Option<Field<'a>> {
    let mut found: Vec<Field<'a>> = Vec::new();
    for key in table.foreign_keys.iter().filter(|key| key.columns.len() == 1 && key.references.len() == 1) {
        let Some(target) = catalogue.table(&key.table) else { continue };
        let mut role = split(&key.columns[0]);
        if role.last().is_some_and(|word| word == "id" || word == "key" || word == "code") {
            role.pop();
        }
        let names = [role, split(&target.name)];
        for owner in names.iter().filter(|owner| !owner.is_empty()) {
            let column = if same_all(owner, words) {
                label(target)
            } else {
                without_table(words, owner)
                    .filter(|rest| !matches!(rest, [word] if word == "id"))
                    .and_then(|rest| own(rest, target))
                    .map(|f| f.column)
            };
            if let Some(column) = column {
                found.push(Field { column, via: Some((key, target)), how: How::Joined });
                break;
            }
        }
    }
    match found.as_slice() {
        [field] => Some(*field),
        _ => None,
    }
}

/// The column that people call a row by.
pub(crate) fn label(table: &Table) -> Option<&Column> {
    let text = |column: &&Column| matches!(column.kind, Kind::Text | Kind::Enum);
    ["name", "title", "label", "full_name", "display_name", "username", "subject", "last_name", "email", "code"]
        .iter()
        .find_map(|name| table.columns.iter().filter(text).find(|column| column.name.eq_ignore_ascii_case(name)))
        .or_else(|| {
            one(table
                .columns
                .iter()
                .filter(text)
                .filter(|c| split(&c.name).last().is_some_and(|w| w == "name" || w == "title")))
        })
}

fn one<T>(mut of: impl Iterator<Item = T>) -> Option<T> {
    let first = of.next()?;
    of.next().is_none().then_some(first)
}

/// The words behind the table's (its last word, or all of them): `product_id` without `products` is `id`.
pub(crate) fn without_table<'a>(words: &'a [String], table: &[String]) -> Option<&'a [String]> {
    for start in 0..table.len() {
        let name = &table[start..];
        if words.len() > name.len() && same_all(&words[..name.len()], name) {
            return Some(&words[name.len()..]);
        }
    }
    None
}

fn ends_or_starts(long: &[String], short: &[String]) -> bool {
    long.len() > short.len()
        && (same_all(&long[long.len() - short.len()..], short) || same_all(&long[..short.len()], short))
}

fn is_reference(column: &Column) -> bool {
    split(&column.name).last().is_some_and(|word| word == "id")
}

/// Columns that hold secrets: never selected unless asked for by name.
pub(crate) fn is_secret(column: &Column) -> bool {
    const SECRET: [&str; 14] = [
        "password",
        "passwd",
        "pwd",
        "secret",
        "secrets",
        "token",
        "tokens",
        "salt",
        "hash",
        "passphrase",
        "otp",
        "totp",
        "credential",
        "credentials",
    ];
    let words = split(&column.name);
    words.iter().any(|word| SECRET.contains(&word.as_str()))
        || words.windows(2).any(|pair| {
            matches!((pair[0].as_str(), pair[1].as_str()), ("api" | "private" | "access" | "secret", "key"))
        })
}

/// Text that people do not search in.
pub(crate) fn is_opaque(column: &Column) -> bool {
    const OPAQUE: [&str; 20] = [
        "url", "uri", "link", "href", "image", "img", "photo", "picture", "avatar", "icon", "path", "file", "checksum",
        "digest", "guid", "uuid", "id", "etag", "mime", "timezone",
    ];
    is_secret(column) || split(&column.name).iter().any(|word| OPAQUE.contains(&word.as_str()))
}

/// A number that counts things on hand.
pub(crate) fn is_stock(column: &Column) -> bool {
    matches!(column.kind, Kind::Integer | Kind::Bigint | Kind::Numeric | Kind::Float)
        && !is_reference(column)
        && split(&column.name)
            .iter()
            .any(|word| ["stock", "quantity", "qty", "inventory", "available"].iter().any(|w| same(w, word)))
        && !split(&column.name)
            .iter()
            .any(|word| ["min", "max", "reorder", "threshold", "reserved", "sold", "ordered"].contains(&word.as_str()))
}

/// A point in time, or a day.
pub(crate) fn is_time(column: &Column) -> bool {
    matches!(column.kind, Kind::Date | Kind::Timestamp | Kind::Timestamptz)
        // Engines without such types keep them as text or numbers under a telling name.
        || (matches!(column.kind, Kind::Text | Kind::Other | Kind::Integer | Kind::Bigint)
            && split(&column.name).last().is_some_and(|word| matches!(word.as_str(), "at" | "date" | "time" | "timestamp" | "on" | "day")))
}
