//! What each parameter of a reading tool does.

use connect::Catalogue;
use connect::catalogue::{Column, Kind, Table};
use spec::model::Parameter;

use super::field::{self, Field, How, is_stock, is_time};
use super::verb::Verb;
use super::words::split;

/// What a parameter does in the statement.
#[derive(Clone, Debug)]
pub(crate) enum Role<'a> {
    /// A text that some column contains.
    Text,
    /// A text that this column contains.
    Contains(Field<'a>),
    /// A column equals it.
    Equal(Field<'a>),
    /// A column of arrays holds it.
    Holds(Field<'a>),
    /// A column is one of it.
    OneOf(Field<'a>),
    /// A column compares with it.
    Compare(Field<'a>, &'static str),
    /// Whether a number on hand is above zero.
    OnHand(&'a Column),
    /// Most rows.
    Limit,
    /// Rows before.
    Offset,
    /// Which page, from 1.
    Page,
    /// Which column orders.
    Sort,
    /// `asc` or `desc`.
    Direction,
    /// Nothing fits.
    Unknown,
}

const TEXT: [&str; 16] = [
    "query",
    "q",
    "search",
    "text",
    "term",
    "keyword",
    "keywords",
    "phrase",
    "needle",
    "search_term",
    "search_text",
    "search_query",
    "contains",
    "query_text",
    "search_string",
    "filter",
];
const LIMIT: [&str; 16] = [
    "limit",
    "max_results",
    "max",
    "count",
    "page_size",
    "per_page",
    "top",
    "n",
    "num_results",
    "size",
    "max_rows",
    "results",
    "limit_to",
    "max_items",
    "num",
    "first",
];
const OFFSET: [&str; 4] = ["offset", "skip", "start", "from_row"];
const PAGE: [&str; 3] = ["page", "page_number", "page_no"];
const SORT: [&str; 5] = ["sort", "sort_by", "order_by", "sortby", "order"];
const DIRECTION: [&str; 5] = ["direction", "sort_order", "order_direction", "sort_direction", "sort_dir"];

/// Whether a parameter of this name steers the answer, whatever the table.
pub(crate) fn is_control(name: &str) -> bool {
    let name = split(name).join("_");
    [&TEXT[..], &LIMIT, &OFFSET, &PAGE, &SORT, &DIRECTION].iter().any(|names| names.contains(&name.as_str()))
}

/// What a parameter does in a statement on this table.
pub(crate) fn role<'a>(parameter: &Parameter, verb: Verb, table: &'a Table, catalogue: &'a Catalogue) -> Role<'a> {
    let name = split(&parameter.name).join("_");
    let name = name.as_str();
    let kind = parameter.schema.kind();
    let integer = matches!(kind, Some("integer" | "number"));
    let own = field::own(&split(&parameter.name), table).filter(Field::is_named);
    if own.is_none() {
        if TEXT.contains(&name) && matches!(kind, Some("string") | None) && !parameter.schema.0.contains_key("enum") {
            return Role::Text;
        }
        if integer && LIMIT.contains(&name) {
            return Role::Limit;
        }
        if integer && OFFSET.contains(&name) {
            return Role::Offset;
        }
        if integer && PAGE.contains(&name) {
            return Role::Page;
        }
        let choices = choices(parameter);
        let directions = !choices.is_empty()
            && choices
                .iter()
                .all(|c| matches!(c.to_ascii_lowercase().as_str(), "asc" | "desc" | "ascending" | "descending"));
        if directions && (DIRECTION.contains(&name) || SORT.contains(&name)) {
            return Role::Direction;
        }
        if SORT.contains(&name) && !choices.is_empty() {
            return Role::Sort;
        }
    }
    if let Some(field) = own {
        return of_field(parameter, verb, field);
    }
    if let Some((field, sign)) = compare(&split(&parameter.name), table) {
        return Role::Compare(field, sign);
    }
    if kind == Some("boolean") {
        let words = split(&parameter.name);
        let flag = table.columns.iter().find(|column| {
            column.kind == Kind::Boolean && split(&column.name).iter().any(|own| words.last().is_some_and(|w| w == own))
        });
        if let Some(column) = flag {
            return Role::Equal(Field { column, via: None, how: How::Part });
        }
        let asks = matches!(
            name,
            "in_stock" | "available" | "is_available" | "only_in_stock" | "in_stock_only" | "available_only"
        );
        let mut counts = table.columns.iter().filter(|column| is_stock(column));
        return match (asks, counts.next(), counts.next()) {
            (true, Some(column), None) => Role::OnHand(column),
            _ => Role::Unknown,
        };
    }
    match field::find(&parameter.name, table, catalogue) {
        Some(field) => of_field(parameter, verb, field),
        None => Role::Unknown,
    }
}

fn of_field<'a>(parameter: &Parameter, verb: Verb, field: Field<'a>) -> Role<'a> {
    match parameter.schema.kind() {
        Some("array") if !matches!(field.column.kind, Kind::Array | Kind::Json) => Role::OneOf(field),
        Some("array" | "object") => Role::Unknown,
        _ if field.column.kind == Kind::Array => Role::Holds(field),
        Some("string") | None if verb == Verb::Search && searchable(parameter, field.column) => Role::Contains(field),
        _ => Role::Equal(field),
    }
}

/// Whether a search for a column means a part of its text: names and prose, not codes and states.
fn searchable(parameter: &Parameter, column: &Column) -> bool {
    const PROSE: [&str; 15] = [
        "name",
        "title",
        "description",
        "summary",
        "subject",
        "body",
        "content",
        "text",
        "comment",
        "comments",
        "notes",
        "note",
        "message",
        "author",
        "address",
    ];
    column.kind == Kind::Text
        && column.values.is_empty()
        && !parameter.schema.0.contains_key("enum")
        && split(&column.name).last().is_some_and(|word| PROSE.contains(&word.as_str()))
}

/// The texts of a parameter's `enum`.
pub(crate) fn choices(parameter: &Parameter) -> Vec<&str> {
    let values = parameter.schema.0.get("enum").and_then(serde_json::Value::as_array);
    values.into_iter().flatten().filter_map(serde_json::Value::as_str).collect()
}

/// `min_price`, `price_max`, `created_after`, `since`, `from_date`.
fn compare<'a>(words: &[String], table: &'a Table) -> Option<(Field<'a>, &'static str)> {
    let sign = |word: &str| match word {
        "min" | "minimum" | "from" | "since" | "start" | "starting" | "gte" | "least" => Some(">="),
        "max" | "maximum" | "to" | "until" | "till" | "end" | "ending" | "through" | "lte" | "most" => Some("<="),
        "after" | "over" | "above" | "gt" => Some(">"),
        "before" | "under" | "below" | "lt" => Some("<"),
        _ => None,
    };
    let first = words.first().and_then(|word| sign(word)).map(|sign| (sign, &words[1..]));
    let last = words.last().and_then(|word| sign(word)).map(|sign| (sign, &words[..words.len() - 1]));
    let (sign, rest) = first.or(last)?;
    let rest: Vec<String> =
        rest.iter().filter(|word| !matches!(word.as_str(), "at" | "than" | "the")).cloned().collect();
    let comparable = |column: &Column| {
        is_time(column)
            || matches!(column.kind, Kind::Integer | Kind::Bigint | Kind::Numeric | Kind::Float | Kind::Time)
    };
    let time = rest.is_empty()
        || rest.iter().all(|word| matches!(word.as_str(), "date" | "time" | "day" | "datetime" | "timestamp"));
    if time {
        let times: Vec<&Column> = table.columns.iter().filter(|column| is_time(column)).collect();
        let exact = times.iter().find(|column| split(&column.name) == rest);
        let column = exact.or_else(|| if times.len() == 1 { times.first() } else { created(&times) })?;
        return Some((Field { column, via: None, how: How::Part }, sign));
    }
    let field = field::own(&rest, table).or_else(|| {
        // `created_after` for `created_at`.
        let mut fits = table.columns.iter().filter(|c| is_time(c) && split(&c.name).starts_with(&rest));
        let column = fits.next()?;
        fits.next().is_none().then_some(Field { column, via: None, how: How::Part })
    })?;
    comparable(field.column).then_some((field, sign))
}

/// Of several times the one at which a row came to be, when all others are about later changes of it.
fn created<'b, 'a>(times: &'b [&'a Column]) -> Option<&'b &'a Column> {
    let later = |column: &Column| {
        split(&column.name)
            .first()
            .is_some_and(|word| matches!(word.as_str(), "updated" | "modified" | "deleted" | "changed"))
    };
    let mut first = times.iter().filter(|column| !later(column));
    let one = first.next()?;
    first.next().is_none().then_some(one)
}
