//! Plans a spec.

use base::Diagnostic;
use connect::{Catalogue, Engine};
use serde_json::Value;
use spec::Spec;
use spec::model::{Action, ConnectionKind, Parameter, Script, Tool};
use spec::sql::{Class, Dialect, Effects, Template, check};

use crate::annotations::derive;
use crate::codes::{NO_ACTION, PIN_DROPPED, UNREACHED};
use crate::model::{ActionPlan, ConnectionPlan, FORMAT, On, Origin, Plan, ScriptPlan, SqlPlan, ToolPlan};
use crate::{compose, declared, infer};

/// What is really there.
#[derive(Clone, Debug, Default)]
pub struct Reality {
    /// The connections that were looked at.
    pub connections: Vec<ConnectionReality>,
    /// What APIs say of the operations of tools.
    pub operations: Vec<OperationReality>,
}

/// What an API says of the operation of a tool.
#[derive(Clone, Debug, Default)]
pub struct OperationReality {
    /// Name of the tool.
    pub tool: String,
    /// The parameters that the operation takes.
    pub parameters: Vec<Parameter>,
    /// JSON Schema of what it gives.
    pub output: Option<Value>,
    /// Whether it changes nothing, where the API says so.
    pub is_read_only: bool,
}

/// What one connection really is.
#[derive(Clone, Debug, Default)]
pub struct ConnectionReality {
    /// Name in the spec.
    pub name: String,
    /// The engine that its URL names.
    pub engine: Option<Engine>,
    /// Engine and version as the server told it.
    pub server: Option<String>,
    /// Its tables; absent when it was not reached.
    pub catalogue: Option<Catalogue>,
}

/// The SQL of an engine.
pub fn dialect(engine: Engine) -> Dialect {
    match engine {
        Engine::Postgresql => Dialect::Postgresql,
        Engine::Mysql => Dialect::Mysql,
        Engine::Sqlite => Dialect::Sqlite,
    }
}

/// The engine of a kind of connection, if it is a SQL database.
pub fn engine(kind: ConnectionKind) -> Option<Engine> {
    Dialect::of(kind).map(|dialect| match dialect {
        Dialect::Postgresql => Engine::Postgresql,
        Dialect::Mysql => Engine::Mysql,
        Dialect::Sqlite => Engine::Sqlite,
    })
}

/// One tool on its way into the plan.
pub(crate) struct Ask<'a> {
    pub(crate) tool: &'a Tool,
    /// JSON pointer of the tool in the spec.
    pub(crate) path: String,
    pub(crate) dialect: Dialect,
    /// Most rows of one answer.
    pub(crate) rows: u64,
}

/// What became of a tool.
pub(crate) type Planned = (ToolPlan, Vec<Diagnostic>);

/// Plans every tool of a spec that was validated. `pinned` is the plan of before: tools that a
/// person wrote or edited there are kept while they still fit. Nothing here fails: what cannot be
/// planned becomes a tool that says so, and a warning.
pub fn make(spec: &Spec, reality: &Reality, pinned: Option<&Plan>) -> (Plan, Vec<Diagnostic>) {
    let connections = spec.connections.iter().filter_map(|connection| {
        let real = reality.connections.iter().find(|real| real.name == connection.name());
        let declared = engine(connection.kind())?;
        Some(ConnectionPlan {
            name: connection.name().to_owned(),
            engine: real.and_then(|real| real.engine).unwrap_or(declared),
            server: real.and_then(|real| real.server.clone()),
        })
    });
    let mut plan = Plan {
        format: FORMAT,
        server: spec.name.clone(),
        spec: spec.digest(),
        connections: connections.collect(),
        tools: Vec::with_capacity(spec.tools.len()),
    };
    let mut diagnostics = unreached(spec, reality);
    for (index, tool) in spec.tools.iter().enumerate() {
        let (planned, mut found) = plan_tool(spec, &plan, reality, index, tool, pinned);
        plan.tools.push(planned);
        diagnostics.append(&mut found);
    }
    compose::settle(&mut plan, spec);
    (plan, diagnostics)
}

