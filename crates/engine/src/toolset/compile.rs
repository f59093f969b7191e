//! From a spec and its plan to a toolset.

// Long because every kind of action is compiled here, each in a few lines of the same shape.

mod composed;
mod questions;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::Diagnostic;
use connect::Statement;
use plan::{ActionPlan, On, Plan, ScriptPlan, SqlPlan, StatementPlan, ToolPlan};
use serde_json::Value;
use spec::Spec;
use spec::model::{
    ConnectionKind, Files, Graphql, Grpc, Http, Limits, Mongo, Parameter, Redis, ScriptPlace, Send, Vector,
    input_schema,
};
use spec::sql::{Dialect, Template};
use tokio::sync::Semaphore;

use super::{About, Action, Given, Group, Pages, Slot, SqlAction, Tool, ToolInfo, Toolset, batch, instant};
use crate::acting::ActAs;
use crate::actions;
use crate::actions::files::FilesAction;
use crate::actions::graphql::GraphqlAction;
use crate::actions::grpc::GrpcAction;
use crate::actions::http::HttpAction;
use crate::actions::mongo::MongoAction;
use crate::actions::redis::RedisAction;
use crate::actions::send::SendAction;
use crate::actions::vector::VectorAction;
use crate::codes;
use crate::connections::{Connections, Link};
use crate::mask::Mask;
use crate::metrics::Meter;
use crate::prompts::Prompt;
use crate::replies;
use crate::resources::Resource;
use crate::schema::Schema;
use crate::scripts::{self, Reach, ScriptAction};
use crate::trim::Trim;

use questions::{is_asked, listed};

impl Toolset {
    /// Compiles a spec as planned over the opened connections; the tools of a missing one are compiled too and answer
    /// that it is not available.
    ///
    /// Nothing is connected and no schema is compiled here, so a thousand tools take milliseconds; see
    /// [`Toolset::check`].
    ///
    /// # Errors
    /// Everything that keeps the plan from being run (`MF09xx`), for the author of the spec.
    pub fn compile(spec: &Spec, plan: &Plan, connections: Connections) -> Result<Self, Vec<Diagnostic>> {
        let mut compiler = Compiler { spec, plan, limits: &spec.limits, connections, problems: Vec::new() };
        let planned: HashMap<&str, &ToolPlan> = plan.tools.iter().map(|tool| (tool.tool.as_str(), tool)).collect();
        let mut tools = Vec::with_capacity(spec.tools.len());
        for (index, tool) in spec.tools.iter().enumerate() {
            let path = format!("/tools/{index}");
            match planned.get(tool.name.as_str()) {
                Some(planned) => tools.push(compiler.tool(tool, planned, &path)),
                None => {
                    let message = format!("the plan has no tool `{}`", tool.name);
                    compiler.fail(codes::PLAN_DIFFERS, message, &path, "plan the spec again");
                }
            }
        }
        let by_name: ahash::HashMap<Box<str>, usize> =
            tools.iter().enumerate().map(|(index, tool)| (Box::from(&*tool.info.name), index)).collect();
        let mut resources = Vec::with_capacity(spec.resources.len());
        for (index, resource) in spec.resources.iter().enumerate() {
            match Resource::compile(resource, plan, &by_name) {
                Ok(resource) => resources.push(resource),
                Err(message) => {
                    let help = "name a tool of this spec and its parameters";
                    compiler.fail(codes::RESOURCE, message, &format!("/resources/{index}"), help);
                }
            }
        }
        let mut prompts = Vec::with_capacity(spec.prompts.len());
        for (index, prompt) in spec.prompts.iter().enumerate() {
            match Prompt::compile(prompt, plan, &by_name) {
                Ok(prompt) => prompts.push(prompt),
                Err(message) => {
                    compiler.fail(codes::RESOURCE, message, &format!("/prompts/{index}"), "name a tool of this spec");
                }
            }
        }
        if !compiler.problems.is_empty() {
            return Err(compiler.problems);
        }
        Ok(Self {
            about: about(spec),
            tools,
            by_name,
            resources,
            prompts,
            groups: groups(spec),
            permits: Semaphore::new(count(spec.limits.concurrency).clamp(1, Semaphore::MAX_PERMITS)),
            limits: spec.limits.clone(),
            mask: Mask::default(),
            asks: spec.tools.iter().any(|tool| tool.ask.is_some())
                || spec.connections.iter().any(|connection| connection.kind() == ConnectionKind::Mcp),
            state: compiler.connections.state.take(),
            digest: plan.spec.clone(),
        })
    }

