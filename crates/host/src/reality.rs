//! The pipeline at create time: what the databases really offer, a plan, and the databases' word on it.

mod apis;
mod calls;

use std::collections::HashMap;
use std::sync::Arc;

use base::Diagnostic;
use connect::{Database, Described, Error, ErrorKind};
use engine::Connections;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use plan::{ConnectionReality, Plan, Reality, ToCheck};
use spec::Spec;
use tokio::time::timeout;

use crate::codes;
use crate::limits::{CATALOGUE_TIMEOUT, DESCRIBE_CONCURRENCY, DESCRIBE_TIMEOUT, REFINE_ROUNDS_MAX};

/// The pools of a spec's connections by name.
type Databases = HashMap<String, Arc<Database>>;

/// Reads the catalogue of every connection that a tool uses, all at once, each bounded in time. A connection that was
/// not reached has none, and a warning says why.
pub async fn reality(spec: &Spec, databases: &Databases) -> (Reality, Vec<Diagnostic>) {
    let used = |name: &str| spec.tools.iter().any(|tool| tool.connections().any(|used| used == name));
    let looked = spec.connections.iter().enumerate().filter(|(_, connection)| used(connection.name())).filter_map(
        |(index, connection)| {
            let database = databases.get(connection.name())?;
            Some(look(index, connection.name(), database))
        },
    );
    let mut reality = Reality::default();
    let mut diagnostics = Vec::new();
    for (connection, diagnostic) in join_all(looked).await {
        reality.connections.push(connection);
        diagnostics.extend(diagnostic);
    }
    (reality, diagnostics)
}

async fn look(index: usize, name: &str, database: &Database) -> (ConnectionReality, Option<Diagnostic>) {
    let engine = Some(database.engine());
    let mut real = ConnectionReality { name: name.to_owned(), engine, ..ConnectionReality::default() };
    let error = match timeout(CATALOGUE_TIMEOUT, database.catalogue()).await {
        Ok(Ok(catalogue)) => {
            real.server = Some(catalogue.server.clone());
            real.catalogue = Some(catalogue);
            return (real, None);
        }
        Ok(Err(error)) => error,
        Err(_) => late(name, "read the catalogue"),
    };
    let mut diagnostic =
        Diagnostic::warning(codes::UNREACHABLE, error_text(&error)).path(format!("/connections/{index}"));
    diagnostic.help.extend(error.hint);
    (real, Some(diagnostic))
}

/// An error without its hint, which goes to the help.
fn error_text(error: &Error) -> String {
    Error { hint: None, ..error.clone() }.to_string()
}

fn late(connection: &str, attempted: &'static str) -> Error {
    Error {
        kind: ErrorKind::Timeout,
        connection: connection.to_owned(),
        attempted,
        message: "it took too long".to_owned(),
        code: None,
        position: None,
        hint: Some("check that the database answers and is not locked".to_owned()),
    }
}

/// Has the databases check every statement of a plan, a few at once. Statements of connections that are not in
/// `databases` are left out.
pub async fn describe(plan: &Plan, databases: &Databases) -> Vec<(ToCheck, Result<Described, Error>)> {
    let checks = plan::statements(plan).into_iter().filter_map(|check| {
        let database = Arc::clone(databases.get(&check.connection)?);
        Some(async move {
            let described = timeout(DESCRIBE_TIMEOUT, database.describe(&check.statement)).await;
            let described = described.unwrap_or_else(|_| Err(late(&check.connection, "check a statement")));
            (check, described)
        })
    });
    // Boxed: a future that borrows nothing keeps this one's type simple enough to be sent between threads.
    let checks: Vec<_> = checks.map(Box::pin).collect();
    stream::iter(checks).buffered(DESCRIBE_CONCURRENCY).collect().await
}

/// Plans a spec on what its connections really offer: reads their catalogues, makes the plan, has the databases check
/// every statement, and takes in what they say. `pinned` is the plan of before, whose edited tools are kept.
pub async fn make_plan(spec: &Spec, connections: &Connections, pinned: Option<&Plan>) -> (Plan, Vec<Diagnostic>) {
    let databases = &connections.databases;
    let ((mut reality, mut unreached), (operations, told), (called, untold)) =
        tokio::join!(reality(spec, databases), apis::operations(spec, connections), calls::calls(spec, connections));
    reality.operations = operations;
    reality.operations.extend(called);
    unreached.extend(told);
    unreached.extend(untold);
    let (mut plan, mut planned) = plan::make(spec, &reality, pinned);
    // Where the reason was told, here or when the connection was opened, the planner's own word that it was not reached
    // adds nothing.
    let closed =
        spec.connections.iter().enumerate().filter(|(_, connection)| !databases.contains_key(connection.name()));
    let mut told: Vec<String> = closed.map(|(index, _)| format!("/connections/{index}")).collect();
    told.extend(unreached.iter().map(|why| why.path.clone()));
    planned.retain(|found| !told.contains(&found.path));
    let mut diagnostics = unreached;
    diagnostics.append(&mut planned);
    let reached: Databases = reality
        .connections
        .iter()
        .filter(|real| real.server.is_some())
        .filter_map(|real| Some((real.name.clone(), Arc::clone(databases.get(&real.name)?))))
        .collect();
    for round in 1..=REFINE_ROUNDS_MAX {
        let descriptions = describe(&plan, &reached).await;
        let refined = plan::refine(&mut plan, spec, &reality, &descriptions);
        // Only the last round's findings stand: a rewrite may have mended what an earlier round complained of.
        if !refined.again || round == REFINE_ROUNDS_MAX {
            diagnostics.extend(refined.diagnostics);
            break;
        }
    }
    (plan, diagnostics)
}
