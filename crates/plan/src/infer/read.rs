//! Tools that read: searches, lists, single rows, counts.

use connect::ColumnInfo;
use connect::catalogue::{Kind, Table};
use serde_json::json;
use spec::model::{Parameter, SqlResult};

use super::draft::{Draft, unless_absent};
use super::field::{self, Field, How};
use super::filter::{self, Role};
use super::qualify::{Qualifiers, qualify};
use super::select::{self, Shown};
use super::verb::{Asked, Verb};
use super::{Made, Refusal};
use crate::codes::IGNORED;
use crate::output::list;

/// Most text columns that one free text is looked for in.
const SEARCHED_MAX: usize = 8;
/// Rows that a `limit` parameter without a default gives.
const LIMIT_DEFAULT: u64 = spec::limits::PAGE_SIZE;

/// Plans a reading tool on its table.
pub(crate) fn plan<'a>(mut draft: Draft<'a>, asked: &Asked, mut parameters: Vec<Parameter>) -> Result<Made, Refusal> {
    let table = draft.table;
    let catalogue = draft.catalogue;
    let roles: Vec<Role<'a>> = parameters.iter().map(|p| filter::role(p, asked.verb, table, catalogue)).collect();
    unknown(&mut draft, &parameters, &roles)?;
    let names: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
    let qualifiers = qualify(&draft, asked, &names)?;
    draft.why.extend(qualifiers.why.iter().cloned());
    let searched = if roles.iter().any(|role| matches!(role, Role::Text)) { searched(&draft)? } else { Vec::new() };
    let shown = if asked.verb == Verb::Count { select::count(&draft)? } else { select::columns(&mut draft)? };
    join_all(&mut draft, &roles, &searched, &shown);
    bound(&mut draft, &mut parameters, &roles);
    let conditions = conditions(&mut draft, &parameters, &roles, &searched, &qualifiers);
    let read = Reading { draft, parameters, roles, shown, conditions, qualifiers };
    if asked.verb == Verb::Count { read.count() } else { read.rows(asked) }
}

/// A reading statement, all parts known.
struct Reading<'a> {
    draft: Draft<'a>,
    parameters: Vec<Parameter>,
    roles: Vec<Role<'a>>,
    shown: Shown<'a>,
    conditions: Vec<String>,
    qualifiers: Qualifiers<'a>,
}

/// A required parameter that nothing fits stops the plan; an optional one is ignored, and said.
pub(crate) fn unknown(draft: &mut Draft<'_>, parameters: &[Parameter], roles: &[Role<'_>]) -> Result<(), Refusal> {
    let mut unknown = parameters.iter().zip(roles).filter(|(_, role)| matches!(role, Role::Unknown));
    unknown.try_for_each(|(parameter, _)| unfit(draft, parameter))
}

/// Nothing in the table fits the parameter: required, it stops the plan; optional, it is ignored, and that is said.
pub(crate) fn unfit(draft: &mut Draft<'_>, parameter: &Parameter) -> Result<(), Refusal> {
    let columns: Vec<&str> = draft.table.columns.iter().map(|column| column.name.as_str()).collect();
    let help = format!("the table has the columns {}", list(&columns));
    let table = &draft.table.name;
    if parameter.required {
        let reason = format!("nothing in table `{table}` fits the required parameter `{}`", parameter.name);
        return Err(Refusal::new(reason).help(help));
    }
    let message = format!(
        "parameter `{}` of tool `{}` has no effect: nothing in table `{table}` fits it",
        parameter.name, draft.ask.tool.name
    );
    let path = format!("{}/parameters/{}", draft.ask.path, parameter.name);
    draft.warnings.push(base::Diagnostic::warning(IGNORED, message).path(path).help(help));
    draft.why.push(format!("`{}` fits no column and is ignored.", parameter.name));
    Ok(())
}