    /// Compiles every schema now and checks fixed answers against theirs. For the moment a server is made: a server
    /// that starts compiles a schema when its tool is first called.
    pub fn check(&self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for (index, tool) in self.tools.iter().enumerate() {
            let mut fail = |code: &str, message: String, key: &str| {
                problems.push(Diagnostic::error(code, message).path(format!("/tools/{index}/{key}")));
            };
            if let Err(error) = tool.input.validator() {
                fail(
                    codes::SCHEMA,
                    format!("the parameters of tool `{}` are no schema: {error}", tool.info.name),
                    "parameters",
                );
            }
            let shaped = tool.trim.as_ref().and_then(|trim| trim.output.as_ref());
            match tool.output.as_ref().or(shaped).map(Schema::validator) {
                Some(Err(error)) => {
                    fail(
                        codes::SCHEMA,
                        format!("`returns` of tool `{}` is no schema: {error}", tool.info.name),
                        "returns",
                    );
                }
                // What a shape makes of a reply is checked when it is called.
                Some(Ok(_)) if shaped.is_some() => {}
                Some(Ok(validator)) => {
                    if let Action::Reply { structured: Some(json), .. } = &tool.action
                        && let Ok(value) = serde_json::from_slice::<Value>(json)
                        && let Err(error) = validator.validate(&value)
                    {
                        problems.push(replies::problem(&tool.info.name, &error, &format!("/tools/{index}/reply")));
                    }
                }
                None => {}
            }
        }
        problems
    }
}

fn groups(spec: &Spec) -> Vec<Group> {
    let place = |name: &String| spec.tools.iter().position(|tool| tool.name == *name);
    let group = |group: spec::model::Group| {
        let mut tools: Vec<usize> = group.tools.iter().filter_map(place).collect();
        tools.sort_unstable();
        Group { name: group.name, title: group.title, description: group.description, tools }
    };
    spec.all_groups().into_iter().map(group).collect()
}

fn about(spec: &Spec) -> About {
    About {
        name: spec.name.clone(),
        title: spec.title.clone(),
        version: spec.version.clone(),
        description: spec.description.clone(),
        instructions: spec.instructions.clone(),
        icons: spec.icons.clone(),
    }
}

/// A limit of the spec as a count of this machine.
fn count(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

struct Compiler<'a> {
    spec: &'a Spec,
    plan: &'a Plan,
    limits: &'a Limits,
    connections: Connections,
    problems: Vec<Diagnostic>,
}

