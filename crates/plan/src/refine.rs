//! Takes in what the live databases say of the planned statements.

use base::Diagnostic;
use connect::catalogue::{Kind, Table};
use connect::{Catalogue, ColumnInfo, Described, Error, ErrorKind, Statement};
use spec::Spec;
use spec::model::{Action, Parameter, Tool};
use spec::sql::{Dialect, Template};

use crate::codes::{NOT_INFERRED, PARAMETER_TYPE, REFUSED, UNORDERED};
use crate::compose;
use crate::declared::cast;
use crate::make::{Reality, dialect, not_implemented};
use crate::model::{ActionPlan, Origin, Plan, SqlPlan, StatementPlan, ToolPlan};
use crate::output::Shape;

/// A planned statement that a live database should describe.
#[derive(Clone, Debug)]
pub struct ToCheck {
    /// Tool that it is of.
    pub tool: String,
    /// Which of the tool's steps, from 0, where it has some.
    pub step: Option<usize>,
    /// Connection to describe it on.
    pub connection: String,
    /// Which of the tool's statements, from 0.
    pub index: usize,
    /// Whether it is the statement of the following pages.
    pub next: bool,
    /// The statement in native text.
    pub statement: Statement,
    /// Name of the parameter behind each placeholder, in the engine's order.
    pub names: Vec<String>,
    /// Whether the action may write.
    pub write: bool,
}

/// What came of taking in descriptions.
#[derive(Clone, Debug, Default)]
pub struct Refined {
    /// What the databases found wrong, and where `returns` and the columns disagree.
    pub diagnostics: Vec<Diagnostic>,
    /// Statements were rewritten: describe [`statements`] again and refine again.
    pub again: bool,
}

/// Every statement of a plan, for the caller to have it described.
pub fn statements(plan: &Plan) -> Vec<ToCheck> {
    let mut out = Vec::new();
    for (tool, step, sql) in plan.tools.iter().flat_map(sql_of) {
        let Some(dialect) = dialect_of(plan, sql) else { continue };
        let next =
            sql.page.iter().filter_map(|page| page.next.as_ref()).map(|next| (sql.statements.len() - 1, true, next));
        for (index, next, planned) in sql.statements.iter().enumerate().map(|(at, s)| (at, false, s)).chain(next) {
            let Ok(template) = Template::parse(&planned.sql, dialect) else { continue };
            let (text, names) = template.native(dialect);
            out.push(ToCheck {
                tool: tool.tool.clone(),
                step,
                connection: sql.connection.clone(),
                index,
                next,
                statement: Statement {
                    text: text.into(),
                    order: (0..names.len()).collect(),
                    targets: planned.targets.clone().into(),
                },
                names,
                write: sql.write,
            });
        }
    }
    out
}

/// The SQL of a tool: its own, or that of its steps.
fn sql_of(tool: &ToolPlan) -> Vec<(&ToolPlan, Option<usize>, &SqlPlan)> {
    match &tool.action {
        ActionPlan::Sql(sql) => vec![(tool, None, sql)],
        ActionPlan::Steps(steps) => {
            let each = steps.list.iter().enumerate().filter_map(|(at, step)| match &step.action {
                ActionPlan::Sql(sql) => Some((tool, Some(at), sql)),
                _ => None,
            });
            each.collect()
        }
        _ => Vec::new(),
    }
}

fn dialect_of(plan: &Plan, sql: &SqlPlan) -> Option<Dialect> {
    plan.connections
        .iter()
        .find(|connection| connection.name == sql.connection)
        .map(|connection| dialect(connection.engine))
}

