//! Tools that add and remove rows, and what all writing tools share.

use connect::ColumnInfo;
use connect::catalogue::{Column, Kind};
use spec::model::{Parameter, SqlResult};
use spec::sql::Dialect;

use super::draft::Draft;
use super::field;
use super::qualify::qualify;
use super::read::{key_within, unfit};
use super::select::{self, Shown};
use super::verb::{Asked, Verb};
use super::{Made, Refusal};
use crate::output::{list, properties};
use crate::quote;

/// A parameter and the column it is written to or compared with.
pub(crate) struct Bound<'a, 'p> {
    pub(crate) parameter: &'p Parameter,
    /// `None` for an optional parameter that nothing fits.
    pub(crate) column: Option<&'a Column>,
}

impl Bound<'_, '_> {
    pub(crate) fn equals(&self, draft: &Draft<'_>) -> String {
        let column = self.column.map(|column| draft.ident(&column.name)).unwrap_or_default();
        format!("{column} = :{}", self.parameter.name)
    }
}

/// The column of a parameter.
pub(crate) fn bind<'a, 'p>(parameter: &'p Parameter, draft: &mut Draft<'a>) -> Result<Bound<'a, 'p>, Refusal> {
    let words = super::words::split(&parameter.name);
    if let Some(found) = field::own(&words, draft.table) {
        if !found.is_named() && found.column.name != parameter.name {
            draft.why.push(format!("`{}` is the column `{}`.", parameter.name, found.column.name));
        }
        return Ok(Bound { parameter, column: Some(found.column) });
    }
    unfit(draft, parameter)?;
    Ok(Bound { parameter, column: None })
}

/// The parameters that are a whole key of the table; without one, nothing is written.
pub(crate) fn key<'b, 'a, 'p>(
    draft: &Draft<'_>,
    bound: &'b [Bound<'a, 'p>],
) -> Result<Vec<&'b Bound<'a, 'p>>, Refusal> {
    let required: Vec<String> = bound
        .iter()
        .filter(|b| b.parameter.required)
        .filter_map(|b| b.column)
        .map(|column| column.name.clone())
        .collect();
    let Some(columns) = key_within(draft.table, &required) else {
        let key: Vec<&str> = draft.table.primary_key.iter().map(String::as_str).collect();
        let what = if key.is_empty() {
            "the table has no primary key".to_owned()
        } else {
            format!("its key is {}", list(&key))
        };
        return Err(Refusal::new(format!(
            "no required parameters make a whole key of table `{}`, so several rows could be meant ({what})",
            draft.table.name
        ))
        .help("require the parameters of a key, or write `sql`"));
    };
    Ok(bound.iter().filter(|b| b.column.is_some_and(|column| columns.contains(&column.name))).collect())
}

/// Refuses to write a column that the database computes.
pub(crate) fn writable(draft: &Draft<'_>, column: &Column) -> Result<(), Refusal> {
    if column.generated {
        return Err(Refusal::new(format!(
            "column `{}` of table `{}` is computed by the database and cannot be written",
            column.name, draft.table.name
        )));
    }
    Ok(())
}

/// Which row a write answers with.
pub(crate) enum Answer {
    /// The row that these conditions find.
    Found(Vec<String>),
    /// The row that was added last.
    Added,
    /// The row is gone.
    Gone,
}

