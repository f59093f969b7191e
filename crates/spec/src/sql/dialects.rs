//! What the parser reads and one engine does not have, told from the syntax tree. The parser's
//! grammars are generous, so that no good SQL is refused; here is what they give away too much.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DateTimeField, Delete, Expr, Function, FunctionArgumentClause, FunctionArguments, GroupByExpr,
    Insert, Interval, JoinConstraint, JoinOperator, LimitClause, Query, Select, SelectItem, SetExpr, Spanned,
    Statement as Tree, TableFactor, TableWithJoins, Update, Value, Visit, Visitor, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::Location;

use super::Dialect;
use super::Dialect::{Mysql, Postgresql, Sqlite};

/// What is not of the engine, and where.
pub(super) struct Fault {
    /// What is wrong and what to write instead.
    pub message: &'static str,
    /// Line and column, both 0 when they are not known.
    pub place: Location,
}

/// The first fault of a statement, if there is one.
pub(super) fn find(tree: &Tree, dialect: Dialect) -> Option<Fault> {
    match tree.visit(&mut Reader { dialect }) {
        ControlFlow::Break(fault) => Some(fault),
        ControlFlow::Continue(()) => None,
    }
}

struct Reader {
    dialect: Dialect,
}

type Flow = ControlFlow<Fault>;

fn stop(message: Option<&'static str>, at: &impl Spanned) -> Flow {
    match message {
        Some(message) => ControlFlow::Break(Fault { message, place: at.span().start }),
        None => ControlFlow::Continue(()),
    }
}

impl Visitor for Reader {
    type Break = Fault;

    fn pre_visit_statement(&mut self, tree: &Tree) -> Flow {
        let message = match tree {
            Tree::Insert(insert) => self.insert(insert),
            Tree::Update(update) => self.update(update),
            Tree::Delete(delete) => self.delete(delete),
            Tree::Merge(_) if self.dialect != Postgresql => Some("MERGE is of PostgreSQL; write an upsert"),
            _ => None,
        };
        stop(message, tree)
    }

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        let skips = matches!(&query.limit_clause, Some(LimitClause::LimitOffset { limit: None, offset: Some(_), .. }));
        let message = match self.dialect {
            Sqlite if query.fetch.is_some() => Some("SQLite has no FETCH FIRST; write LIMIT"),
            Sqlite if skips => Some("OFFSET needs a LIMIT before it; `LIMIT -1` has no bound"),
            Mysql if skips && query.fetch.is_none() => Some("OFFSET needs a LIMIT before it"),
            _ => None,
        };
        stop(message, query)
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        let foreign_star = select.projection.iter().any(|item| match item {
            SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => is_extended(options),
            _ => false,
        });
        let modified = matches!(&select.group_by, GroupByExpr::Expressions(_, with) if !with.is_empty());
        let message = if select.qualify.is_some() {
            Some("QUALIFY is of other engines; filter in an outer SELECT")
        } else if foreign_star {
            Some("`*` takes no EXCEPT, EXCLUDE, REPLACE or RENAME; name the columns")
        } else if modified && self.dialect != Mysql {
            Some("WITH ROLLUP is of MySQL")
        } else {
            select.from.iter().find_map(|table| self.joins(table))
        };
        stop(message, select)
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        let message = match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => self.joins(table_with_joins),
            _ => None,
        };
        stop(message, factor)
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        let message = match self.dialect {
            // The generic grammar reads `WHERE id :id` as a path into a JSON value.
            _ if matches!(expr, Expr::JsonAccess { .. }) => Some("an operator is missing before the parameter"),
            Postgresql => in_postgresql(expr),
            Mysql => in_mysql(expr),
            Sqlite => in_sqlite(expr),
        };
        stop(message, expr)
    }
}

impl Reader {
    fn insert(&self, insert: &Insert) -> Option<&'static str> {
        let has_nothing = insert.source.is_none() && insert.assignments.is_empty() && insert.columns.is_empty();
        if self.dialect == Mysql && has_nothing {
            return Some("DEFAULT VALUES is of other engines; write `INSERT INTO t () VALUES ()`");
        }
        let Some(SetExpr::Values(values)) = insert.source.as_deref().map(|query| &*query.body) else { return None };
        let columns = insert.columns.len();
        let differs = columns > 0 && values.rows.iter().any(|row| row.len() != columns);
        differs.then_some("the columns of the INSERT and the values of a row are not equally many")
    }

    fn update(&self, update: &Update) -> Option<&'static str> {
        match self.dialect {
            Mysql if update.returning.is_some() => Some("UPDATE has no RETURNING here; read the rows in a second text"),
            Postgresql | Sqlite if update.limit.is_some() || !update.order_by.is_empty() => {
                Some("UPDATE has no ORDER BY and LIMIT here; write `WHERE id IN (SELECT id … LIMIT …)`")
            }
            _ => None,
        }
    }

    fn delete(&self, delete: &Delete) -> Option<&'static str> {
        match self.dialect {
            Postgresql | Sqlite if delete.limit.is_some() || !delete.order_by.is_empty() => {
                Some("DELETE has no ORDER BY and LIMIT here; write `WHERE id IN (SELECT id … LIMIT …)`")
            }
            Sqlite if delete.using.is_some() => Some("SQLite has no DELETE … USING; write `WHERE id IN (SELECT …)`"),
            _ => None,
        }
    }

    fn joins(&self, table: &TableWithJoins) -> Option<&'static str> {
        use JoinOperator::{FullOuter, Inner, Join, Left, LeftOuter, Right, RightOuter, StraightJoin};
        const BARE: JoinConstraint = JoinConstraint::None;
        table.joins.iter().find_map(|join| match &join.join_operator {
            StraightJoin(_) if self.dialect != Mysql => Some("STRAIGHT_JOIN is of MySQL; write JOIN"),
            Join(on) | Inner(on) if *on == BARE && self.dialect == Postgresql => Some("a JOIN has no ON or USING"),
            Left(on) | LeftOuter(on) | Right(on) | RightOuter(on) | FullOuter(on)
                if *on == BARE && self.dialect != Sqlite =>
            {
                Some("an outer JOIN has no ON or USING")
            }
            _ => None,
        })
    }
}

