//! Reads the syntax tree of one statement.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Assignment, BinaryOperator, Delete, Expr, FromTable, Function, Insert, ObjectName, OnConflictAction, OnInsert,
    Query, Select, SelectItem, SetExpr, Statement as Tree, TableFactor, TableObject, TableWithJoins, Update, Visit,
    Visitor,
};

use super::check::{Class, Effects, Statement};

/// What a statement of the tree is.
pub(super) fn statement(tree: &Tree) -> Statement {
    let mut found = Found::default();
    let _ = tree.visit(&mut found);
    let mut out = main(tree);
    if out.class == Class::Read && found.writes {
        out.class = Class::Write;
        out.effects = Effects::default();
    }
    if out.class != Class::Read {
        out.effects.read_only = false;
        out.effects.destructive |= found.destructive;
        out.effects.idempotent &= !found.repeats_differ;
    }
    out.reaches_all |= found.reaches_all;
    out.tables = found
        .tables
        .into_iter()
        .filter(|table| !found.with.iter().any(|own| own.eq_ignore_ascii_case(table)))
        .collect();
    out.written = found.written;
    out.columns = found.columns;
    out.functions = found.functions;
    if out.effects.read_only && out.risks().iter().any(|(_, risk)| *risk == super::Risk::Writes) {
        out.effects = Effects::default();
    }
    out
}

fn main(tree: &Tree) -> Statement {
    match tree {
        Tree::Query(query) => of_query(query),
        Tree::Insert(insert) => of_insert(insert),
        Tree::Update(update) => of_update(update),
        Tree::Delete(delete) => of_delete(delete),
        Tree::Merge(_) => changing("MERGE", false, Effects { destructive: true, ..Effects::default() }),
        Tree::Truncate(_) => {
            let mut out =
                changing("TRUNCATE", false, Effects { destructive: true, idempotent: true, read_only: false });
            out.reaches_all = true;
            out
        }
        Tree::Explain { analyze, statement, options, .. } => {
            // `EXPLAIN ANALYZE` runs the statement.
            let inner = main(statement);
            let runs = *analyze || options.is_some();
            let class = if runs { inner.class } else { Class::Read };
            Statement { class, verb: "EXPLAIN".to_owned(), returns_rows: true, limited: true, ..inner }
        }
        Tree::ExplainTable { .. } => read("DESCRIBE"),
        Tree::ShowTables { .. }
        | Tree::ShowColumns { .. }
        | Tree::ShowVariable { .. }
        | Tree::ShowVariables { .. }
        | Tree::ShowStatus { .. }
        | Tree::ShowCreate { .. }
        | Tree::ShowDatabases { .. }
        | Tree::ShowSchemas { .. }
        | Tree::ShowFunctions { .. }
        | Tree::ShowViews { .. }
        | Tree::ShowProcessList { .. }
        | Tree::ShowCharset(_)
        | Tree::ShowCollation { .. } => read("SHOW"),
        other => {
            let text = other.to_string();
            let verb = text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            let class = if matches!(verb.as_str(), "CREATE" | "ALTER" | "DROP") { Class::Ddl } else { Class::Other };
            Statement::bare(class, &verb, false)
        }
    }
}

/// Whether a filter keeps every row: there is none, or one without a column, as in `WHERE 1 = 1`.
fn reaches_all(filter: Option<&Expr>) -> bool {
    match filter {
        None | Some(Expr::Value(_)) => true,
        Some(Expr::Nested(inner)) => reaches_all(Some(inner)),
        Some(Expr::BinaryOp { left, op: BinaryOperator::Eq, right }) => match (&**left, &**right) {
            (Expr::Value(left), Expr::Value(right)) => {
                left == right && !matches!(left.value, sqlparser::ast::Value::Placeholder(_))
            }
            _ => false,
        },
        Some(_) => false,
    }
}

fn read(verb: &str) -> Statement {
    Statement { limited: true, ..Statement::bare(Class::Read, verb, true) }
}

fn changing(verb: &str, returns_rows: bool, effects: Effects) -> Statement {
    Statement { effects, limited: true, ..Statement::bare(Class::Write, verb, returns_rows) }
}

fn of_query(query: &Query) -> Statement {
    let mut out = of_body(&query.body);
    out.ordered |= query.order_by.is_some();
    out.limited |= query.limit_clause.is_some()
        || query.fetch.is_some()
        || !query.locks.is_empty()
        || query.for_clause.is_some()
        || !query.pipe_operators.is_empty();
    out
}