/// Finishes a write: the row that was written, `{"affected": n}`, or that it worked.
pub(crate) fn answer(
    mut draft: Draft<'_>,
    sql: String,
    answer: &Answer,
    parameters: Vec<Parameter>,
) -> Result<Made, Refusal> {
    let declared = draft.ask.tool.returns.as_ref().map(properties).unwrap_or_default();
    let counts =
        matches!(declared.as_slice(), [("affected", _)]) || (declared.is_empty() && matches!(answer, Answer::Gone));
    if counts {
        return Ok(made(draft, vec![sql], SqlResult::Affected, parameters, Vec::new()));
    }
    if draft.ask.tool.returns.as_ref().and_then(|returns| returns.kind()).is_some_and(|kind| kind != "object") {
        return Err(Refusal::new("a write answers with one object, and `returns` declares something else"));
    }
    let shown = select::columns(&mut draft)?;
    for (_, field) in &shown.fields {
        draft.join(field);
    }
    let columns = described(&draft, &shown);
    let returning = draft.dialect() != Dialect::Mysql && draft.joins.is_empty();
    if returning {
        let sql = format!("{sql}\nRETURNING {}", items(&draft, &shown));
        return Ok(made(draft, vec![sql], SqlResult::Row, parameters, columns));
    }
    let second = match answer {
        Answer::Found(conditions) if draft.joins.is_empty() => {
            format!("SELECT {}\n{}\nWHERE {}", items(&draft, &shown), draft.from(), conditions.join(" AND "))
        }
        Answer::Added
            if draft.dialect() == Dialect::Mysql && draft.joins.is_empty() && draft.table.primary_key.len() == 1 =>
        {
            let key = draft.ident(&draft.table.primary_key[0]);
            format!("SELECT {}\n{}\nWHERE {key} = LAST_INSERT_ID()", items(&draft, &shown), draft.from())
        }
        Answer::Gone if shown.fields.is_empty() => {
            let worked: Vec<String> =
                shown.worked.iter().map(|name| format!("ROW_COUNT() > 0 AS {}", draft.ident(name))).collect();
            format!("SELECT {}", worked.join(", "))
        }
        _ => return Err(Refusal::new("`returns` declares columns that this write cannot give back on this engine")),
    };
    Ok(made(draft, vec![sql, second], SqlResult::Row, parameters, columns))
}

fn items(draft: &Draft<'_>, shown: &Shown<'_>) -> String {
    let fields = shown.fields.iter().zip(&shown.names).map(|((_, field), name)| {
        let column = draft.column(field);
        if field.column.name == *name { column } else { format!("{column} AS {}", draft.ident(name)) }
    });
    let worked = shown.worked.iter().map(|name| format!("TRUE AS {}", draft.ident(name)));
    fields.chain(worked).collect::<Vec<_>>().join(", ")
}

fn described(draft: &Draft<'_>, shown: &Shown<'_>) -> Vec<ColumnInfo> {
    let mut out = select::describe(draft, shown);
    out.extend(shown.worked.iter().map(|name| ColumnInfo {
        name: name.clone(),
        kind: Kind::Boolean,
        native_type: String::new(),
        nullable: false,
    }));
    out
}

fn made(
    draft: Draft<'_>,
    statements: Vec<String>,
    result: SqlResult,
    parameters: Vec<Parameter>,
    columns: Vec<ColumnInfo>,
) -> Made {
    let Draft { why, warnings, .. } = draft;
    Made { statements, write: true, result, parameters, columns, why, warnings }
}

/// Plans an insert, or an upsert by key.
pub(crate) fn create(mut draft: Draft<'_>, asked: &Asked, parameters: Vec<Parameter>) -> Result<Made, Refusal> {
    let names: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
    qualify(&draft, asked, &names)?;
    let mut bound = Vec::new();
    for parameter in &parameters {
        let found = bind(parameter, &mut draft)?;
        if let Some(column) = found.column {
            given(&mut draft, parameter, column)?;
            bound.push(found);
        }
    }
    complete(&draft, &bound)?;
    let table = quote::table(draft.table, draft.dialect());
    let columns: Vec<String> = bound.iter().filter_map(|b| b.column).map(|column| draft.ident(&column.name)).collect();
    let values: Vec<String> = bound.iter().map(|b| format!(":{}", b.parameter.name)).collect();
    let mut sql = format!("INSERT INTO {table} ({})\nVALUES ({})", columns.join(", "), values.join(", "));
    let mut row = Answer::Added;
    let auto = draft
        .table
        .primary_key
        .iter()
        .all(|name| bound.iter().all(|b| b.column.is_none_or(|column| column.name != *name)));
    if asked.verb == Verb::Upsert {
        sql.push_str(&upsert(&mut draft, &bound)?);
    }
    if (!auto || asked.verb == Verb::Upsert)
        && let Ok(key) = key(&draft, &bound)
    {
        row = Answer::Found(key.iter().map(|b| b.equals(&draft)).collect());
    }
    drop(bound);
    answer(draft, sql, &row, parameters.clone())
}

