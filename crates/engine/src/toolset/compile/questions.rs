//! What tools ask people.

use std::borrow::Cow;

use spec::model::{Parameter, input_schema};

use super::Compiler;
use crate::ask::Ask;
use crate::codes;

/// Whether a person is asked for this parameter.
pub(super) fn is_asked(tool: &spec::model::Tool, parameter: &Parameter) -> bool {
    tool.ask.as_ref().is_some_and(|ask| ask.asks_for(&parameter.name))
}

/// The parameters as callers see them: what a person is asked for may be left out.
pub(super) fn listed<'a>(tool: &spec::model::Tool, parameters: Cow<'a, [Parameter]>) -> Cow<'a, [Parameter]> {
    if !parameters.iter().any(|parameter| parameter.required && is_asked(tool, parameter)) {
        return parameters;
    }
    let mut parameters = parameters.into_owned();
    parameters
        .iter_mut()
        .filter(|parameter| is_asked(tool, parameter))
        .for_each(|parameter| parameter.required = false);
    parameters.into()
}

impl Compiler<'_> {
    pub(super) fn ask(&mut self, tool: &spec::model::Tool, whole: &[Parameter], path: &str) -> Option<Box<Ask>> {
        match Ask::compile(tool.ask.as_ref()?, whole, input_schema(whole)) {
            Ok(ask) => Some(Box::new(ask)),
            Err(why) => {
                let message = format!("the questions of tool `{}` cannot be used: {why}", tool.name);
                let help = "name parameters of the tool that callers give, each with a single type";
                self.fail(codes::ACTION, message, &format!("{path}/ask"), help);
                None
            }
        }
    }
}
