//! The order that a caller asks for by a parameter. The column is chosen by CASE; nothing is spliced.

use connect::catalogue::Column;
use spec::model::Parameter;

use super::draft::Draft;
use super::field;
use super::filter::{Role, choices};
use super::words::split;
use crate::codes::IGNORED;
use crate::quote;

/// The ORDER BY items of a `sort` parameter.
pub(crate) fn asked(draft: &mut Draft<'_>, parameters: &[Parameter], roles: &[Role<'_>]) -> Vec<String> {
    let of = |wanted: fn(&Role<'_>) -> bool| {
        parameters.iter().zip(roles).find(|(_, role)| wanted(role)).map(|(parameter, _)| parameter)
    };
    let Some(sort) = of(|role| matches!(role, Role::Sort)) else {
        return Vec::new();
    };
    let direction = of(|role| matches!(role, Role::Direction));
    let mut out = Vec::new();
    for choice in choices(sort) {
        let Some((column, descending)) = meaning(choice, draft) else {
            let message = format!(
                "`{choice}` of parameter `{}` of tool `{}` names no column to order by",
                sort.name, draft.ask.tool.name
            );
            draft.warnings.push(
                base::Diagnostic::warning(IGNORED, message)
                    .path(format!("{}/parameters/{}", draft.ask.path, sort.name)),
            );
            continue;
        };
        let when = format!(":{} = {}", sort.name, quote::text(choice, draft.dialect()));
        let column = draft.own(column);
        match direction.filter(|_| !descending) {
            Some(direction) => {
                let down = format!("COALESCE(:{}, 'asc') IN ('desc', 'descending', 'DESC')", direction.name);
                out.push(format!("CASE WHEN {when} AND {down} THEN {column} END DESC"));
                out.push(format!("CASE WHEN {when} AND NOT {down} THEN {column} END"));
            }
            None => out.push(format!("CASE WHEN {when} THEN {column} END{}", if descending { " DESC" } else { "" })),
        }
    }
    draft.why.push(format!("`{}` chooses the order by CASE, so no text of the caller becomes SQL.", sort.name));
    out
}

/// The column and direction that a choice such as `price_desc`, `-price` or `newest` means.
fn meaning<'a>(choice: &str, draft: &Draft<'a>) -> Option<(&'a Column, bool)> {
    let minus = choice.starts_with('-');
    let mut words = split(choice);
    let descending = match words.last().map(String::as_str) {
        Some("desc" | "descending") => true,
        Some("asc" | "ascending") => false,
        _ => {
            if let [word] = words.as_slice()
                && let Some(descending) = newest(word)
            {
                let mut times = draft.table.columns.iter().filter(|column| field::is_time(column));
                return times.next().map(|column| (column, descending));
            }
            return field::own(&words, draft.table).map(|field| (field.column, minus));
        }
    };
    words.pop();
    field::own(&words, draft.table).map(|field| (field.column, descending))
}

/// Whether a word asks for the latest rows first.
pub(crate) fn newest(word: &str) -> Option<bool> {
    match word {
        "newest" | "recent" | "latest" | "last" => Some(true),
        "oldest" | "earliest" => Some(false),
        _ => None,
    }
}