/// Checks that a column can take what the parameter may be.
fn given(draft: &mut Draft<'_>, parameter: &Parameter, column: &Column) -> Result<(), Refusal> {
    writable(draft, column)?;
    if parameter.required || parameter.schema.default().is_some() {
        return Ok(());
    }
    if !column.nullable {
        return Err(Refusal::new(format!(
            "`{}` is optional, but the column `{}` takes no NULL",
            parameter.name, column.name
        ))
        .help(format!("give `{}` a default, or make it required", parameter.name)));
    }
    draft.why.push(format!("`{}` left out becomes NULL in `{}`.", parameter.name, column.name));
    Ok(())
}

/// Every column that must be given is given.
fn complete(draft: &Draft<'_>, bound: &[Bound<'_, '_>]) -> Result<(), Refusal> {
    let is_given = |column: &Column| bound.iter().any(|b| b.column.is_some_and(|given| given.name == column.name));
    let needed = draft.table.columns.iter().filter(|c| !c.nullable && !c.has_default && !c.generated && !is_given(c));
    let missing: Vec<&str> = needed.map(|column| column.name.as_str()).collect();
    if bound.is_empty() {
        return Err(Refusal::new(format!("no parameter is a column of table `{}`", draft.table.name)));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(format!("table `{}` needs {}, and no parameter gives it", draft.table.name, list(&missing))))
}

fn upsert(draft: &mut Draft<'_>, bound: &[Bound<'_, '_>]) -> Result<String, Refusal> {
    let key: Vec<String> =
        key(draft, bound)?.iter().filter_map(|b| b.column).map(|column| column.name.clone()).collect();
    let rest: Vec<String> = bound
        .iter()
        .filter_map(|b| b.column)
        .filter(|column| !key.contains(&column.name))
        .map(|column| draft.ident(&column.name))
        .collect();
    let keys: Vec<String> = key.iter().map(|name| draft.ident(name)).collect();
    draft.why.push(format!(
        "A row with the same {} is changed instead.",
        list(&key.iter().map(String::as_str).collect::<Vec<_>>())
    ));
    if draft.dialect() == Dialect::Mysql {
        let first = keys.first().cloned().unwrap_or_default();
        let sets: Vec<String> = rest.iter().map(|column| format!("{column} = VALUES({column})")).collect();
        let sets = if sets.is_empty() { format!("{first} = {first}") } else { sets.join(", ") };
        return Ok(format!("\nON DUPLICATE KEY UPDATE {sets}"));
    }
    let sets: Vec<String> = rest.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let action = if sets.is_empty() { "DO NOTHING".to_owned() } else { format!("DO UPDATE SET {}", sets.join(", ")) };
    Ok(format!("\nON CONFLICT ({}) {action}", keys.join(", ")))
}

/// Plans a delete by key.
pub(crate) fn delete(mut draft: Draft<'_>, asked: &Asked, parameters: Vec<Parameter>) -> Result<Made, Refusal> {
    let names: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
    let qualifiers = qualify(&draft, asked, &names)?;
    let mut bound = Vec::new();
    for parameter in &parameters {
        bound.push(bind(parameter, &mut draft)?);
    }
    let key = key(&draft, &bound)?;
    let mut conditions: Vec<String> = key.iter().map(|b| b.equals(&draft)).collect();
    // A further parameter narrows: the row must match it too.
    for more in bound.iter().filter(|b| b.column.is_some() && !key.iter().any(|k| k.parameter.name == b.parameter.name))
    {
        conditions.push(super::draft::unless_absent(
            more.equals(&draft),
            more.parameter,
            &format!(":{}", more.parameter.name),
        ));
    }
    conditions.extend(qualifiers.conditions.iter().map(|condition| condition.write(&draft)));
    let keys: Vec<&str> = key.iter().filter_map(|b| b.column).map(|column| column.name.as_str()).collect();
    draft.why.push(format!("The row is found by its key, {}; no other row is removed.", list(&keys)));
    let sql = format!("DELETE FROM {}\nWHERE {}", quote::table(draft.table, draft.dialect()), conditions.join(" AND "));
    drop(bound);
    answer(draft, sql, &Answer::Gone, parameters.clone())
}
