//! Infers what a tool does from its words and from the tables that are really there. Nothing is
//! guessed that could answer wrongly in silence: what is unclear becomes a tool that says so.

mod change;
mod derive;
mod draft;
mod field;
mod filter;
mod order;
mod qualify;
mod read;
mod select;
mod table;
mod verb;
mod words;
mod write;

use base::Diagnostic;
use connect::catalogue::Table;
use connect::{Catalogue, ColumnInfo};
use spec::model::{Parameter, SqlResult};
use spec::sql::{Class, Effects, check};

use crate::codes::{AMBIGUOUS, NOT_INFERRED};
use crate::make::{Ask, Planned, bare, not_implemented};
use crate::model::{ActionPlan, Origin, SqlPlan, StatementPlan};
use crate::output::{Shape, list, properties};
use draft::Draft;
use table::{Clues, Unclear};
use verb::Verb;

/// What was inferred.
pub(crate) struct Made {
    statements: Vec<String>,
    write: bool,
    result: SqlResult,
    parameters: Vec<Parameter>,
    columns: Vec<ColumnInfo>,
    why: Vec<String>,
    warnings: Vec<Diagnostic>,
}

impl Made {
    fn read(
        draft: Draft<'_>,
        sql: String,
        result: SqlResult,
        parameters: Vec<Parameter>,
        columns: Vec<ColumnInfo>,
    ) -> Self {
        let Draft { why, warnings, .. } = draft;
        Self { statements: vec![sql], write: false, result, parameters, columns, why, warnings }
    }
}

/// Why nothing was inferred.
pub(crate) struct Refusal {
    code: &'static str,
    reason: String,
    help: Vec<String>,
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self { code: NOT_INFERRED, reason: reason.into(), help: Vec::new() }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// Plans a tool without an action on a connection that was reached.
pub(crate) fn plan(ask: &Ask<'_>, catalogue: &Catalogue, connection: &str) -> Planned {
    let made = infer(ask, catalogue).and_then(|made| effects(&made, ask).map(|effects| (made, effects)));
    match made {
        Ok((made, effects)) => planned(ask, made, &effects, connection),
        Err(refusal) => refused(ask, &refusal),
    }
}

fn infer(ask: &Ask<'_>, catalogue: &Catalogue) -> Result<Made, Refusal> {
    let tool = ask.tool;
    if catalogue.tables.is_empty() {
        return Err(Refusal::new("the database has no tables that the connection's user can see"));
    }
    let asked = verb::read(&tool.name, tool.description.as_deref()).ok_or_else(|| {
        Refusal::new("neither its name nor its description starts with a word that says what to do")
            .help("start the name with search, list, get, count, update, create, delete or the like")
    })?;
    let clues = Clues {
        asked: &asked,
        description: words::split(tool.description.as_deref().unwrap_or_default()),
        parameters: tool
            .parameters()
            .iter()
            .map(|p| p.name.as_str())
            .filter(|name| !filter::is_control(name))
            .collect(),
        properties: tool.own_returns().map(properties).unwrap_or_default().into_iter().map(|(name, _)| name).collect(),
    };
    let (table, why) = table::choose(&clues, catalogue).map_err(|unclear| unclear_table(&unclear, catalogue))?;
    let mut draft = Draft::new(ask, catalogue, table);
    draft.why.push(format!("`{}` asks to {}.", asked.word, doing(asked.verb)));
    draft.why.push(why);
    let parameters = match &tool.parameters {
        Some(parameters) => parameters.clone(),
        None => derive::parameters(&mut draft, &asked),
    };
    match asked.verb {
        Verb::Search | Verb::Get | Verb::Count => read::plan(draft, &asked, parameters),
        _ if table.view => {
            Err(Refusal::new(format!("`{}` is a view, and a write through a view is not inferred", table.name)))
        }
        Verb::Update | Verb::Increase | Verb::Decrease => change::plan(draft, &asked, parameters),
        Verb::Create | Verb::Upsert => write::create(draft, &asked, parameters),
        Verb::Delete => write::delete(draft, &asked, parameters),
    }
}

fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Search => "look for rows",
        Verb::Get => "read",
        Verb::Count => "count rows",
        Verb::Update => "change a row",
        Verb::Increase => "add to a row",
        Verb::Decrease => "take from a row",
        Verb::Create => "add a row",
        Verb::Upsert => "add a row or change it",
        Verb::Delete => "remove a row",
    }
}