/// The name of a column of the answer, when the text says it.
fn output(item: &SelectItem) -> Option<String> {
    let name = match item {
        SelectItem::ExprWithAlias { alias, .. } | SelectItem::UnnamedExpr(Expr::Identifier(alias)) => alias,
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last()?,
        _ => return None,
    };
    Some(name.value.to_lowercase())
}

fn of_body(body: &SetExpr) -> Statement {
    match body {
        SetExpr::Select(select) => {
            let mut out = Statement::bare(Class::Read, "SELECT", true);
            out.has_where = select.selection.is_some();
            if select.into.is_some() {
                out = Statement {
                    returns_rows: false,
                    has_where: out.has_where,
                    ..changing("SELECT", false, Effects::default())
                };
            }
            out.limited |= select.top.is_some();
            out.outputs = select.projection.iter().map(output).collect();
            out
        }
        SetExpr::Query(query) => Statement { limited: true, ..of_query(query) },
        SetExpr::SetOperation { .. } => Statement::bare(Class::Read, "SELECT", true),
        SetExpr::Values(_) => Statement::bare(Class::Read, "VALUES", true),
        SetExpr::Table(_) => Statement::bare(Class::Read, "TABLE", true),
        SetExpr::Insert(tree) | SetExpr::Update(tree) | SetExpr::Delete(tree) | SetExpr::Merge(tree) => main(tree),
    }
}

fn of_insert(insert: &Insert) -> Statement {
    let verb = if insert.replace_into { "REPLACE" } else { "INSERT" };
    let overwrites = overwrites(insert);
    let ignores = insert.ignore
        || matches!(&insert.on, Some(OnInsert::OnConflict(on)) if matches!(on.action, OnConflictAction::DoNothing));
    // An upsert of bound values can be repeated as long as no counter is added up.
    let steady = match &insert.on {
        Some(OnInsert::OnConflict(on)) => match &on.action {
            OnConflictAction::DoUpdate(update) => steady(&update.assignments),
            OnConflictAction::DoNothing => true,
        },
        Some(OnInsert::DuplicateKeyUpdate(assignments)) => steady(assignments),
        _ => insert.replace_into || ignores,
    };
    let effects = Effects { read_only: false, destructive: overwrites, idempotent: steady };
    changing(verb, insert.returning.is_some(), effects)
}

fn overwrites(insert: &Insert) -> bool {
    insert.replace_into
        || insert.overwrite
        || insert.or.is_some_and(|or| or == sqlparser::ast::SqliteOnConflict::Replace)
        || match &insert.on {
            Some(OnInsert::DuplicateKeyUpdate(_)) => true,
            Some(OnInsert::OnConflict(on)) => matches!(on.action, OnConflictAction::DoUpdate(_)),
            _ => false,
        }
}

fn of_update(update: &Update) -> Statement {
    let effects = Effects { read_only: false, destructive: true, idempotent: steady(&update.assignments) };
    let mut out = changing("UPDATE", update.returning.is_some(), effects);
    out.has_where = update.selection.is_some();
    out.reaches_all = reaches_all(update.selection.as_ref());
    out
}

fn of_delete(delete: &Delete) -> Statement {
    let effects = Effects { read_only: false, destructive: true, idempotent: delete.limit.is_none() };
    let mut out = changing("DELETE", delete.returning.is_some(), effects);
    out.has_where = delete.selection.is_some();
    out.reaches_all = reaches_all(delete.selection.as_ref());
    out
}

/// Whether assignments give the same when done twice: no column is computed from itself, and
/// nothing is called but functions without a memory.
fn steady(assignments: &[Assignment]) -> bool {
    assignments.iter().all(|assignment| {
        let target = assignment.target.to_string();
        let target = bare(target.rsplit('.').next().unwrap_or(&target));
        let mut seen = Computed { target, changes: false };
        let _ = assignment.value.visit(&mut seen);
        !seen.changes
    })
}

fn bare(name: &str) -> String {
    name.trim_matches(['"', '`', '[', ']']).to_lowercase()
}

/// Looks for arithmetic or concatenation on the assigned column itself, and for unsteady functions.
struct Computed {
    target: String,
    changes: bool,
}

