//! Tools whose action is a script: compiling them, running them, and what is told when they fail.

mod host;
mod reach;

use std::time::{Duration, Instant};

use base::{Diagnostic, Span};
use plan::ScriptPlan;
use script::{Call, Fault, FaultKind, Limits, Origin, Sandbox, Script, Surface};
use serde_json::{Map, Value, json};
use spec::Spec;
use spec::model::{Action, ScriptPlace};

use crate::codes;
use crate::context::CallContext;
use crate::errors;
use crate::limits::ASKING_MAX;
use crate::outcome::{Content, Failure, FailureKind, Outcome};
use crate::permit::Held;
use crate::shape;
use crate::toolset::{Tool, Toolset};

pub(crate) use reach::MARKDOWN;
pub(crate) use reach::Reach;
pub(crate) use reach::tools::OWN as TOOLS;

/// A script with what it reaches.
#[derive(Debug)]
pub(crate) struct ScriptAction {
    script: Script,
    surface: Surface,
    /// The connection and the name of each function, in the order of their numbers.
    functions: Vec<(usize, Box<str>)>,
    reach: Vec<Reach>,
    write: bool,
    cpu: Option<Duration>,
    row_limit: usize,
}

/// Compiles the scripts of a spec.
///
/// The diagnostics (`MF0908`) have the line and the column in the document, and offsets of zero: the document is not at hand
/// here. [`base::Diagnostic::locate`] completes them.
pub fn check_scripts(spec: &Spec) -> Vec<Diagnostic> {
    let tools = spec.tools.iter().enumerate();
    let actions = tools.flat_map(|(index, tool)| {
        let path = format!("/tools/{index}");
        let steps = match &tool.action {
            Some(Action::Steps(steps)) => steps.list.as_slice(),
            _ => &[],
        };
        let of_steps = steps.iter().enumerate().map({
            let path = path.clone();
            move |(at, step)| {
                (format!("{}/{}", tool.name, step.name), format!("{path}/steps/do/{at}"), step.action.as_ref())
            }
        });
        std::iter::once((tool.name.clone(), path, tool.action.as_ref())).chain(of_steps)
    });
    let scripts = actions.filter_map(|(name, path, action)| match action {
        Some(Action::Script(script)) => Some((name, path, script)),
        _ => None,
    });
    scripts
        .filter_map(|(name, path, script)| {
            let (code, function) = spec.script(&name, script);
            let fault = compile(code, function, script.place).err()?;
            Some(problem(&name, &path, &fault, script.place))
        })
        .collect()
}

/// Compiles the code of a script, of which the export of this name is called.
pub(crate) fn compile(code: &str, function: Option<&str>, place: ScriptPlace) -> Result<Script, Fault> {
    match function {
        None => Script::compile(code, origin(code, place)),
        Some(function) => Script::compile_export(code, function, origin(code, place)),
    }
}

/// What a script that cannot be compiled is for its author.
pub(crate) fn problem(tool: &str, path: &str, fault: &Fault, place: ScriptPlace) -> Diagnostic {
    let message = format!("the script of tool `{tool}` cannot be run: {}", fault.message.trim_end_matches('.'));
    let mut problem = Diagnostic::error(codes::SCRIPT, message).path(format!("{path}/script"));
    match fault.place {
        Some(at) if place.0.is_some() => {
            problem = problem.at(Span { start: 0, end: 0, line: at.line as usize, column: at.column as usize });
        }
        Some(at) => problem = problem.help(format!("it is at line {}, column {} of the script", at.line, at.column)),
        None => {}
    }
    problem.help("a script is one module: `export default async function run(args, host) { … }`")
}

/// Where the lines of a script stand in its document.
pub(crate) fn origin(code: &str, place: ScriptPlace) -> Origin {
    let Some(place) = place.0 else { return Origin::default() };
    let lines = (place.line..).zip(code.lines().enumerate());
    let starts: Vec<(u32, u32)> =
        lines.map(|(line, (number, _))| (line, if number == 0 { place.column } else { place.indent })).collect();
    Origin::within("", starts)
}

impl ScriptAction {
    /// Whether it reaches other tools.
    pub(crate) fn may_ask(&self) -> bool {
        self.reach.iter().any(Reach::leads_to_tools)
    }