/// Fills in the types of answers, and reports what a database refuses. SQL that was inferred and
/// is refused becomes a tool that says so; SQL that a person wrote is an error.
pub fn refine(
    plan: &mut Plan,
    spec: &Spec,
    reality: &Reality,
    descriptions: &[(ToCheck, Result<Described, Error>)],
) -> Refined {
    let mut out = Refined::default();
    for (index, tool) in spec.tools.iter().enumerate() {
        let Some(at) = plan.tools.iter().position(|planned| planned.tool == tool.name) else { continue };
        let mine: Vec<_> = descriptions.iter().filter(|(check, _)| check.tool == tool.name).collect();
        let places: Vec<_> = sql_of(&plan.tools[at])
            .into_iter()
            .filter_map(|(_, step, sql)| Some((step, sql.connection.clone(), dialect_of(plan, sql)?)))
            .collect();
        for (step, connection, dialect) in places {
            let mine = mine.iter().copied().filter(|(check, _)| check.step == step);
            let real = reality.connections.iter().find(|real| real.name == connection);
            let catalogue = real.and_then(|real| real.catalogue.as_ref());
            let known = Known { owner: format!("/tools/{index}"), dialect, catalogue };
            match step {
                None => known.take_in(tool, known.owner.clone(), &mut plan.tools[at], mine, &mut out),
                Some(step) => known.take_in_step(tool, step, &mut plan.tools[at], mine, &mut out),
            }
        }
    }
    out
}

/// What is known beside the descriptions.
struct Known<'a> {
    /// Path of the tool.
    owner: String,
    dialect: Dialect,
    catalogue: Option<&'a Catalogue>,
}

impl Known<'_> {
    fn take_in<'d>(
        &self,
        tool: &Tool,
        path: String,
        planned: &mut ToolPlan,
        mine: impl Iterator<Item = &'d (ToCheck, Result<Described, Error>)>,
        out: &mut Refined,
    ) {
        let step = Step { tool, owner: &self.owner, path, dialect: self.dialect, catalogue: self.catalogue };
        for (check, described) in mine {
            match described {
                Ok(described) => step.described(planned, check, described, out),
                Err(error) => step.failed(planned, check, error, out),
            }
        }
    }

    /// The same for a step, as if it were a tool that takes what the tool does, and untyped what its `with` says.
    fn take_in_step<'d>(
        &self,
        tool: &Tool,
        at: usize,
        planned: &mut ToolPlan,
        mine: impl Iterator<Item = &'d (ToCheck, Result<Described, Error>)>,
        out: &mut Refined,
    ) {
        let Some(Action::Steps(declared)) = &tool.action else { return };
        let Some(declared) = declared.list.get(at) else { return };
        let alone = compose::alone(tool, declared);
        let is_pinned = planned.is_pinned();
        let mut inner = not_implemented(&alone, String::new());
        inner.origin = planned.origin;
        inner.parameters =
            planned.parameters.iter().filter(|one| !declared.with.contains_key(&one.name)).cloned().collect();
        let ActionPlan::Steps(steps) = &mut planned.action else { return };
        let Some(step) = steps.list.get_mut(at) else { return };
        std::mem::swap(&mut step.action, &mut inner.action);
        self.take_in(&alone, format!("{}/steps/do/{at}", self.owner), &mut inner, mine, out);
        std::mem::swap(&mut step.action, &mut inner.action);
        planned.why.append(&mut inner.why);
        if !is_pinned {
            planned.made = Some(planned.action.digest());
        }
    }
}

struct Step<'a> {
    tool: &'a Tool,
    /// Path of the tool whose parameters it has.
    owner: &'a str,
    path: String,
    dialect: Dialect,
    catalogue: Option<&'a Catalogue>,
}

