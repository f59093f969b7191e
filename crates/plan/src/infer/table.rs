//! Which table a tool is about.

use connect::Catalogue;
use connect::catalogue::Table;

use super::field::{self, How};
use super::verb::Asked;
use super::words::{akin, is_filler, same, split};

/// What the choice is made from.
pub(crate) struct Clues<'a> {
    pub(crate) asked: &'a Asked,
    pub(crate) description: Vec<String>,
    /// Names of the parameters that should be columns.
    pub(crate) parameters: Vec<&'a str>,
    /// Names of the properties of a row in `returns`.
    pub(crate) properties: Vec<&'a str>,
}

/// Why no table was chosen.
pub(crate) enum Unclear<'a> {
    /// Nothing fits.
    Nothing,
    /// These fit equally well.
    Several(Vec<&'a Table>),
}

/// Less than this says nothing.
const SCORE_MIN: f32 = 40.0;
/// What a table gains when the tool names it with all its words and no others.
const EXACT: f32 = 12.0;
/// Nearer than this is a tie.
const MARGIN: f32 = 8.0;

/// The table that the tool is about, and why.
pub(crate) fn choose<'a>(clues: &Clues<'_>, catalogue: &'a Catalogue) -> Result<(&'a Table, String), Unclear<'a>> {
    let mut scored: Vec<(f32, &Table)> =
        catalogue.tables.iter().map(|table| (score(clues, table, catalogue), table)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let Some(&(best, table)) = scored.first().filter(|(score, _)| *score >= SCORE_MIN) else {
        return Err(Unclear::Nothing);
    };
    let near: Vec<&Table> =
        scored.iter().filter(|(score, _)| *score > best - MARGIN).map(|(_, table)| *table).collect();
    if near.len() > 1 {
        return Err(Unclear::Several(near));
    }
    Ok((table, why(clues, table, catalogue)))
}

fn score(clues: &Clues<'_>, table: &Table, catalogue: &Catalogue) -> f32 {
    let name = table_words(table, catalogue);
    let subject: Vec<&String> = clues
        .asked
        .rest
        .iter()
        .take_while(|word| !matches!(word.as_str(), "by" | "for" | "from" | "in" | "of"))
        .collect();
    let rest: Vec<&String> = clues.asked.rest.iter().collect();
    let mut score = 100.0 * fraction(&name, &subject).max(0.8 * fraction(&name, &rest));
    if score == 0.0 {
        score += 35.0 * fraction(&name, &clues.description.iter().collect::<Vec<_>>());
    } else {
        score += 10.0 * fraction(&name, &clues.description.iter().collect::<Vec<_>>());
    }
    // `list_active_orders` means the view of that name, not the table `orders`.
    if name.len() == subject.len() && name.iter().zip(&subject).all(|(own, word)| same(own, word)) {
        score += EXACT;
    }
    // `get_stock_level`: a column is the subject.
    let measured = subject.iter().filter(|word| !is_filler(word) && !name.iter().any(|own| akin(own, word)));
    for word in measured {
        score += match field::own(std::slice::from_ref(*word), table).map(|field| field.how) {
            Some(How::Name | How::Part | How::Table) => 30.0,
            Some(How::Synonym) => 22.0,
            _ => -6.0,
        };
    }
    let weight = |name: &str| match field::find(name, table, catalogue).map(|field| field.how) {
        Some(How::Name) => 12.0,
        Some(How::Key | How::Table | How::Part | How::Synonym) => 9.0,
        Some(How::Joined) => 5.0,
        None => -4.0,
    };
    score += clues.parameters.iter().map(|name| weight(name)).sum::<f32>();
    score += 0.7 * clues.properties.iter().map(|name| weight(name)).sum::<f32>();
    let comment = split(table.comment.as_deref().unwrap_or_default());
    let said =
        clues.asked.rest.iter().filter(|word| !is_filler(word) && comment.iter().any(|own| same(own, word))).count();
    score += 5.0 * (said.min(4) as f32);
    let references: usize = table.foreign_keys.iter().map(|key| key.columns.len()).sum();
    if table.foreign_keys.len() >= 2 && references >= table.columns.len() {
        score -= 25.0;
    }
    if table.view { score - 2.0 } else { score }
}

