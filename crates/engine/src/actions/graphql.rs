//! The `graphql` action: an operation with values from a call's arguments, and its data.

use std::time::Instant;

use base::Select;
use bytes::Bytes;
use connect::graphql::{Client, Limits, Operation, PROBLEMS_MAX, Request};
use serde_json::{Map, Value, json};
use spec::expression::Tree;
use spec::model::Graphql;

use super::part::{self, Fault};
use super::{scope, selected};
use crate::connections::Link;
use crate::context::CallContext;
use crate::errors;
use crate::outcome::{Content, Failure, Outcome};
use crate::toolset::{Tool, Toolset};

/// An operation with everything that is known before a call.
#[derive(Debug)]
pub(crate) struct GraphqlAction {
    connection: Box<str>,
    client: Link<Client>,
    operation: Operation,
    variables: Tree,
    select: Option<(Select, Box<str>)>,
}

impl GraphqlAction {
    /// Compiles an operation.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(connection: &str, client: Link<Client>, action: &Graphql) -> Result<Self, Fault> {
        let operation = Operation::parse(&action.operation, action.name.as_deref(), Limits::default());
        Ok(Self {
            connection: connection.into(),
            client,
            operation: operation
                .map_err(|faults| faults.into_iter().next().map(|fault| fault.message).unwrap_or_default())?,
            variables: part::tree(&Value::Object(action.variables.clone()))?,
            select: super::selection(action.select.as_ref())?,
        })
    }
}

impl Toolset {
    pub(crate) async fn run_graphql(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &GraphqlAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Result<Outcome, Box<Failure>> {
        let client = action.client.as_ref().map_err(|why| errors::no_connection(tool, &action.connection, why))?;
        let given = part::value(tool, "variables", &action.variables, &scope(context, &arguments))?;
        let mut variables = match given {
            Some(Value::Object(given)) => given,
            _ => Map::new(),
        };
        for (name, value) in arguments {
            if action.operation.variables.iter().any(|variable| variable.name == name) {
                variables.entry(name).or_insert(value);
            }
        }
        let turn = self.turn(context, tool, started).await?;
        let operation = &action.operation;
        let subject = context.upstream(client.subject());
        let request = Request {
            text: &operation.text,
            name: operation.name.as_deref(),
            kind: operation.kind,
            variables: &variables,
            headers: &[],
            subject: subject.as_ref(),
        };
        let answer = client.run(&request, turn.deadline.into(), context.cancel).await;
        let answer = answer.map_err(|error| errors::api(tool, &error, started.elapsed()))?;
        let mut outcome = selected(self, tool, action.select.as_ref(), answer.data)?;
        if answer.problems_all > 0 {
            let told: Vec<String> = answer.problems.iter().map(ToString::to_string).collect();
            let more = if answer.problems_all > PROBLEMS_MAX { "; and more" } else { "" };
            outcome.content.push(Content::Text(format!("A part of this could not be had: {}{more}", told.join("; "))));
            outcome.meta = Some(Bytes::from(json!({ "mcp-factory/problems": told }).to_string()));
        }
        Ok(outcome)
    }
}