impl Step<'_> {
    fn described(&self, planned: &mut ToolPlan, check: &ToCheck, described: &Described, out: &mut Refined) {
        if !check.next {
            self.parameter_types(planned, check, described, out);
        }
        let origin = planned.origin;
        let ActionPlan::Sql(sql) = &mut planned.action else { return };
        if check.index + 1 != sql.statements.len() {
            return;
        }
        let shape = Shape { returns: self.tool.own_returns(), result: sql.result, paged: sql.page.is_some() };
        let targets = shape.targets(&described.columns);
        if let Some(statement) = place(sql, check) {
            statement.targets = targets;
        }
        if check.next {
            return;
        }
        // An inferred tool said so already, in the words of its table.
        if origin != Origin::Inferred {
            let tables = sql.statements.last().map(|last| self.tables(&last.sql)).unwrap_or_default();
            let may_be_null = |column: &ColumnInfo| {
                column.nullable && tables.iter().filter_map(|table| table.column(&column.name)).any(|own| own.nullable)
            };
            let keys = sql.page.iter().flat_map(|page| &page.key).map(|key| key.strip_prefix('-').unwrap_or(key));
            let text = sql.statements.last().map(|last| last.sql.as_str()).unwrap_or_default();
            let lost = keys.filter(|key| !is_never_null(text, key)).filter(|key| {
                described.columns.iter().any(|column| column.name.eq_ignore_ascii_case(key) && may_be_null(column))
            });
            out.diagnostics.extend(lost.map(|key| self.null_key(key)));
            out.diagnostics.extend(shape.disagreements(&self.tool.name, &self.path, &described.columns, may_be_null));
        }
        planned.output = shape.schema(Some(&described.columns)).or(planned.output.take());
    }

    /// Nothing is above or below NULL, so no page comes to the rows that have it.
    fn null_key(&self, key: &str) -> Diagnostic {
        let message = format!(
            "tool `{}` gives pages by `{key}`, which may be NULL: rows without it may be missed",
            self.tool.name
        );
        Diagnostic::warning(UNORDERED, message)
            .path(format!("{}/sql/page/key", self.path))
            .help(format!("page by columns that are never NULL, or select `COALESCE({key}, …) AS {key}`"))
    }

    /// The tables that a statement names. Engines say "may be NULL" of every column of an answer; what its table says of
    /// it is worth a warning, what nobody knows is not.
    fn tables(&self, text: &str) -> Vec<&Table> {
        let (Some(catalogue), Ok(statement)) = (self.catalogue, spec::sql::check(text, self.dialect)) else {
            return Vec::new();
        };
        let named = |table: &&Table| {
            let last = |name: &str| name.rsplit('.').next().unwrap_or_default().trim_matches(['"', '`']).to_lowercase();
            statement.tables.iter().any(|name| last(name) == table.name.to_lowercase())
        };
        catalogue.tables.iter().filter(named).collect()
    }

    fn failed(&self, planned: &mut ToolPlan, check: &ToCheck, error: &Error, out: &mut Refined) {
        if !matches!(error.kind, ErrorKind::Statement | ErrorKind::Denied | ErrorKind::Value) {
            let message = format!("the SQL of tool `{}` was not checked: {error}", self.tool.name);
            out.diagnostics.push(Diagnostic::warning(crate::codes::UNREACHED, message).path(&self.path));
            return;
        }
        if self.cast_untyped(planned, check, error) {
            out.again = true;
            return;
        }
        if planned.origin == Origin::Inferred {
            let reason = format!("the database refuses the inferred SQL: {}; write `sql` in the spec", error.message);
            out.diagnostics.push(
                Diagnostic::warning(NOT_INFERRED, format!("tool `{}` does nothing yet: {reason}", self.tool.name))
                    .path(&self.path),
            );
            let parameters = std::mem::take(&mut planned.parameters);
            *planned = not_implemented(self.tool, reason);
            planned.parameters = parameters;
            planned.made = Some(planned.action.digest());
            return;
        }
        let message = format!("the database refuses the SQL of tool `{}`: {}", self.tool.name, error.message);
        let mut diagnostic = Diagnostic::error(REFUSED, message).path(format!("{}/sql", self.path));
        if let Some(near) = error.position.and_then(|at| excerpt(&check.statement.text, at)) {
            diagnostic = diagnostic.help(format!("the database points at: {near}"));
        }
        if let Some(hint) = &error.hint {
            diagnostic = diagnostic.help(hint);
        }
        out.diagnostics.push(diagnostic);
    }

    /// PostgreSQL's 42P18 and 42P08, `could not determine data type of parameter $2`: the uses of
    /// that parameter get the cast of its declared type. Whether anything was rewritten.
    fn cast_untyped(&self, planned: &mut ToolPlan, check: &ToCheck, error: &Error) -> bool {
        if self.dialect != Dialect::Postgresql || !matches!(error.code.as_deref(), Some("42P18" | "42P08")) {
            return false;
        }
        let number = error.message.rsplit('$').next().and_then(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<usize>().ok()
        });
        let Some(name) = number.and_then(|number| check.names.get(number.checked_sub(1)?)) else {
            return false;
        };
        let parameters = planned.parameters.clone();
        // The type of what a step adds is not declared.
        if !parameters.iter().any(|parameter| parameter.name == *name) {
            return false;
        }
        let ActionPlan::Sql(sql) = &mut planned.action else { return false };
        let Some(statement) = place(sql, check) else { return false };
        let Ok(template) = Template::parse(&statement.sql, self.dialect) else { return false };
        let text =
            template.rewrite(|used| (used.name == *name && used.cast.is_none()).then(|| cast(name, &parameters)));
        if text == statement.sql {
            return false;
        }
        statement.sql = text;
        let pinned = planned.is_pinned();
        planned.why.push(format!("`:{name}` is cast to its declared type, because PostgreSQL cannot tell it."));
        if !pinned {
            planned.made = Some(planned.action.digest());
        }
        true
    }

    /// Warns where the database takes another kind of value than the spec declares.
    fn parameter_types(&self, planned: &ToolPlan, check: &ToCheck, described: &Described, out: &mut Refined) {
        if planned.origin == Origin::Inferred {
            return;
        }
        for (name, kind) in check.names.iter().zip(&described.parameters) {
            let (Some(kind), Some(parameter)) = (kind, planned.parameters.iter().find(|p| p.name == *name)) else {
                continue;
            };
            if let Some(wanted) = mismatch(parameter, *kind) {
                let declared = parameter.schema.kind().unwrap_or_default();
                let message = format!(
                    "`:{name}` of tool `{}` is declared `{declared}`, but the database takes {wanted} there",
                    self.tool.name
                );
                let diagnostic = Diagnostic::warning(PARAMETER_TYPE, message)
                    .path(format!("{}/parameters/{name}", self.owner))
                    .help("change the parameter's type, or cast it in the SQL");
                if !out.diagnostics.contains(&diagnostic) {
                    out.diagnostics.push(diagnostic);
                }
            }
        }
    }
}