fn is_extended(star: &WildcardAdditionalOptions) -> bool {
    star.opt_except.is_some() || star.opt_exclude.is_some() || star.opt_replace.is_some() || star.opt_rename.is_some()
}

fn in_postgresql(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Interval(interval) if !is_quoted(interval) => {
            Some("INTERVAL takes a quoted text, `INTERVAL '7 days'`, or use `make_interval(days => :days)`")
        }
        Expr::RLike { .. } => Some("REGEXP and RLIKE are of other engines; write `~` or `~*`"),
        Expr::Value(value) if matches!(&value.value, Value::Placeholder(sign) if sign.starts_with('?')) => {
            Some("`?` is a placeholder of other engines; write a named parameter instead, such as `:name`")
        }
        Expr::Function(function) if has_separator(function) => {
            Some("SEPARATOR is of MySQL; write `string_agg(x, ', ')`")
        }
        _ => None,
    }
}

fn is_quoted(interval: &Interval) -> bool {
    matches!(&*interval.value, Expr::Value(value) if !matches!(value.value, Value::Number(..) | Value::Placeholder(_)))
}

fn in_mysql(expr: &Expr) -> Option<&'static str> {
    match expr {
        // `INTERVAL(5, 1, 10)` is a function.
        Expr::Interval(Interval { leading_field: None, value, .. }) if !matches!(**value, Expr::Tuple(_)) => {
            Some("INTERVAL needs a unit: `INTERVAL 7 DAY`")
        }
        Expr::Extract { field, .. } if !is_mysql_unit(field) => {
            Some("EXTRACT does not know this part; UNIX_TIMESTAMP() and DAYOFWEEK() give others")
        }
        Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } if !matches!(**right, Expr::Subquery(_)) => {
            Some("ANY and ALL take a sub-query here; there are no arrays")
        }
        Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => {
            Some("IS DISTINCT FROM is of other engines; use `<=>`")
        }
        Expr::Overlay { .. } => Some("OVERLAY is of PostgreSQL; use INSERT()"),
        Expr::GroupingSets(_) | Expr::Cube(_) => {
            Some("GROUPING SETS and CUBE are of PostgreSQL; unite several SELECTs")
        }
        Expr::Function(Function { filter: Some(_), .. }) => {
            Some("FILTER is of other engines; write `SUM(CASE WHEN …)`")
        }
        _ => foreign_match(expr),
    }
}

fn is_mysql_unit(field: &DateTimeField) -> bool {
    let unit = field.to_string().to_ascii_uppercase();
    let plain = ["MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];
    plain.contains(&unit.as_str())
}

fn in_sqlite(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Interval(_) => Some("SQLite has no INTERVAL; write `datetime('now', '+1 day')`"),
        Expr::Extract { .. } => Some("SQLite has no EXTRACT; write `strftime('%Y', x)`"),
        Expr::AtTimeZone { .. } => Some("SQLite has no AT TIME ZONE; write `datetime(x, 'localtime')`"),
        Expr::Substring { special: false, .. } => Some("SUBSTRING takes commas here: `substr(x, 1, 3)`"),
        Expr::Trim { trim_where, trim_what, .. } if trim_where.is_some() || trim_what.is_some() => {
            Some("TRIM takes commas here: `trim(x, ' ')`, `ltrim`, `rtrim`")
        }
        Expr::Overlay { .. } => Some("SQLite has no OVERLAY; use substr() and `||`"),
        Expr::AnyOp { .. } | Expr::AllOp { .. } => Some("SQLite has no ANY and ALL; write `IN (SELECT …)`"),
        Expr::RLike { regexp: false, .. } => Some("SQLite has no RLIKE; use LIKE or GLOB"),
        Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => {
            Some("SQLite has no GROUPING SETS, CUBE and ROLLUP; unite several SELECTs")
        }
        Expr::Function(function) if has_separator(function) => {
            Some("SEPARATOR is of MySQL; write `group_concat(x, ', ')`")
        }
        _ => foreign_match(expr),
    }
}

/// Ways to compare texts that only PostgreSQL has.
fn foreign_match(expr: &Expr) -> Option<&'static str> {
    use BinaryOperator::{PGRegexIMatch, PGRegexMatch, PGRegexNotIMatch, PGRegexNotMatch};
    match expr {
        Expr::SimilarTo { .. } => Some("SIMILAR TO is of PostgreSQL; use LIKE"),
        Expr::BinaryOp { op: PGRegexMatch | PGRegexIMatch | PGRegexNotMatch | PGRegexNotIMatch, .. } => {
            Some("`~` compares texts in PostgreSQL only; use LIKE or REGEXP")
        }
        _ => None,
    }
}

/// Whether a call has `SEPARATOR` in it.
fn has_separator(function: &Function) -> bool {
    let FunctionArguments::List(list) = &function.args else { return false };
    list.clauses.iter().any(|clause| matches!(clause, FunctionArgumentClause::Separator(_)))
}