/// How much of a table's name is among these words; a synonym counts for less. Order does not
/// matter, but words that the table's name lacks count against it a little.
fn fraction(name: &[String], words: &[&String]) -> f32 {
    let meaning: Vec<&&String> =
        words.iter().filter(|word| !is_filler(word) || name.iter().any(|own| same(own, word))).collect();
    let each = name.iter().map(|own| {
        if meaning.iter().any(|word| same(own, word)) {
            1.0
        } else if meaning.iter().any(|word| akin(own, word)) {
            0.6
        } else {
            0.0
        }
    });
    let found: f32 = each.sum::<f32>() / name.len().max(1) as f32;
    let last = name.last().is_some_and(|own| meaning.iter().any(|word| akin(own, word)));
    // `order_items` is not what `list_orders` asks for, but half of it is there.
    if last || found >= 1.0 { found } else { found * 0.5 }
}

/// The words of a table's name without a prefix that all tables share (`app_users`, `app_orders`).
pub(crate) fn table_words(table: &Table, catalogue: &Catalogue) -> Vec<String> {
    let words = split(&table.name);
    let shared = catalogue.tables.len() > 1
        && words.len() > 1
        && catalogue.tables.iter().all(|other| {
            let other = split(&other.name);
            other.len() > 1 && other[0] == words[0]
        });
    let prefix = shared || (words.len() > 1 && matches!(words[0].as_str(), "tbl" | "t" | "tb" | "vw" | "v"));
    if prefix { words[1..].to_vec() } else { words }
}

fn why(clues: &Clues<'_>, table: &Table, catalogue: &Catalogue) -> String {
    let name = table_words(table, catalogue);
    let rest = &clues.asked.rest;
    let what = if table.view { "View" } else { "Table" };
    let named = name.iter().all(|own| rest.iter().any(|word| same(own, word)));
    let reason = if named {
        "the tool's name says so".to_owned()
    } else if let Some((own, word)) = name.iter().find_map(|own| Some((own, rest.iter().find(|word| akin(own, word))?)))
    {
        if same(own, word) {
            format!("the tool's name says `{word}`")
        } else {
            format!("`{word}` in the tool's name means the same")
        }
    } else if let Some(field) =
        rest.iter().filter(|w| !is_filler(w)).find_map(|w| field::own(std::slice::from_ref(w), table))
    {
        format!("it has the column `{}` that the tool's name asks for", field.column.name)
    } else {
        "the tool's description and parameters fit it best".to_owned()
    };
    format!("{what} `{}`: {reason}.", table.name)
}

/// The words of the tool's name that neither the table, its columns, its neighbours nor the
/// parameters explain. A word that is not understood may ask for something that would be missing.
pub(crate) fn unexplained<'a>(
    asked: &'a Asked,
    table: &Table,
    catalogue: &Catalogue,
    parameters: &[&str],
    explained: &[String],
) -> Vec<&'a str> {
    let name = split(&table.name);
    let in_parameters =
        |word: &str| parameters.iter().any(|parameter| split(parameter).iter().any(|own| akin(own, word)));
    let in_columns = |word: &String| {
        table.columns.iter().any(|column| split(&column.name).iter().any(|own| same(own, word)))
            || field::own(std::slice::from_ref(word), table).is_some()
    };
    let in_neighbours = |word: &str| {
        table
            .foreign_keys
            .iter()
            .any(|key| catalogue.table(&key.table).is_some_and(|t| split(&t.name).iter().any(|own| akin(own, word))))
    };
    let known = |word: &&String| {
        is_filler(word)
            || explained.contains(word)
            || name.iter().any(|own| akin(own, word))
            || in_parameters(word)
            || in_columns(word)
            || in_neighbours(word)
    };
    asked.rest.iter().filter(|word| !known(word)).map(String::as_str).collect()
}
