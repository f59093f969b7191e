//! The elements of a batch: every field of one is bound, so a field that nothing binds is a mistake to be told of.

use std::borrow::Cow;

use plan::{ActionPlan, Plan, SqlPlan, ToolPlan};
use serde_json::Value;
use spec::model::Parameter;
use spec::sql::Template;

/// The parameters of a tool, the elements of its batch closed to fields that they do not declare. They stay as they are
/// where the author says what other fields may be, or the SQL uses such a field.
pub(super) fn closed<'a>(planned: &'a ToolPlan, plan: &Plan) -> Cow<'a, [Parameter]> {
    let parameters = Cow::Borrowed(planned.parameters.as_slice());
    let ActionPlan::Sql(sql) = &planned.action else { return parameters };
    let Some(at) = planned.parameters.iter().position(|parameter| Some(&parameter.name) == sql.batch.as_ref()) else {
        return parameters;
    };
    let Some(items) = planned.parameters[at].schema.0.get("items").and_then(Value::as_object) else {
        return parameters;
    };
    let Some(fields) = items.get("properties").and_then(Value::as_object) else { return parameters };
    let decided = ["additionalProperties", "patternProperties", "unevaluatedProperties", "allOf", "anyOf", "oneOf"];
    let is_declared = |name: &String| {
        name == "item" || fields.contains_key(name) || planned.parameters.iter().any(|one| one.name == *name)
    };
    if decided.iter().any(|keyword| items.contains_key(*keyword)) || !names(sql, plan).iter().all(is_declared) {
        return parameters;
    }
    let mut parameters = parameters.into_owned();
    if let Some(items) = parameters[at].schema.0.get_mut("items").and_then(Value::as_object_mut) {
        items.insert("additionalProperties".to_owned(), false.into());
    }
    Cow::Owned(parameters)
}

/// What the statements bind.
fn names(sql: &SqlPlan, plan: &Plan) -> Vec<String> {
    let engine = plan.connections.iter().find(|connection| connection.name == sql.connection);
    let Some(dialect) = engine.map(|connection| plan::dialect(connection.engine)) else { return Vec::new() };
    let parsed = sql.statements.iter().filter_map(|statement| Template::parse(&statement.sql, dialect).ok());
    parsed.flat_map(|template| template.native(dialect).1).collect()
}
