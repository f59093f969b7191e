//! Words of a tool's name that narrow its rows: `list_active_users`, `list_open_tickets`,
//! `get_latest_reading`. A word that nothing explains stops the plan: an answer without what it
//! asks for would be wrong.

use connect::catalogue::{Column, Kind};

use super::Refusal;
use super::draft::Draft;
use super::field;
use super::order::newest;
use super::table::unexplained;
use super::verb::Asked;
use super::words::{akin, is_filler, same, split};
use crate::output::list;
use crate::quote;

/// What the name's own words ask for.
#[derive(Default)]
pub(crate) struct Qualifiers<'a> {
    pub(crate) conditions: Vec<Condition<'a>>,
    /// The column of time that orders, and whether the latest come first.
    pub(crate) order: Option<(&'a Column, bool)>,
    pub(crate) why: Vec<String>,
}

/// A condition without a parameter.
pub(crate) enum Condition<'a> {
    /// A truth column holds.
    Holds(&'a Column),
    /// An enumerated column has this value.
    Is(&'a Column, String),
    /// A column is set.
    Set(&'a Column),
}

impl Condition<'_> {
    pub(crate) fn write(&self, draft: &Draft<'_>) -> String {
        match self {
            Self::Holds(column) if draft.dialect() == spec::sql::Dialect::Postgresql => draft.own(column),
            Self::Holds(column) => format!("{} = 1", draft.own(column)),
            Self::Is(column, value) => format!("{} = {}", draft.own(column), quote::text(value, draft.dialect())),
            Self::Set(column) => format!("{} IS NOT NULL", draft.own(column)),
        }
    }
}

/// Reads the words of the name that narrow.
pub(crate) fn qualify<'a>(draft: &Draft<'a>, asked: &Asked, parameters: &[&str]) -> Result<Qualifiers<'a>, Refusal> {
    let mut out = Qualifiers::default();
    let mut explained = Vec::new();
    let table = draft.table;
    let table_words = split(&table.name);
    let in_parameters =
        |word: &str| parameters.iter().any(|parameter| split(parameter).iter().any(|own| same(own, word)));
    // Words behind `by` name parameters, not rows: `get_user_by_active_token`.
    for word in asked.rest.iter().take_while(|word| *word != "by") {
        if is_filler(word) || in_parameters(word) || table_words.iter().any(|own| akin(own, word)) {
            continue;
        }
        if let Some(descending) = newest(word) {
            let mut times = table.columns.iter().filter(|column| field::is_time(column));
            let Some(column) = times.next() else {
                return Err(Refusal::new(format!(
                    "`{word}` in the name asks for an order in time, and table `{}` has no time",
                    table.name
                )));
            };
            out.why.push(format!("`{word}` in the name: ordered by `{}`.", column.name));
            out.order = Some((column, descending));
            explained.push(word.clone());
        } else if let Some((condition, why)) = condition(word, draft) {
            out.why.push(why);
            out.conditions.push(condition);
            explained.push(word.clone());
        } else if word == "current" && table.columns.iter().any(field::is_stock) {
            explained.push(word.clone());
        }
    }
    let unclear = unexplained(asked, table, draft.catalogue, parameters, &explained);
    if unclear.is_empty() {
        return Ok(out);
    }
    Err(Refusal::new(format!("nothing in table `{}` explains {} in the tool's name", table.name, list(&unclear)))
        .help("an answer without it could be wrong, so nothing is guessed".to_owned()))
}

fn condition<'a>(word: &str, draft: &Draft<'a>) -> Option<(Condition<'a>, String)> {
    let table = draft.table;
    let flag = table.columns.iter().find(|column| {
        column.kind == Kind::Boolean && {
            let words: Vec<String> =
                split(&column.name).into_iter().filter(|w| !matches!(w.as_str(), "is" | "has" | "was")).collect();
            words.len() == 1 && words[0] == word
        }
    });
    if let Some(column) = flag {
        return Some((Condition::Holds(column), format!("`{word}` in the name: rows where `{}` holds.", column.name)));
    }
    let mut valued = table.columns.iter().filter_map(|column| {
        let value = column.values.iter().find(|value| split(value).join("_") == word)?;
        Some((column, value))
    });
    if let (Some((column, value)), None) = (valued.next(), valued.next()) {
        let why = format!("`{word}` in the name: rows whose `{}` is `{value}`.", column.name);
        return Some((Condition::Is(column, value.clone()), why));
    }
    let set = table.columns.iter().find(|column| {
        let words = split(&column.name);
        column.nullable && field::is_time(column) && words.len() == 2 && words[0] == word && word.ends_with("ed")
    });
    set.map(|column| (Condition::Set(column), format!("`{word}` in the name: rows where `{}` is set.", column.name)))
}