/// One warning per connection that tools use and nobody reached.
fn unreached(spec: &Spec, reality: &Reality) -> Vec<Diagnostic> {
    let reached = |name: &str| reality.connections.iter().any(|real| real.name == name && real.catalogue.is_some());
    let used = |name: &str| spec.tools.iter().any(|tool| tool.connections().any(|used| used == name));
    let missing = spec.connections.iter().enumerate();
    let missing = missing.filter(|(_, c)| c.kind().is_database() && used(c.name()) && !reached(c.name()));
    missing
        .map(|(at, connection)| {
            let message =
                format!("connection `{}` was not reached, so its tools were not checked against it", connection.name());
            Diagnostic::warning(UNREACHED, message)
                .path(format!("/connections/{at}"))
                .help("check its URL, then plan again with `mcp-factory plan --refresh` or create the server again")
        })
        .collect()
}

fn plan_tool(spec: &Spec, plan: &Plan, reality: &Reality, index: usize, tool: &Tool, pinned: Option<&Plan>) -> Planned {
    let path = format!("/tools/{index}");
    let connection = tool.connection.as_deref().and_then(|name| plan.connections.iter().find(|c| c.name == name));
    let ask = Ask {
        tool,
        path: path.clone(),
        dialect: connection.map_or(Dialect::Postgresql, |connection| dialect(connection.engine)),
        rows: spec.limits.rows,
    };
    let mut diagnostics = Vec::new();
    let before = pinned.and_then(|before| before.tools.iter().find(|t| t.tool == tool.name)).filter(|t| t.is_pinned());
    if let Some(before) = before {
        match keep(before, plan) {
            Ok(kept) => return (kept, diagnostics),
            Err(reason) => diagnostics.push(
                Diagnostic::warning(
                    PIN_DROPPED,
                    format!("the pinned plan of tool `{}` no longer fits: {reason}", tool.name),
                )
                .path(&path),
            ),
        }
    }
    let (mut planned, mut found) = declared_or_inferred(spec, plan, reality, &ask, connection);
    planned.made = Some(planned.action.digest());
    diagnostics.append(&mut found);
    (planned, diagnostics)
}

fn declared_or_inferred(
    spec: &Spec,
    plan: &Plan,
    reality: &Reality,
    ask: &Ask<'_>,
    connection: Option<&ConnectionPlan>,
) -> Planned {
    let tool = ask.tool;
    match (&tool.action, connection) {
        (Some(Action::Reply(reply)), _) => {
            (bare(tool, Origin::Declared, ActionPlan::Reply(reply.clone()), &[NOTHING]), Vec::new())
        }
        (Some(Action::Script(script)), _) => (scripted(spec, tool, script), Vec::new()),
        (Some(Action::Http(http)), _) => {
            let action = On { connection: tool.connection.clone().unwrap_or_default(), action: (**http).clone() };
            (bare(tool, Origin::Declared, ActionPlan::Http(Box::new(action)), &[http.effects()]), Vec::new())
        }
        (Some(Action::Redis(redis)), _) => {
            let action = On { connection: tool.connection.clone().unwrap_or_default(), action: (**redis).clone() };
            (bare(tool, Origin::Declared, ActionPlan::Redis(Box::new(action)), &[redis.effects()]), Vec::new())
        }
        (Some(Action::Mongo(mongo)), _) => {
            let action = On { connection: tool.connection.clone().unwrap_or_default(), action: (**mongo).clone() };
            (bare(tool, Origin::Declared, ActionPlan::Mongo(Box::new(action)), &[mongo.effects()]), Vec::new())
        }
        (Some(Action::Graphql(graphql)), _) => {
            let action = On { connection: tool.connection.clone().unwrap_or_default(), action: graphql.clone() };
            (
                operation(tool, reality, ActionPlan::Graphql(action), graphql.effects(), graphql.select.is_some()),
                Vec::new(),
            )
        }
        (Some(Action::Grpc(grpc)), _) => {
            let real = reality.operations.iter().any(|real| real.tool == tool.name && real.is_read_only);
            let mut grpc = grpc.clone();
            grpc.write &= !real;
            let (effects, selects) = (grpc.effects(), grpc.select.is_some());
            let action = On { connection: tool.connection.clone().unwrap_or_default(), action: grpc };
            (operation(tool, reality, ActionPlan::Grpc(action), effects, selects), Vec::new())
        }
        (Some(Action::Files(files)), _) => {
            let action = On { connection: tool.connection.clone().unwrap_or_default(), action: (**files).clone() };
            (bare(tool, Origin::Declared, ActionPlan::Files(Box::new(action)), &[files.effects()]), Vec::new())
        }
        (Some(Action::Send(send)), _) => {
            let action = On { connection: tool.connection.clone().unwrap_or_default(), action: (**send).clone() };
            (bare(tool, Origin::Declared, ActionPlan::Send(Box::new(action)), &[send.effects()]), Vec::new())
        }
        (Some(Action::Vector(vector)), _) => {
            let action = On { connection: tool.connection.clone().unwrap_or_default(), action: (**vector).clone() };
            (bare(tool, Origin::Declared, ActionPlan::Vector(Box::new(action)), &[vector.effects()]), Vec::new())
        }
        (Some(Action::Call(call)), _) => (compose::call(tool, reality, call), Vec::new()),
        (Some(Action::Steps(steps)), _) => compose::steps(spec, plan, reality, ask, steps),
        (Some(Action::Command(command)), _) => {
            let effects = command.effects();
            (bare(tool, Origin::Declared, ActionPlan::Command(command.clone()), &[effects]), Vec::new())
        }
        (Some(Action::Sql(sql)), Some(connection)) => declared::plan(ask, sql, &connection.name),
        (None, Some(connection)) => {
            let real = reality.connections.iter().find(|real| real.name == connection.name);
            match real.and_then(|real| real.catalogue.as_ref()) {
                Some(catalogue) => infer::plan(ask, catalogue, &connection.name),
                None => not_reached(tool, &connection.name),
            }
        }
        (_, None) => no_action(spec, ask),
    }
}

