//! A statement in the making: its table, the tables joined to it, and how columns are named in it.

use base::Diagnostic;
use connect::Catalogue;
use connect::catalogue::{Column, ForeignKey, Kind, Table};
use spec::model::Parameter;
use spec::sql::Dialect;

use super::field::Field;
use crate::make::Ask;
use crate::quote;

/// A statement in the making.
pub(crate) struct Draft<'a> {
    pub(crate) ask: &'a Ask<'a>,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) table: &'a Table,
    pub(crate) joins: Vec<Join<'a>>,
    pub(crate) why: Vec<String>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// A table one foreign key away.
pub(crate) struct Join<'a> {
    key: &'a ForeignKey,
    table: &'a Table,
    alias: Option<String>,
    optional: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(ask: &'a Ask<'a>, catalogue: &'a Catalogue, table: &'a Table) -> Self {
        Self { ask, catalogue, table, joins: Vec::new(), why: Vec::new(), warnings: Vec::new() }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.ask.dialect
    }

    /// Joins what the field needs. All joins are known before the first column is written.
    pub(crate) fn join(&mut self, field: &Field<'a>) {
        let Some((key, table)) = field.via else { return };
        if self.joins.iter().any(|join| join.key == key) {
            return;
        }
        let taken = table.name == self.table.name || self.joins.iter().any(|join| join.table.name == table.name);
        let alias = taken.then(|| format!("{}_{}", table.name, self.joins.len() + 2));
        let optional = self.table.column(&key.columns[0]).is_none_or(|column| column.nullable);
        self.why.push(format!(
            "`{}.{}` comes with `{}`, over the foreign key `{}`.",
            table.name, field.column.name, self.table.name, key.columns[0]
        ));
        self.joins.push(Join { key, table, alias, optional });
    }

    /// The column as the statement writes it.
    pub(crate) fn column(&self, field: &Field<'a>) -> String {
        match field.via {
            None => self.own(field.column),
            Some((key, table)) => {
                let join = self.joins.iter().find(|join| join.key == key);
                let owner = join.and_then(|join| join.alias.as_deref()).unwrap_or(&table.name);
                format!("{}.{}", self.ident(owner), self.ident(&field.column.name))
            }
        }
    }

    /// A column of the table itself, as the statement writes it.
    pub(crate) fn own(&self, column: &Column) -> String {
        if self.joins.is_empty() {
            return self.ident(&column.name);
        }
        format!("{}.{}", self.ident(&self.table.name), self.ident(&column.name))
    }

    pub(crate) fn ident(&self, name: &str) -> String {
        quote::ident(name, self.dialect())
    }

    /// Whether the field may be NULL in a row.
    pub(crate) fn nullable(&self, field: &Field<'a>) -> bool {
        let joined = field.via.and_then(|(key, _)| self.joins.iter().find(|join| join.key == key));
        field.column.nullable || joined.is_some_and(|join| join.optional)
    }

    /// `FROM …` with the joins.
    pub(crate) fn from(&self) -> String {
        let mut out = format!("FROM {}", quote::table(self.table, self.dialect()));
        for join in &self.joins {
            let kind = if join.optional { "LEFT JOIN" } else { "JOIN" };
            let name = quote::table(join.table, self.dialect());
            let owner = join.alias.as_deref().unwrap_or(&join.table.name);
            let alias = join.alias.as_deref().map(|alias| format!(" AS {}", self.ident(alias))).unwrap_or_default();
            let on = format!(
                "{}.{} = {}.{}",
                self.ident(owner),
                self.ident(&join.key.references[0]),
                self.ident(&self.table.name),
                self.ident(&join.key.columns[0])
            );
            out.push_str(&format!("\n{kind} {name}{alias} ON {on}"));
        }
        out
    }

    /// `value` appears in the column's text, whatever the case. No wildcard has a meaning in it.
    pub(crate) fn contains(&self, column: &str, kind: Kind, parameter: &str) -> String {
        let text = match (self.dialect(), kind) {
            (_, Kind::Text) => column.to_owned(),
            (Dialect::Mysql, _) => format!("CAST({column} AS CHAR)"),
            (Dialect::Postgresql | Dialect::Sqlite, _) => format!("CAST({column} AS text)"),
        };
        match self.dialect() {
            Dialect::Postgresql => format!("strpos(lower({text}), lower(:{parameter})) > 0"),
            Dialect::Mysql => format!("LOCATE(LOWER(:{parameter}), LOWER({text})) > 0"),
            Dialect::Sqlite => format!("instr(lower({text}), lower(:{parameter})) > 0"),
        }
    }

    /// A parameter as it is compared with a column. A date compared with a point in time is cast in
    /// PostgreSQL, which would take it for a point in time too.
    pub(crate) fn value(&self, column: &Column, parameter: &Parameter) -> String {
        let day = is_day(parameter) && matches!(column.kind, Kind::Timestamp | Kind::Timestamptz);
        if day && self.dialect() == Dialect::Postgresql {
            return format!("CAST(:{} AS date)", parameter.name);
        }
        format!(":{}", parameter.name)
    }

    /// The column compares with a parameter. The last day of a range is part of it.
    pub(crate) fn compare(&self, written: &str, column: &Column, sign: &str, parameter: &Parameter) -> String {
        let value = self.value(column, parameter);
        let through = sign == "<=" && is_day(parameter) && matches!(column.kind, Kind::Timestamp | Kind::Timestamptz);
        match self.dialect() {
            Dialect::Postgresql if through => format!("{written} < {value} + 1"),
            Dialect::Mysql if through => format!("{written} < DATE_ADD({value}, INTERVAL 1 DAY)"),
            Dialect::Sqlite if through => format!("date({written}) <= {value}"),
            _ => format!("{written} {sign} {value}"),
        }
    }

    /// The column is one of the elements of an array parameter.
    pub(crate) fn one_of(&self, column: &str, parameter: &str) -> String {
        match self.dialect() {
            Dialect::Postgresql => format!("{column} = ANY(:{parameter})"),
            Dialect::Sqlite => format!("{column} IN (SELECT value FROM json_each(:{parameter}))"),
            Dialect::Mysql => {
                let list = format!("JSON_TABLE(:{parameter}, '$[*]' COLUMNS (value VARCHAR(255) PATH '$')) AS list");
                format!("{column} IN (SELECT list.value FROM {list})")
            }
        }
    }
}

/// A condition that holds when an optional parameter is left out. The comparison comes first, so
/// that PostgreSQL takes the parameter's type from the column.
pub(crate) fn unless_absent(condition: String, parameter: &Parameter, value: &str) -> String {
    if parameter.required || parameter.schema.default().is_some() {
        return if condition.contains(" OR ") { format!("({condition})") } else { condition };
    }
    format!("({condition} OR {value} IS NULL)")
}

/// Whether a parameter is a day, not a point in time.
fn is_day(parameter: &Parameter) -> bool {
    parameter.schema.0.get("format").and_then(serde_json::Value::as_str) == Some("date")
}