/// What the database takes, when no value of the declared type can be it.
fn mismatch(parameter: &Parameter, kind: Kind) -> Option<&'static str> {
    let declared = parameter.schema.kind()?;
    let number = matches!(kind, Kind::Integer | Kind::Bigint | Kind::Numeric | Kind::Float);
    match declared {
        "boolean" if number => Some("a number"),
        "integer" | "number" if kind == Kind::Boolean => Some("a boolean"),
        "integer" | "number" if matches!(kind, Kind::Date | Kind::Timestamp | Kind::Timestamptz | Kind::Time) => {
            Some("a date or time")
        }
        "integer" | "number" if kind == Kind::Uuid => Some("a UUID"),
        "number" if matches!(kind, Kind::Integer | Kind::Bigint) => Some("an integer"),
        "string" if kind == Kind::Boolean => Some("a boolean"),
        "string" if number && parameter.schema.0.get("pattern").is_none() => Some("a number"),
        _ => None,
    }
}

fn place<'a>(sql: &'a mut SqlPlan, check: &ToCheck) -> Option<&'a mut StatementPlan> {
    if check.next {
        return sql.page.as_mut().and_then(|page| page.next.as_mut());
    }
    sql.statements.get_mut(check.index)
}

/// The line of a text around a byte offset.
fn excerpt(text: &str, at: usize) -> Option<String> {
    let (before, after) = (text.get(..at)?, text.get(at..)?);
    let before = before.rsplit('\n').next()?;
    let after = after.split('\n').next()?;
    let from = before.char_indices().rev().nth(EXCERPT_CHARS).map_or(0, |(at, _)| at);
    let to = after.char_indices().nth(EXCERPT_CHARS).map_or(after.len(), |(at, _)| at);
    Some(format!("{} ⟶ {}", before[from..].trim_start(), after[..to].trim_end()))
}

/// Characters shown on each side of the place that a database points at.
const EXCERPT_CHARS: usize = 40;

/// Whether the author saw to it that a column of the answer is not NULL: it is an expression of another name in its table,
/// or rows without it are left out. Warnings that cannot be answered are not read.
fn is_never_null(text: &str, column: &str) -> bool {
    let apart = |c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '"' | '`' | '.');
    let words: Vec<&str> = text.split(apart).filter(|word| !word.is_empty()).collect();
    let says = |start: usize, wanted: &[&str]| {
        let found = words.get(start..start + wanted.len());
        found.is_some_and(|found| found.iter().zip(wanted).all(|(word, wanted)| word.eq_ignore_ascii_case(wanted)))
    };
    (0..words.len()).any(|at| says(at, &["as", column]) || says(at, &[column, "is", "not", "null"]))
}