impl Visitor for Computed {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::BinaryOp { left, op, right } if !is_comparison(op) => {
                self.changes |= self.is_target(left) || self.is_target(right);
            }
            Expr::UnaryOp { expr, .. } => self.changes |= self.is_target(expr),
            Expr::Function(function) => {
                let name = last(&function.name).to_lowercase();
                // `COALESCE(:x, column)` keeps what was there, so it may be repeated.
                let keeps = matches!(
                    name.as_str(),
                    "coalesce" | "values" | "ifnull" | "nullif" | "lower" | "upper" | "trim" | "greatest" | "least"
                );
                self.changes |= !keeps;
            }
            Expr::Subquery(_) => self.changes = true,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Computed {
    fn is_target(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Identifier(ident) => ident.value.to_lowercase() == self.target,
            Expr::CompoundIdentifier(parts) => {
                parts.last().is_some_and(|ident| ident.value.to_lowercase() == self.target)
            }
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => self.is_target(inner),
            Expr::Function(function) => {
                let mut inner = Mentions { target: &self.target, found: false };
                let _ = function.visit(&mut inner);
                inner.found
            }
            _ => false,
        }
    }
}

/// Whether the column is mentioned at all.
struct Mentions<'a> {
    target: &'a str,
    found: bool,
}

impl Visitor for Mentions<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Identifier(ident) = expr {
            self.found |= ident.value.to_lowercase() == self.target;
        }
        ControlFlow::Continue(())
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
    matches!(op, And | Or | Eq | NotEq | Gt | GtEq | Lt | LtEq)
}

/// The last part of a dotted name.
fn last(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()).unwrap_or_default()
}

/// A dotted name without quotes.
fn dotted(name: &ObjectName) -> String {
    let parts: Vec<String> =
        name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.clone()).collect();
    parts.join(".")
}

/// Everything named anywhere in the tree.
#[derive(Default)]
struct Found {
    tables: Vec<String>,
    with: Vec<String>,
    written: Vec<String>,
    columns: Vec<String>,
    functions: Vec<String>,
    writes: bool,
    destructive: bool,
    reaches_all: bool,
    repeats_differ: bool,
}

fn add(list: &mut Vec<String>, name: String) {
    if !name.is_empty() && !list.contains(&name) {
        list.push(name);
    }
}

impl Found {
    fn function(&mut self, function: &Function) {
        add(&mut self.functions, last(&function.name).to_lowercase());
    }

    fn target(&mut self, table: &TableWithJoins) {
        if let TableFactor::Table { name, .. } = &table.relation {
            add(&mut self.written, dotted(name));
        }
    }
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for own in query.with.iter().flat_map(|with| &with.cte_tables) {
            add(&mut self.with, own.alias.name.value.clone());
        }
        // Row locks are writes to the engine: a read-only transaction refuses them.
        self.writes |= !query.locks.is_empty();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.writes |= select.into.is_some();
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        add(&mut self.tables, dotted(relation));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
                add(&mut self.functions, last(name).to_lowercase());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => add(&mut self.columns, ident.value.clone()),
            Expr::CompoundIdentifier(parts) => {
                if let Some(ident) = parts.last() {
                    add(&mut self.columns, ident.value.clone());
                }
            }
            Expr::Function(function) => self.function(function),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, tree: &Tree) -> ControlFlow<()> {
        match tree {
            Tree::Insert(insert) => {
                self.writes = true;
                self.destructive |= overwrites(insert);
                self.repeats_differ |= !of_insert(insert).effects.idempotent;
                if let TableObject::TableName(name) = &insert.table {
                    add(&mut self.written, dotted(name));
                }
                for column in &insert.columns {
                    add(&mut self.columns, last(column));
                }
            }
            Tree::Update(update) => {
                self.writes = true;
                self.destructive = true;
                self.reaches_all |= reaches_all(update.selection.as_ref());
                self.repeats_differ |= !steady(&update.assignments);
                self.target(&update.table);
                for assignment in &update.assignments {
                    let target = assignment.target.to_string();
                    add(&mut self.columns, bare(target.rsplit('.').next().unwrap_or(&target)));
                }
            }
            Tree::Delete(delete) => {
                self.writes = true;
                self.destructive = true;
                self.reaches_all |= reaches_all(delete.selection.as_ref());
                let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
                tables.iter().for_each(|table| self.target(table));
            }
            Tree::Merge(merge) => {
                self.writes = true;
                self.destructive = true;
                self.repeats_differ = true;
                if let TableFactor::Table { name, .. } = &merge.table {
                    add(&mut self.written, dotted(name));
                }
            }
            Tree::Truncate(truncate) => {
                self.writes = true;
                truncate.table_names.iter().for_each(|target| add(&mut self.written, dotted(&target.name)));
            }
            Tree::Call(function) => self.function(function),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