impl Compiler<'_> {
    fn fail(&mut self, code: &str, message: impl Into<String>, path: &str, help: &str) {
        self.problems.push(Diagnostic::error(code, message).path(path).help(help));
    }

    fn tool(&mut self, tool: &spec::model::Tool, planned: &ToolPlan, path: &str) -> Tool {
        let whole = batch::closed(planned, self.plan);
        let ask = self.ask(tool, &whole, path);
        let input = Schema::new(&input_schema(&listed(tool, whole)));
        let declared = tool.returns.is_some();
        let output = plan::shaped(tool, planned);
        let output =
            output.as_ref().map(|schema| if declared { Schema::new(schema) } else { Schema::annotated(schema) });
        let defaults =
            planned.parameters.iter().filter(|parameter| !is_asked(tool, parameter)).filter_map(|parameter| {
                Some((Box::from(parameter.name.as_str()), parameter.schema.default()?.clone()))
            });
        let action = self.action(tool, &planned.action, &planned.parameters, output.is_some(), path);
        let output_schema = output.as_ref().map(|schema| schema.text().clone());
        let (output, trim) = match &tool.shape {
            None => (output, None),
            Some(shape) => (None, Some(Box::new(Trim::compile(shape, output, self.limits.result_bytes)))),
        };
        let timeout = tool.timeout_ms.unwrap_or(self.limits.timeout_ms).min(self.limits.timeout_ms);
        Tool {
            info: ToolInfo {
                name: tool.name.as_str().into(),
                title: tool.title.clone(),
                description: tool.description.clone().unwrap_or_else(|| described(&tool.name)),
                input_schema: input.text().clone(),
                output_schema,
                annotations: planned.annotations.clone(),
                icons: tool.icons.clone(),
                task: tool.task,
            },
            takes_nothing: !planned.parameters.iter().any(|parameter| parameter.required && !is_asked(tool, parameter)),
            defaults: defaults.collect(),
            given: Given::compile(&planned.parameters, &self.connections.variables),
            trim,
            ask,
            timeout: Duration::from_millis(timeout),
            input,
            output,
            action,
            meter: Meter::default(),
        }
    }

    /// The action of a tool or a step.
    fn action(
        &mut self,
        tool: &spec::model::Tool,
        planned: &ActionPlan,
        parameters: &[Parameter],
        structured: bool,
        path: &str,
    ) -> Action {
        match planned {
            ActionPlan::Sql(sql) => self.sql(&tool.name, sql, parameters, path),
            ActionPlan::Script(script) => self.script(tool, script, path),
            ActionPlan::Http(on) => self.http(&tool.name, on, path),
            ActionPlan::Redis(on) => self.redis(&tool.name, on, path),
            ActionPlan::Mongo(on) => self.mongo(&tool.name, on, path),
            ActionPlan::Graphql(on) => self.graphql(&tool.name, on, path),
            ActionPlan::Grpc(on) => self.grpc(&tool.name, on, path),
            ActionPlan::Files(on) => self.files(&tool.name, on, path),
            ActionPlan::Send(on) => self.send(&tool.name, on, path),
            ActionPlan::Vector(on) => self.vector(&tool.name, on, path),
            ActionPlan::Reply(reply) => match actions::reply::compile(reply, structured) {
                Ok(action) => action,
                Err(why) => self.unusable(&tool.name, "reply", &why, path),
            },
            ActionPlan::Call(call) => self.call(&tool.name, call, path),
            ActionPlan::Steps(steps) => self.steps(tool, steps, parameters, path),
            ActionPlan::Command(command) => self.command(&tool.name, command, path),
            ActionPlan::NotImplemented { reason } => Action::NotImplemented(reason.clone()),
        }
    }

    fn script(&mut self, tool: &spec::model::Tool, planned: &ScriptPlan, path: &str) -> Action {
        let place = ScriptPlace(planned.place);
        let code = match &planned.export {
            None => &planned.code,
            Some((module, _)) => match self.spec.modules.get(module) {
                Some(code) => code,
                None => {
                    let message =
                        format!("the plan of tool `{}` uses module `{module}`, which is not there", tool.name);
                    self.fail(codes::PLAN_DIFFERS, message, &format!("{path}/script"), "plan the spec again");
                    return Action::NotImplemented(String::new());
                }
            },
        };
        let function = planned.export.as_ref().map(|(_, function)| function.as_str());
        let script = match scripts::compile(code, function, place) {
            Ok(script) => script,
            Err(fault) => {
                self.problems.push(scripts::problem(&tool.name, path, &fault, place));
                return Action::NotImplemented(String::new());
            }
        };
        let mut reach = Vec::with_capacity(planned.connections.len());
        for name in &planned.connections {
            match self.reach(name) {
                Some(one) => reach.push(one),
                None if self.connections.absent.contains(name) => {}
                None => {
                    let message = format!(
                        "the plan of tool `{}` uses connection `{name}`, which the plan does not have",
                        tool.name
                    );
                    self.fail(codes::PLAN_DIFFERS, message, &format!("{path}/script"), "plan the spec again");
                }
            }
        }
        if self.spec.state.is_some() {
            let link = self.connections.state.clone().ok_or_else(|| self.connections.why("state"));
            reach.extend(Reach::state(&link));
        }
        if tool.task.is_some() {
            reach.push(Reach::task());
        }
        // A script that never names them does not reach the other tools.
        if code.contains(scripts::TOOLS) {
            let others = self.spec.tools.iter().filter(|other| other.name != tool.name);
            reach.push(Reach::tools(others.map(|other| other.name.as_str().into()).collect()));
        }
        if planned.code.contains(scripts::MARKDOWN) {
            reach.push(Reach::markdown());
        }
        if planned.fetch.is_some() {
            let none = || Err("nothing says what it may fetch".to_owned());
            reach.push(Reach::fetch(self.connections.fetches.get(&tool.name).cloned().unwrap_or_else(none)));
        }
        let row_limit = count(planned.row_limit.min(spec::limits::ROWS_MAX)).max(1);
        Action::Script(Box::new(ScriptAction::new(script, planned, row_limit, reach)))
    }

    /// A connection as a script sees it.
    fn reach(&self, name: &str) -> Option<Reach> {
        let declared = self.spec.connections.iter().find(|connection| connection.name() == name)?;
        if self.connections.absent.contains(name) {
            return None;
        }
        match declared.kind() {
            ConnectionKind::Http => return Some(Reach::http(name, self.link(name, &self.connections.apis))),
            ConnectionKind::Redis => return Some(Reach::redis(name, self.link(name, &self.connections.redis))),
            ConnectionKind::Mongodb => return Some(Reach::mongo(name, self.link(name, &self.connections.mongo))),
            ConnectionKind::Graphql => {
                return Some(Reach::graphql(name, self.link(name, &self.connections.graphql)));
            }
            ConnectionKind::Grpc => return Some(Reach::grpc(name, self.link(name, &self.connections.grpc))),
            kind if kind.is_store() => return Some(Reach::files(name, self.link(name, &self.connections.stores))),
            kind if kind.is_messenger() => {
                return Some(Reach::send(name, self.link(name, &self.connections.messengers)));
            }
            ConnectionKind::Vector => return Some(Reach::vector(name, self.link(name, &self.connections.vectors))),
            ConnectionKind::Mcp => return Some(Reach::mcp(name, self.link(name, &self.connections.mcp))),
            _ => {}
        }
        let planned = self.plan.connections.iter().find(|connection| connection.name == name)?;
        let database = self.link(name, &self.connections.databases);
        Some(Reach::sql(name, plan::dialect(planned.engine), database, self.act_as(name)))
    }

    /// Whom calls act as at a connection. What cannot be compiled was refused when the spec was checked; the database, which
    /// takes no request that acts as nobody, refuses it then.
    fn act_as(&self, name: &str) -> Option<Arc<ActAs>> {
        let declared = self.spec.connections.iter().find(|connection| connection.name() == name)?.database()?;
        ActAs::compile(name, declared.act_as.as_ref()?).ok().map(Arc::new)
    }

    /// An opened connection, or why it is not there.
    fn link<T>(&self, name: &str, opened: &HashMap<String, Arc<T>>) -> Link<T> {
        opened.get(name).cloned().ok_or_else(|| self.connections.why(name))
    }

    fn http(&mut self, tool: &str, on: &On<Http>, path: &str) -> Action {
        let api = self.link(&on.connection, &self.connections.apis);
        match HttpAction::compile(&on.connection, api, &on.action, self.limits.rows) {
            Ok(action) => Action::Http(Box::new(action)),
            Err(why) => {
                let message = format!("the request of tool `{tool}` cannot be compiled: {why}");
                self.fail(codes::ACTION, message, &format!("{path}/http"), "mend the action in the spec");
                Action::NotImplemented(String::new())
            }
        }
    }

    fn redis(&mut self, tool: &str, on: &On<Redis>, path: &str) -> Action {
        let link = self.link(&on.connection, &self.connections.redis);
        match RedisAction::compile(&on.connection, link, &on.action, self.limits.rows) {
            Ok(action) => Action::Redis(Box::new(action)),
            Err(why) => self.unusable(tool, "redis", &why, path),
        }
    }

    fn mongo(&mut self, tool: &str, on: &On<Mongo>, path: &str) -> Action {
        let link = self.link(&on.connection, &self.connections.mongo);
        match MongoAction::compile(&on.connection, link, &on.action, self.limits.rows) {
            Ok(action) => Action::Mongo(Box::new(action)),
            Err(why) => self.unusable(tool, "mongo", &why, path),
        }
    }

    fn files(&mut self, tool: &str, on: &On<Files>, path: &str) -> Action {
        let link = self.link(&on.connection, &self.connections.stores);
        match FilesAction::compile(&on.connection, link, &on.action) {
            Ok(action) => Action::Files(Box::new(action)),
            Err(why) => self.unusable(tool, "files", &why, path),
        }
    }

    fn send(&mut self, tool: &str, on: &On<Send>, path: &str) -> Action {
        let link = self.link(&on.connection, &self.connections.messengers);
        match SendAction::compile(&on.connection, link, &on.action) {
            Ok(action) => Action::Send(Box::new(action)),
            Err(why) => self.unusable(tool, "send", &why, path),
        }
    }

    fn vector(&mut self, tool: &str, on: &On<Vector>, path: &str) -> Action {
        let link = self.link(&on.connection, &self.connections.vectors);
        match VectorAction::compile(&on.connection, link, &on.action, self.limits.rows) {
            Ok(action) => Action::Vector(Box::new(action)),
            Err(why) => self.unusable(tool, "vector", &why, path),
        }
    }

    fn graphql(&mut self, tool: &str, on: &On<Graphql>, path: &str) -> Action {
        let client = self.link(&on.connection, &self.connections.graphql);
        match GraphqlAction::compile(&on.connection, client, &on.action) {
            Ok(action) => Action::Graphql(Box::new(action)),
            Err(why) => self.unusable(tool, "graphql", &why, path),
        }
    }

    fn grpc(&mut self, tool: &str, on: &On<Grpc>, path: &str) -> Action {
        let client = self.link(&on.connection, &self.connections.grpc);
        match GrpcAction::compile(&on.connection, client, &on.action) {
            Ok(action) => Action::Grpc(Box::new(action)),
            Err(why) => self.unusable(tool, "grpc", &why, path),
        }
    }

    fn unusable(&mut self, tool: &str, key: &str, why: &str, path: &str) -> Action {
        let message = format!("the action of tool `{tool}` cannot be compiled: {why}");
        self.fail(codes::ACTION, message, &format!("{path}/{key}"), "mend the action in the spec");
        Action::NotImplemented(String::new())
    }

    fn sql(&mut self, tool: &str, sql: &SqlPlan, parameters: &[Parameter], path: &str) -> Action {
        let path = format!("{path}/sql");
        let planned = self.plan.connections.iter().find(|connection| connection.name == sql.connection);
        let Some(engine) = planned.map(|connection| connection.engine) else {
            let message =
                format!("the plan of tool `{tool}` uses connection `{}`, which the plan does not have", sql.connection);
            self.fail(codes::PLAN_DIFFERS, message, &path, "plan the spec again");
            return Action::NotImplemented(String::new());
        };
        let database = self.connections.databases.get(&sql.connection).cloned();
        if let Some(database) = &database
            && database.engine() != engine
        {
            let (now, then) = (database.engine().as_str(), engine.as_str());
            let message = format!("connection `{}` is {now}, but the plan is written for {then}", sql.connection);
            if !self.problems.iter().any(|problem| problem.message == message) {
                self.fail(codes::ENGINE, message, &path, "plan the spec again");
            }
        }
        let scope = Scope {
            parameters,
            batch: sql.batch.as_deref().and_then(|name| parameters.iter().find(|parameter| parameter.name == name)),
        };
        let dialect = plan::dialect(engine);
        let mut slots = Vec::new();
        let mut statement = |planned: &StatementPlan| match native(planned, dialect, &scope, &mut slots) {
            Ok(statement) => Some(statement),
            Err((code, message)) => {
                let message = format!("the SQL of tool `{tool}` cannot be run: {message}");
                self.problems.push(
                    Diagnostic::error(code, message)
                        .path(path.as_str())
                        .help("mend the statement, or plan the spec again"),
                );
                None
            }
        };
        let statements: Vec<Statement> = sql.statements.iter().filter_map(&mut statement).collect();
        let page = sql.page.as_ref().map(|page| Pages {
            size: count(page.size).max(1),
            by: page.by,
            key: page.key.iter().map(|key| key.trim_start_matches('-').to_owned()).collect(),
            next: page.next.as_ref().and_then(&mut statement).map(|next| {
                let earlier = statements.split_last().map(|(_, earlier)| earlier).unwrap_or_default();
                earlier.iter().cloned().chain([next]).collect()
            }),
        });
        let instants = match engine {
            connect::Engine::Mysql => {
                (0..slots.len()).filter(|at| instant::is_one(&slots[*at], parameters, scope.batch)).collect()
            }
            _ => Vec::new(),
        };
        Action::Sql(Box::new(SqlAction {
            connection: sql.connection.as_str().into(),
            database,
            unavailable: self.connections.unavailable.get(&sql.connection).cloned(),
            acts: self.act_as(&sql.connection),
            statements,
            slots,
            instants,
            write: sql.write,
            batch: sql.batch.as_deref().map(Into::into),
            result: sql.result,
            row_limit: count(sql.row_limit.min(spec::limits::ROWS_MAX)).max(1),
            page,
        }))
    }
}