fn unclear_table(unclear: &Unclear<'_>, catalogue: &Catalogue) -> Refusal {
    let names = |tables: &[&Table]| list(&tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>());
    match unclear {
        Unclear::Nothing => {
            let all: Vec<&Table> = catalogue.tables.iter().collect();
            Refusal::new("no table fits the tool's name, description and parameters")
                .help(format!("the database has the tables {}", names(&all)))
        }
        Unclear::Several(tables) => {
            Refusal { code: AMBIGUOUS, ..Refusal::new(format!("the tables {} fit it equally well", names(tables))) }
        }
    }
}

/// Reads the statements back, as a guard: what was made must parse, and do what the verb allows.
fn effects(made: &Made, ask: &Ask<'_>) -> Result<Vec<Effects>, Refusal> {
    let each = made.statements.iter().map(|sql| {
        let read = check(sql, ask.dialect).map_err(|errors| {
            let why = errors.first().map(|error| error.message.clone()).unwrap_or_default();
            Refusal::new(format!("the SQL made for it does not parse: {why}"))
        })?;
        let allowed = read.class == Class::Read || (made.write && read.class == Class::Write);
        if !allowed || (read.class == Class::Write && read.reaches_all) {
            return Err(Refusal::new("the SQL made for it would do more than the name says"));
        }
        Ok(read.effects)
    });
    each.collect()
}

fn planned(ask: &Ask<'_>, made: Made, effects: &[Effects], connection: &str) -> Planned {
    let shape = Shape { returns: ask.tool.own_returns(), result: made.result, paged: false };
    let mut warnings = made.warnings;
    let nullable = shape.disagreements(&ask.tool.name, &ask.path, &made.columns, |column| {
        column.nullable && !column.native_type.is_empty()
    });
    let nullable = nullable.into_iter();
    warnings.extend(nullable.filter(|found| found.code == crate::codes::NULLABLE));
    let targets = shape.targets(&made.columns);
    let count = made.statements.len();
    let statements = made
        .statements
        .into_iter()
        .enumerate()
        .map(|(at, sql)| StatementPlan { sql, targets: if at + 1 == count { targets.clone() } else { Vec::new() } });
    let action = ActionPlan::Sql(SqlPlan {
        connection: connection.to_owned(),
        statements: statements.collect(),
        write: made.write,
        batch: None,
        result: made.result,
        page: None,
        row_limit: ask.rows,
    });
    let mut out = bare(ask.tool, Origin::Inferred, action, effects);
    out.output = shape.schema(Some(&made.columns));
    out.parameters = made.parameters;
    out.why = made.why;
    (out, warnings)
}

fn refused(ask: &Ask<'_>, refusal: &Refusal) -> Planned {
    let name = &ask.tool.name;
    let mut warning = Diagnostic::warning(
        refusal.code,
        format!("the action of tool `{name}` could not be inferred: {}", refusal.reason),
    )
    .path(&ask.path);
    for help in &refusal.help {
        warning = warning.help(help);
    }
    warning =
        warning.help(format!("write what it does under `sql`, such as `sql: SELECT … WHERE … = :{}`", example(ask)));
    let reason = format!("its action could not be inferred: {}; write `sql` for it in the spec", refusal.reason);
    (not_implemented(ask.tool, reason), vec![warning])
}

fn example<'a>(ask: &'a Ask<'_>) -> &'a str {
    ask.tool.parameters().first().map_or("name", |parameter| parameter.name.as_str())
}