/// Plans the action of a step as if it were a tool.
pub(crate) fn plan_step(spec: &Spec, plan: &Plan, reality: &Reality, ask: &Ask<'_>) -> Planned {
    let connection = ask.tool.connection.as_deref().and_then(|name| plan.connections.iter().find(|c| c.name == name));
    let ask = Ask {
        tool: ask.tool,
        path: ask.path.clone(),
        dialect: connection.map_or(Dialect::Postgresql, |connection| dialect(connection.engine)),
        rows: ask.rows,
    };
    declared_or_inferred(spec, plan, reality, &ask, connection)
}

/// What an action does that touches nothing.
pub(crate) const NOTHING: Effects = Effects { read_only: true, destructive: false, idempotent: true };

/// A script is run as it is written, with the tool's connection or, without one, every one of the spec.
fn scripted(spec: &Spec, tool: &Tool, script: &Script) -> ToolPlan {
    let connections = spec.connections.iter().map(|connection| connection.name().to_owned());
    let action = ActionPlan::Script(ScriptPlan {
        code: script.code.clone(),
        export: script.module.clone().map(|module| (module, script.function.clone().unwrap_or(tool.name.clone()))),
        cpu_ms: script.cpu_ms,
        connections: connections.filter(|name| tool.connection.as_ref().is_none_or(|only| only == name)).collect(),
        write: script.write,
        fetch: script.fetch.clone(),
        row_limit: spec.limits.rows,
        place: script.place.0,
    });
    // Nothing more is known of what it does.
    let effects = Effects { read_only: !script.write, destructive: script.write, idempotent: !script.write };
    bare(tool, Origin::Declared, action, &[effects])
}

/// A declared operation, with what its API says of it where the spec says nothing.
pub(crate) fn operation(
    tool: &Tool,
    reality: &Reality,
    action: ActionPlan,
    effects: Effects,
    selects: bool,
) -> ToolPlan {
    let mut planned = bare(tool, Origin::Declared, action, &[effects]);
    if let Some(real) = reality.operations.iter().find(|real| real.tool == tool.name) {
        if tool.parameters.is_none() {
            planned.parameters.clone_from(&real.parameters);
            planned.why.push("the parameters are those of the operation, by the API's schema".to_owned());
        }
        if planned.output.is_none() && !selects {
            planned.output.clone_from(&real.output);
        }
    }
    planned
}