/// The names that a statement may use.
struct Scope<'a> {
    parameters: &'a [Parameter],
    /// The parameter whose elements are run one by one.
    batch: Option<&'a Parameter>,
}

impl Scope<'_> {
    /// What a name is bound to: the nearest meaning wins, so an element's field goes before a parameter.
    fn slot(&self, name: &str) -> Option<Slot> {
        if let Some(batch) = self.batch {
            let items = batch.schema.0.get("items");
            let field = items.and_then(|items| items.get("properties")?.get(name));
            if let Some(field) = field {
                return Some(Slot::Field(name.into(), field.get("default").cloned().unwrap_or_default()));
            }
            if name == "item" {
                return Some(Slot::Item);
            }
        }
        match name {
            "page_limit" => return Some(Slot::PageLimit),
            "page_offset" => return Some(Slot::PageOffset),
            _ => {}
        }
        if let Some(number) = name.strip_prefix("page_key_").and_then(|number| number.parse::<usize>().ok()) {
            return Some(Slot::PageKey(number.checked_sub(1)?));
        }
        if self.parameters.iter().any(|parameter| parameter.name == name) {
            return Some(Slot::Argument(name.into()));
        }
        // Elements whose fields are not declared may still have it.
        self.batch.map(|_| Slot::Field(name.into(), Value::Null))
    }
}

type Refused = (&'static str, String);

fn native(
    planned: &StatementPlan,
    dialect: Dialect,
    scope: &Scope<'_>,
    slots: &mut Vec<Slot>,
) -> Result<Statement, Refused> {
    let template = Template::parse(&planned.sql, dialect).map_err(|error| (codes::SQL, error.to_string()))?;
    let (text, names) = template.native(dialect);
    let mut order = Vec::with_capacity(names.len());
    for name in &names {
        let slot = scope.slot(name).ok_or_else(|| (codes::UNBOUND, format!("nothing binds `:{name}`")))?;
        let index = slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            slots.push(slot);
            slots.len() - 1
        });
        order.push(index);
    }
    Ok(Statement { text: text.into(), order: order.into(), targets: planned.targets.as_slice().into() })
}

/// A description for a tool that has none: `search_products` is "Search products."
fn described(name: &str) -> String {
    let words = name.replace(['_', '-'], " ");
    let mut chars = words.trim().chars();
    let Some(first) = chars.next() else { return name.to_owned() };
    first.to_uppercase().chain(chars).chain(['.']).collect()
}