fn join_all<'a>(draft: &mut Draft<'a>, roles: &[Role<'a>], searched: &[Field<'a>], shown: &Shown<'a>) {
    for role in roles {
        match role {
            Role::Contains(field)
            | Role::Equal(field)
            | Role::Holds(field)
            | Role::OneOf(field)
            | Role::Compare(field, _) => draft.join(field),
            _ => {}
        }
    }
    for field in searched.iter().chain(shown.fields.iter().map(|(_, field)| field)) {
        draft.join(field);
    }
}

/// The columns that a free text is looked for in: those that the description names behind `by`,
/// else all that hold prose.
fn searched<'a>(draft: &Draft<'a>) -> Result<Vec<Field<'a>>, Refusal> {
    let table = draft.table;
    let description = draft.ask.tool.description.as_deref().unwrap_or_default();
    let named = select::named_behind_by(description, table, draft.catalogue);
    let named: Vec<Field<'a>> = named
        .into_iter()
        .filter(|f| {
            !matches!(f.column.kind, Kind::Boolean | Kind::Bytes | Kind::Json | Kind::Array)
                && !field::is_secret(f.column)
        })
        .collect();
    if !named.is_empty() {
        return Ok(named.into_iter().take(SEARCHED_MAX).collect());
    }
    let text = |opaque: bool| {
        let columns = table.columns.iter().filter(move |c| {
            c.kind == Kind::Text && !field::is_time(c) && (opaque || !field::is_opaque(c)) && !field::is_secret(c)
        });
        columns.map(|column| Field { column, via: None, how: How::Name }).take(SEARCHED_MAX).collect::<Vec<_>>()
    };
    let found = text(false);
    let found = if found.is_empty() { text(true) } else { found };
    if found.is_empty() {
        return Err(Refusal::new(format!("table `{}` has no text column to search in", table.name)));
    }
    Ok(found)
}

/// Gives `limit`, `offset` and `page` parameters a default and bounds.
fn bound(draft: &mut Draft<'_>, parameters: &mut [Parameter], roles: &[Role<'_>]) {
    for (parameter, role) in parameters.iter_mut().zip(roles) {
        let (default, least, most) = match role {
            Role::Limit => (LIMIT_DEFAULT.min(draft.ask.rows), 1, Some(draft.ask.rows)),
            Role::Offset => (0, 0, None),
            Role::Page => (1, 1, None),
            _ => continue,
        };
        let schema = &mut parameter.schema.0;
        if !parameter.required && !schema.contains_key("default") {
            schema.insert("default".to_owned(), json!(default));
            draft.why.push(format!("`{}` is {default} when it is left out.", parameter.name));
        }
        schema.entry("minimum").or_insert(json!(least));
        if let Some(most) = most {
            let over = schema.get("maximum").and_then(serde_json::Value::as_u64).is_none_or(|declared| declared > most);
            if over {
                schema.insert("maximum".to_owned(), json!(most));
            }
            if schema.get("default").and_then(serde_json::Value::as_u64).is_some_and(|value| value > most) {
                schema.insert("default".to_owned(), json!(most));
            }
        }
        schema.insert("type".to_owned(), json!("integer"));
    }
}