    /// Puts a compiled script together with its connections.
    pub(crate) fn new(script: Script, plan: &ScriptPlan, row_limit: usize, reach: Vec<Reach>) -> Self {
        let mut surface = Surface::new();
        let mut functions = Vec::new();
        for (at, one) in reach.iter().enumerate() {
            // A name that is taken was refused when the spec was checked; it is left out then.
            let names = one.functions();
            if one.is_function() {
                if surface.add_function(one.connection()) {
                    functions.push((at, Box::from(one.connection())));
                }
            } else if surface.add(one.connection(), names.iter().copied()) {
                functions.extend(names.into_iter().map(|name| (at, Box::from(name))));
            }
        }
        Self {
            script,
            surface,
            functions,
            reach,
            write: plan.write,
            cpu: plan.cpu_ms.map(Duration::from_millis),
            row_limit,
        }
    }
}

impl Toolset {
    pub(crate) async fn run_script(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &ScriptAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Result<Outcome, Box<Failure>> {
        let end = context.end(tool, started);
        let deadline = context.kept(end);
        let held = Held::new(&self.permits, self.permit(context, tool, end).await?);
        let inside = CallContext { held: if context.is_held { context.held } else { Some(&held) }, ..*context };
        let host = host::ScriptHost {
            set: self,
            action,
            context: &inside,
            mask: &self.mask,
            limits: &self.limits,
            kept: deadline,
        };
        let arguments = Value::Object(arguments).to_string();
        let output = self.raw_bytes(tool);
        let call = Call {
            arguments: arguments.as_bytes(),
            surface: &action.surface,
            limits: Limits { output, cpu: action.cpu.unwrap_or(script::limits::CPU), ..Limits::default() },
            // With a person behind the call its end moves while they think, and is looked after here.
            deadline: context.person.map_or(end, |_| end + ASKING_MAX).into(),
            cancel: context.cancel,
        };
        let running = Sandbox::shared().run(&action.script, &host, call);
        let result = match context.person {
            None => running.await,
            Some(person) => tokio::select! {
                result = running => result,
                () = person.over(deadline) => return Err(errors::timeout(tool, started.elapsed())),
            },
        };
        let answer = result.map_err(|fault| failure(tool, action, &fault, started))?;
        shape::conforms(tool, &answer.json)?;
        let outcome = Outcome::structured(answer.json);
        Ok(match answer.text {
            Some(text) => Outcome { echo: false, content: vec![Content::Text(text)], ..outcome },
            None => outcome,
        })
    }
}

/// What a fault is for the caller of the tool.
fn failure(tool: &Tool, action: &ScriptAction, fault: &Fault, started: Instant) -> Box<Failure> {
    let named = || FailureKind::ALL.into_iter().find(|kind| fault.code.as_deref() == Some(kind.as_str()));
    let kind = match fault.kind {
        FaultKind::Told => {
            let told = Failure::new(named().unwrap_or(FailureKind::Script), fault.message.as_str());
            let detail = fault.detail.as_deref().and_then(|json| serde_json::from_str(json).ok());
            return Box::new(Failure { detail, ..told });
        }
        FaultKind::Deadline => return errors::timeout(tool, started.elapsed()),
        FaultKind::Cancelled => return errors::cancelled(tool),
        FaultKind::Memory | FaultKind::Stack | FaultKind::Cpu | FaultKind::Output => FailureKind::Limit,
        FaultKind::Refused => FailureKind::Busy,
        FaultKind::Thrown => named().unwrap_or(FailureKind::Script),
        FaultKind::Syntax | FaultKind::Shape | FaultKind::Stalled | FaultKind::Internal => FailureKind::Internal,
    };
    let whose = if action.script.origin().is_within() { "spec" } else { "script" };
    let place = fault.place.map(|at| format!(" (line {}, column {} of the {whose})", at.line, at.column));
    let text = format!(
        "`{}` failed in its script{}: {}.",
        tool.info.name,
        place.unwrap_or_default(),
        fault.message.trim_end_matches('.')
    );
    let mut detail = json!({ "message": fault.message });
    if let Some(at) = fault.place {
        detail["line"] = at.line.into();
        detail["column"] = at.column.into();
    }
    Box::new(Failure::new(kind, text).with(detail))
}
