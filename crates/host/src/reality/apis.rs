//! What GraphQL APIs and gRPC services say of the operations of a spec's tools.

use base::Diagnostic;
use connect::graphql::{Limits, Operation};
use engine::Connections;
use futures_util::future::join_all;
use plan::OperationReality;
use serde_json::{Map, Value};
use spec::Spec;
use spec::model::{Action, Graphql, Grpc, Parameter, Schema, Tool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::codes;
use crate::limits::CATALOGUE_TIMEOUT;

type Looked = Result<OperationReality, Box<Diagnostic>>;

/// Asks every API that a tool uses for its schema, once, and checks each tool's operation against it.
pub(super) async fn operations(spec: &Spec, connections: &Connections) -> (Vec<OperationReality>, Vec<Diagnostic>) {
    let looked = spec.tools.iter().enumerate().map(|(index, tool)| look(index, tool, connections));
    let (mut found, mut diagnostics) = (Vec::new(), Vec::<Diagnostic>::new());
    for outcome in join_all(looked).await.into_iter().flatten() {
        match outcome {
            Ok(real) => found.push(real),
            // What is said of a connection is said once.
            Err(problem) if diagnostics.iter().any(|told| told.message == problem.message) => {}
            Err(problem) => diagnostics.push(*problem),
        }
    }
    (found, diagnostics)
}

async fn look(index: usize, tool: &Tool, connections: &Connections) -> Option<Looked> {
    let connection = tool.connection.as_deref()?;
    let (deadline, cancel) = (Instant::now() + CATALOGUE_TIMEOUT, CancellationToken::new());
    let untold = |error: &connect::Error| {
        let message = format!("the API of connection `{connection}` did not tell its schema: {}", error.message);
        let problem = Diagnostic::warning(codes::UNTOLD, message).path(format!("/tools/{index}/connection"));
        Box::new(problem.help("make it reachable, or give `schema` to the connection"))
    };
    match tool.action.as_ref()? {
        Action::Graphql(action) => {
            let client = connections.graphql.get(connection)?;
            let schema = client.schema(deadline, &cancel).await;
            Some(schema.map_err(|error| untold(&error)).and_then(|schema| of_graphql(index, tool, action, schema)))
        }
        Action::Grpc(action) => {
            let client = connections.grpc.get(connection)?;
            let schema = client.schema(deadline, &cancel).await;
            Some(schema.map_err(|error| untold(&error)).and_then(|schema| of_grpc(index, tool, action, schema)))
        }
        _ => None,
    }
}

fn of_graphql(index: usize, tool: &Tool, action: &Graphql, schema: &connect::graphql::Schema) -> Looked {
    let checked = Operation::check(schema, &action.operation, action.name.as_deref(), Limits::default());
    let operation = checked.map_err(|faults| {
        let told = faults.iter().take(3).map(|fault| match (fault.line, fault.column) {
            (Some(line), Some(column)) => format!("{} (line {line}, column {column} of it)", fault.message),
            _ => fault.message.clone(),
        });
        misfit(index, tool, "graphql", "operation", &told.collect::<Vec<_>>().join("; "))
    })?;
    for name in action.variables.keys() {
        if !operation.variables.iter().any(|variable| variable.name == *name) {
            return Err(misfit(index, tool, "graphql", "operation", &format!("it has no variable `${name}`")));
        }
    }
    for variable in operation.variables.iter().filter(|variable| variable.required) {
        let given = action.variables.contains_key(&variable.name) || tool.parameter(&variable.name).is_some();
        if tool.parameters.is_some() && !given {
            let why = format!(
                "its variable `${}` needs a value: declare a parameter of this name, or give it under `variables`",
                variable.name
            );
            return Err(misfit(index, tool, "graphql", "operation", &why));
        }
    }
    // What the spec gives is nothing that a caller has to.
    let open = operation.variables.iter().filter(|variable| !action.variables.contains_key(&variable.name));
    let parameters = open.map(|variable| parameter(&variable.name, variable.required, &variable.schema));
    Ok(OperationReality {
        tool: tool.name.clone(),
        parameters: parameters.collect(),
        output: operation.output,
        is_read_only: operation.kind == connect::graphql::Kind::Query,
    })
}

fn of_grpc(index: usize, tool: &Tool, action: &Grpc, schema: &connect::grpc::Schema) -> Looked {
    let method = schema.method(&action.method).map_err(|why| misfit(index, tool, "grpc", "method", &why))?;
    let taken = method.parameters();
    let fields = taken["properties"].as_object().cloned().unwrap_or_default();
    if action.message.is_none() {
        let unknown = tool.parameters().iter().find(|parameter| !fields.contains_key(&parameter.name));
        if let Some(parameter) = unknown {
            let why =
                format!("its message has no field `{}`; write `message`, or rename the parameter", parameter.name);
            return Err(misfit(index, tool, "grpc", "method", &why));
        }
    }
    let required = |name: &str| taken["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let fields = fields.iter().filter(|_| action.message.is_none());
    let one = method.output_schema();
    Ok(OperationReality {
        tool: tool.name.clone(),
        parameters: fields.map(|(name, schema)| parameter(name, required(name), schema)).collect(),
        output: Some(if method.is_streaming() { serde_json::json!({"type": "array", "items": one}) } else { one }),
        is_read_only: method.is_read_only(),
    })
}

fn misfit(index: usize, tool: &Tool, action: &str, what: &str, why: &str) -> Box<Diagnostic> {
    let message = format!("the {what} of tool `{}` does not fit the API's schema: {why}", tool.name);
    Box::new(Diagnostic::error(codes::OPERATION, message).path(format!("/tools/{index}/{action}")))
}

fn parameter(name: &str, required: bool, schema: &Value) -> Parameter {
    let schema: Map<String, Value> = schema.as_object().cloned().unwrap_or_default();
    Parameter::new(name, required, Schema(schema))
}
