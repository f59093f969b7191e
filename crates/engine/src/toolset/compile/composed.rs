//! Actions that are made of others, and programs.

use std::time::Duration;

use plan::{CallPlan, StepsPlan};
use serde_json::Value;
use spec::model::{Command, Parameter};

use super::{Compiler, Tool, ToolInfo};
use crate::actions::call::{CallAction, Target};
use crate::actions::command::CommandAction;
use crate::actions::steps::{Step, StepsAction};
use crate::metrics::Meter;
use crate::schema::Schema;
use crate::toolset::Action;

impl Compiler<'_> {
    pub(super) fn call(&mut self, tool: &str, planned: &CallPlan, path: &str) -> Action {
        let target = match &planned.connection {
            Some(name) => Target::Other(name.as_str().into(), self.link(name, &self.connections.mcp)),
            None => {
                let other = self.plan.tools.iter().find(|other| other.tool == planned.action.tool);
                let names = other.into_iter().flat_map(|other| &other.parameters).filter(|one| !one.is_hidden());
                Target::Own(names.map(|parameter| parameter.name.as_str().into()).collect())
            }
        };
        match CallAction::compile(&planned.action, target) {
            Ok(action) => Action::Call(Box::new(action)),
            Err(why) => self.unusable(tool, "call", &why, path),
        }
    }

    pub(super) fn steps(
        &mut self,
        tool: &spec::model::Tool,
        planned: &StepsPlan,
        parameters: &[Parameter],
        path: &str,
    ) -> Action {
        let mut list = Vec::with_capacity(planned.list.len());
        for (index, step) in planned.list.iter().enumerate() {
            let path = format!("{path}/steps/do/{index}");
            let alone = spec::model::Tool { name: format!("{}/{}", tool.name, step.step.name), ..tool.clone() };
            let more = step.step.with.keys().filter(|name| !parameters.iter().any(|known| known.name == **name));
            let more = more.map(|name| Parameter::new(name, false, spec::model::Schema(serde_json::Map::new())));
            let taken: Vec<Parameter> = parameters.iter().cloned().chain(more).collect();
            let action = self.action(&alone, &step.action, &taken, false, &path);
            let compiled = self.inner(alone, action);
            match Step::compile(&step.step, compiled) {
                Ok(step) => list.push(step),
                Err(why) => return self.unusable(&tool.name, "steps", &why, &path),
            }
        }
        match StepsAction::compile(list, planned.result.as_ref()) {
            Ok(action) => Action::Steps(Box::new(action)),
            Err(why) => self.unusable(&tool.name, "steps", &why, path),
        }
    }

    /// An action that is a part of a tool.
    fn inner(&self, tool: spec::model::Tool, action: Action) -> Tool {
        let timeout = tool.timeout_ms.unwrap_or(self.limits.timeout_ms).min(self.limits.timeout_ms);
        let input = Schema::new(&Value::Bool(true));
        Tool {
            info: ToolInfo {
                name: tool.name.as_str().into(),
                title: None,
                description: String::new(),
                input_schema: input.text().clone(),
                output_schema: None,
                annotations: spec::model::Annotations::default(),
                icons: Vec::new(),
                task: None,
            },
            takes_nothing: false,
            defaults: Box::default(),
            given: None,
            trim: None,
            ask: None,
            timeout: Duration::from_millis(timeout),
            input,
            output: None,
            action,
            meter: Meter::default(),
        }
    }

    pub(super) fn command(&mut self, tool: &str, command: &Command, path: &str) -> Action {
        let unknown = || Err("it was not looked for".to_owned());
        let program = self.connections.programs.get(tool).cloned().unwrap_or_else(unknown);
        match CommandAction::compile(command, program) {
            Ok(action) => Action::Command(Box::new(action)),
            Err(why) => self.unusable(tool, "command", &why, path),
        }
    }
}