fn conditions<'a>(
    draft: &mut Draft<'a>,
    parameters: &[Parameter],
    roles: &[Role<'a>],
    searched: &[Field<'a>],
    qualifiers: &Qualifiers<'a>,
) -> Vec<String> {
    let mut out = Vec::new();
    for (parameter, role) in parameters.iter().zip(roles) {
        let name = &parameter.name;
        let condition = match role {
            Role::Text => {
                let each: Vec<String> =
                    searched.iter().map(|f| draft.contains(&draft.column(f), f.column.kind, name)).collect();
                let columns: Vec<String> = searched.iter().map(Field::said).collect();
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                draft.why.push(format!(
                    "`{name}` is looked for as a whole anywhere in {}, whatever the case; `%` and `_` in it have no special meaning.",
                    list(&columns)
                ));
                each.join("\n    OR ")
            }
            Role::Contains(field) => {
                draft.why.push(format!("`{name}` is looked for anywhere in `{}`, whatever the case.", field.said()));
                draft.contains(&draft.column(field), field.column.kind, name)
            }
            Role::Equal(field) => {
                if !field.is_named() {
                    draft.why.push(format!("`{name}` is compared with `{}`.", field.said()));
                }
                format!("{} = :{name}", draft.column(field))
            }
            Role::Holds(field) => {
                draft.why.push(format!("`{name}` is one of the elements of `{}`.", field.column.name));
                format!(":{name} = ANY({})", draft.column(field))
            }
            Role::OneOf(field) => draft.one_of(&draft.column(field), name),
            Role::Compare(field, sign) => {
                draft.why.push(format!("`{name}` bounds `{}` (`{sign}`).", field.column.name));
                let column = draft.column(field);
                draft.compare(&column, field.column, sign, parameter)
            }
            Role::OnHand(column) => {
                draft.why.push(format!("`{name}` asks whether `{}` is above zero.", column.name));
                format!("({} > 0) = :{name}", draft.own(column))
            }
            _ => continue,
        };
        let absent = match role {
            Role::Compare(field, _) => draft.value(field.column, parameter),
            _ => format!(":{name}"),
        };
        out.push(unless_absent(condition, parameter, &absent));
    }
    out.extend(qualifiers.conditions.iter().map(|make| make.write(draft)));
    out
}

impl<'a> Reading<'a> {
    fn count(mut self) -> Result<Made, Refusal> {
        let name = self.shown.names.first().cloned().unwrap_or_else(|| "count".to_owned());
        let sql = format!("SELECT COUNT(*) AS {}\n{}{}", self.draft.ident(&name), self.draft.from(), self.filter());
        let result = if self.shown.value { SqlResult::Value } else { SqlResult::Row };
        let columns = vec![ColumnInfo { name, kind: Kind::Bigint, native_type: String::new(), nullable: false }];
        self.draft.why.insert(0, "The name asks how many there are.".to_owned());
        Ok(Made::read(self.draft, sql, result, self.parameters, columns))
    }

    fn rows(mut self, asked: &Asked) -> Result<Made, Refusal> {
        let single = self.single(asked)?;
        if let Single::Sum(column) = single {
            return self.sum(&column);
        }
        let order = if matches!(single, Single::Unique) { Vec::new() } else { self.order(asked) };
        let limit = self.limit(&single)?;
        let dialect = self.draft.dialect();
        let selected: Vec<String> = self
            .shown
            .fields
            .iter()
            .zip(&self.shown.names)
            .map(|((_, field), name)| {
                let column = self.draft.column(field);
                if field.column.name == *name {
                    column
                } else {
                    format!("{column} AS {}", crate::quote::ident(name, dialect))
                }
            })
            .collect();
        let order = if order.is_empty() { String::new() } else { format!("\nORDER BY {}", order.join(", ")) };
        let sql = format!("SELECT {}\n{}{}{order}{limit}", selected.join(", "), self.draft.from(), self.filter());
        let result = if matches!(single, Single::No) { SqlResult::Rows } else { SqlResult::Row };
        let columns = select::describe(&self.draft, &self.shown);
        Ok(Made::read(self.draft, sql, result, self.parameters, columns))
    }

    fn filter(&self) -> String {
        if self.conditions.is_empty() { String::new() } else { format!("\nWHERE {}", self.conditions.join("\n  AND ")) }
    }

    /// Columns that a required parameter is equal to.
    fn fixed(&self) -> Vec<&str> {
        let pairs = self.parameters.iter().zip(&self.roles).filter(|(parameter, _)| parameter.required);
        let columns = pairs.filter_map(|(_, role)| match role {
            Role::Equal(field) if field.via.is_none() => Some(field.column.name.as_str()),
            _ => None,
        });
        columns.collect()
    }

    /// Whether the answer is one row.
    fn single(&mut self, asked: &Asked) -> Result<Single, Refusal> {
        let table = self.draft.table;
        let fixed: Vec<String> = self.fixed().into_iter().map(str::to_owned).collect();
        let unique = key_within(table, &fixed);
        let object = match self.draft.ask.tool.returns.as_ref().and_then(|returns| returns.kind()) {
            Some("array") if bare_items(self.draft.ask) => {
                return Err(Refusal::new("`returns` is an array of bare values, and a query gives objects")
                    .help("declare `items` as objects with properties, or write `sql`"));
            }
            Some("array") => return Ok(Single::No),
            Some("object") => true,
            Some(other) => {
                let help = "declare `returns` as an array of objects or as one object, or write `sql`";
                return Err(Refusal::new(format!("`returns` is a {other}, and a query for rows gives none")).help(help));
            }
            None => false,
        };
        if let Some(key) = unique {
            if object || asked.verb == Verb::Get {
                self.draft.why.push(format!(
                    "{} is unique, so the answer is one row.",
                    list(&key.iter().map(String::as_str).collect::<Vec<_>>())
                ));
                return Ok(Single::Unique);
            }
            return Ok(Single::No);
        }
        if !object {
            return Ok(Single::No);
        }
        if let Some(column) = self.summed(&fixed) {
            return Ok(Single::Sum(column));
        }
        if fixed.is_empty() && self.qualifiers.order.is_none() {
            return Err(Refusal::new("`returns` is one object, but no required parameter says which row".to_owned())
                .help("require a parameter that is a key of the table, or declare `returns` as an array"));
        }
        let which =
            self.qualifiers.order.as_ref().map_or("the first by the order below", |_| "the first of that order");
        self.draft.why.push(format!("`returns` is one object and several rows may fit, so the answer is {which}."));
        Ok(Single::First)
    }

    /// The one number on hand to add up, when everything else shown is fixed by the parameters:
    /// the stock of a product over its warehouses.
    fn summed(&self, fixed: &[String]) -> Option<String> {
        if fixed.is_empty() {
            return None;
        }
        let others =
            self.shown.fields.iter().filter(|(_, field)| !fixed.contains(&field.column.name) || field.via.is_some());
        let others: Vec<&Field<'_>> = others.map(|(_, field)| field).collect();
        match others.as_slice() {
            [field] if field.via.is_none() && field::is_stock(field.column) => Some(field.column.name.clone()),
            _ => None,
        }
    }

    fn sum(mut self, counted: &str) -> Result<Made, Refusal> {
        let table = &self.draft.table.name;
        let why = format!("Several rows of `{table}` may belong to the key, so `{counted}` is their sum.");
        self.draft.why.push(why);
        let mut selected = Vec::new();
        let mut groups = Vec::new();
        for ((_, field), name) in self.shown.fields.iter().zip(&self.shown.names) {
            let column = self.draft.column(field);
            let written = if field.column.name == counted { format!("SUM({column})") } else { column.clone() };
            if field.column.name != counted {
                groups.push(column);
            }
            let alias = if field.column.name == *name && field.column.name != counted {
                String::new()
            } else {
                format!(" AS {}", self.draft.ident(name))
            };
            selected.push(format!("{written}{alias}"));
        }
        let group = if groups.is_empty() { String::new() } else { format!("\nGROUP BY {}", groups.join(", ")) };
        let sql = format!("SELECT {}\n{}{}{group}", selected.join(", "), self.draft.from(), self.filter());
        let mut columns = select::describe(&self.draft, &self.shown);
        for (info, (_, field)) in columns.iter_mut().zip(&self.shown.fields) {
            if field.column.name == counted && info.kind == Kind::Integer {
                info.kind = Kind::Bigint;
            }
        }
        Ok(Made::read(self.draft, sql, SqlResult::Row, self.parameters, columns))
    }

    /// A deterministic order: what the caller or the name asks for, then the name, then the key.
    fn order(&mut self, asked: &Asked) -> Vec<String> {
        let mut out = super::order::asked(&mut self.draft, &self.parameters, &self.roles);
        let table = self.draft.table;
        if let Some((column, descending)) = self.qualifiers.order {
            out.push(format!("{}{}", self.draft.own(column), if descending { " DESC" } else { "" }));
        } else if let Some(column) = field::label(table)
            && !(asked.verb == Verb::Get && self.fixed().contains(&column.name.as_str()))
        {
            out.push(self.draft.own(column));
        }
        let descending = self.qualifiers.order.is_some_and(|(_, descending)| descending);
        for key in table.primary_key.iter().filter_map(|name| table.column(name)) {
            let column = self.draft.own(key);
            if !out.contains(&column) && !self.fixed().contains(&key.name.as_str()) {
                out.push(if descending { format!("{column} DESC") } else { column });
            }
        }
        if out.is_empty() && table.primary_key.is_empty() {
            let orderable = |kind: Kind| !matches!(kind, Kind::Json | Kind::Bytes | Kind::Array | Kind::Other);
            out.extend(table.columns.iter().find(|column| orderable(column.kind)).map(|column| self.draft.own(column)));
        }
        out
    }

    fn limit(&mut self, single: &Single) -> Result<String, Refusal> {
        if matches!(single, Single::Unique) {
            return Ok(String::new());
        }
        if matches!(single, Single::First) {
            return Ok("\nLIMIT 1".to_owned());
        }
        let of = |wanted: fn(&Role<'_>) -> bool| {
            self.parameters
                .iter()
                .zip(&self.roles)
                .find(|(_, role)| wanted(role))
                .map(|(parameter, _)| parameter.name.clone())
        };
        let limit = of(|role| matches!(role, Role::Limit));
        let offset = of(|role| matches!(role, Role::Offset));
        let page = of(|role| matches!(role, Role::Page));
        let size = limit.as_ref().map_or_else(
            || {
                if page.is_some() {
                    LIMIT_DEFAULT.min(self.draft.ask.rows).to_string()
                } else {
                    self.draft.ask.rows.to_string()
                }
            },
            |name| format!(":{name}"),
        );
        Ok(match (offset, page) {
            (None, None) if limit.is_none() => String::new(),
            (None, None) => format!("\nLIMIT {size}"),
            (Some(offset), _) => format!("\nLIMIT {size} OFFSET :{offset}"),
            (None, Some(_)) if self.draft.dialect() == spec::sql::Dialect::Mysql => {
                return Err(Refusal::new(
                    "MySQL takes no computed OFFSET, so a `page` number cannot be planned".to_owned(),
                )
                .help("take an `offset` parameter instead of `page`, or write `sql` with `page: {size, by: offset}`"));
            }
            (None, Some(page)) => format!("\nLIMIT {size} OFFSET (:{page} - 1) * {size}"),
        })
    }
}

/// Whether `returns` is an array of something else than objects.
fn bare_items(ask: &crate::make::Ask<'_>) -> bool {
    let items = ask.tool.returns.as_ref().and_then(|returns| returns.0.get("items"));
    let kind = items.and_then(|items| items.get("type")).and_then(serde_json::Value::as_str);
    kind.is_some_and(|kind| kind != "object")
}

/// How many rows the answer has.
enum Single {
    /// Any number.
    No,
    /// One, by a key.
    Unique,
    /// The first of several.
    First,
    /// One, this column added up.
    Sum(String),
}

/// The key of the table, primary or unique, that these columns hold all of.
pub(crate) fn key_within<'t>(table: &'t Table, columns: &[String]) -> Option<&'t [String]> {
    std::iter::once(&table.primary_key)
        .chain(&table.unique_keys)
        .filter(|key| !key.is_empty())
        .find(|key| key.iter().all(|name| columns.contains(name)))
        .map(Vec::as_slice)
}