/// Whether an action reaches what belongs to others.
fn reaches_others(action: &ActionPlan) -> bool {
    match action {
        ActionPlan::Http(_) | ActionPlan::Graphql(_) | ActionPlan::Grpc(_) => true,
        ActionPlan::Call(call) => call.connection.is_some(),
        ActionPlan::Steps(steps) => steps.list.iter().any(|step| reaches_others(&step.action)),
        _ => false,
    }
}

/// A tool plan with what does not depend on the action.
pub(crate) fn bare(tool: &Tool, origin: Origin, action: ActionPlan, effects: &[Effects]) -> ToolPlan {
    let open = reaches_others(&action);
    ToolPlan {
        tool: tool.name.clone(),
        origin,
        why: Vec::new(),
        parameters: tool.parameters().to_vec(),
        output: tool.returns.as_ref().map(spec::model::Schema::to_value),
        annotations: derive(&tool.annotations, effects, open),
        made: None,
        action,
    }
}

/// A tool that answers with an error which says why it does nothing.
pub(crate) fn not_implemented(tool: &Tool, reason: String) -> ToolPlan {
    let nothing = Effects { read_only: true, destructive: false, idempotent: true };
    let mut out = bare(tool, Origin::None, ActionPlan::NotImplemented { reason: reason.clone() }, &[nothing]);
    out.why.push(reason);
    out
}

fn not_reached(tool: &Tool, connection: &str) -> Planned {
    let reason = format!(
        "connection `{connection}` was not reached when the plan was made, so the action could not be inferred; \
         make the database reachable and run `mcp-factory plan --refresh` or create the server again, or write `sql` in the spec"
    );
    (not_implemented(tool, reason), Vec::new())
}

fn no_action(spec: &Spec, ask: &Ask<'_>) -> Planned {
    let name = &ask.tool.name;
    let found = spec.connections.iter().find(|one| Some(one.name()) == ask.tool.connection.as_deref());
    let reason = match (&ask.tool.connection, found) {
        (Some(connection), Some(found)) => format!(
            "nothing can be inferred from connection `{connection}` of type `{}`, and the tool has no action",
            found.kind().as_str()
        ),
        (Some(connection), None) => format!("the spec has no connection `{connection}`"),
        (None, _) => "the tool has no action (such as `sql`, `http` or `script`) and no connection that one could be inferred from"
            .to_owned(),
    };
    let warning = Diagnostic::warning(NO_ACTION, format!("tool `{name}` does nothing yet: {reason}"))
        .path(&ask.path)
        .help("add `connection: <name>` of a database, or write what it does under an action such as `sql`, `http`, `script` or `reply`");
    (not_implemented(ask.tool, format!("{reason}; add one of them to the spec")), vec![warning])
}

/// A pinned tool as it was, if its SQL can still be run.
fn keep(before: &ToolPlan, plan: &Plan) -> Result<ToolPlan, String> {
    let mut kept = before.clone();
    kept.origin = Origin::Pinned;
    let ActionPlan::Sql(sql) = &kept.action else {
        return Ok(kept);
    };
    let connection = plan.connections.iter().find(|connection| connection.name == sql.connection);
    let connection = connection.ok_or_else(|| format!("the spec has no connection `{}`", sql.connection))?;
    check_pinned(sql, &kept, dialect(connection.engine))?;
    Ok(kept)
}

fn check_pinned(sql: &SqlPlan, tool: &ToolPlan, dialect: Dialect) -> Result<(), String> {
    let next = sql.page.iter().filter_map(|page| page.next.as_ref());
    for statement in sql.statements.iter().chain(next) {
        let template = Template::parse(&statement.sql, dialect).map_err(|error| error.to_string())?;
        let read = check(&statement.sql, dialect)
            .map_err(|errors| errors.first().map(ToString::to_string).unwrap_or_default())?;
        match read.class {
            Class::Read => {}
            Class::Write if sql.write => {}
            Class::Write => return Err(format!("its {} writes, but `write` is false", read.verb)),
            Class::Ddl | Class::Other => return Err(format!("{} is not allowed in a tool", read.verb)),
        }
        let unknown = template.parameters().into_iter().find(|name| {
            !(name.starts_with("page_") || sql.batch.is_some() || tool.parameters.iter().any(|p| p.name == *name))
        });
        if let Some(name) = unknown {
            return Err(format!("it uses `:{name}`, which is not a parameter"));
        }
    }
    Ok(())
}
