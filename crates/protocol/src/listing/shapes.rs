//! Definitions as each revision knows them: members that a revision does not have are left out.

use serde_json::{Map, Value, json};

use crate::json::Json;
use crate::revision::Revision;
use crate::service::shapes::{insert_icons, insert_some};
use crate::service::{Prompt, Resource, ResourceTemplate, Tool};

pub(super) fn tool(tool: &Tool, revision: Revision) -> Value {
    let mut object = Map::new();
    object.insert("name".into(), tool.name.clone().into());
    if revision.has_structured() {
        insert_some(&mut object, "title", tool.title.as_deref());
    }
    insert_some(&mut object, "description", tool.description.as_deref());
    object.insert("inputSchema".into(), value(&tool.input_schema));
    if let Some(schema) = &tool.output_schema
        && revision.has_structured()
    {
        let schema = value(schema);
        object.insert("outputSchema".into(), if revision.has_any_structured() { schema } else { as_object(schema) });
    }
    if revision.has_annotations() {
        let annotations = annotations(tool, revision);
        if !annotations.is_empty() {
            object.insert("annotations".into(), annotations.into());
        }
    }
    if revision.has_icons() {
        insert_icons(&mut object, &tool.icons);
    }
    insert_meta(&mut object, tool.meta.as_ref(), revision);
    Value::Object(object)
}

fn annotations(tool: &Tool, revision: Revision) -> Map<String, Value> {
    let mut object = Map::new();
    // 2025-03-26 has titles only here.
    if !revision.has_structured() {
        insert_some(&mut object, "title", tool.title.as_deref());
    }
    let hints = &tool.annotations;
    for (key, hint) in [
        ("readOnlyHint", hints.read_only),
        ("destructiveHint", hints.destructive),
        ("idempotentHint", hints.idempotent),
        ("openWorldHint", hints.open_world),
    ] {
        if let Some(hint) = hint {
            object.insert(key.into(), hint.into());
        }
    }
    object
}

/// Revisions before 2026-07-28 know only objects as structured results: anything else is put under `result`, here in
/// the schema and likewise in the results.
fn as_object(schema: Value) -> Value {
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        return schema;
    }
    let mut wrapped = json!({ "type": "object", "required": ["result"] });
    // References such as `#/$defs/x` keep pointing at the root.
    for key in ["$schema", "$defs", "definitions"] {
        if let Some(value) = schema.get(key) {
            wrapped[key] = value.clone();
        }
    }
    wrapped["properties"] = json!({ "result": schema });
    wrapped
}

pub(super) fn resource(resource: &Resource, revision: Revision) -> Value {
    let mut object = Map::new();
    object.insert("uri".into(), resource.uri.clone().into());
    object.insert("name".into(), resource.name.clone().into());
    if revision.has_structured() {
        insert_some(&mut object, "title", resource.title.as_deref());
    }
    insert_some(&mut object, "description", resource.description.as_deref());
    insert_some(&mut object, "mimeType", resource.mime_type.as_deref());
    if let Some(size) = resource.size {
        object.insert("size".into(), size.into());
    }
    if revision.has_icons() {
        insert_icons(&mut object, &resource.icons);
    }
    insert_meta(&mut object, resource.meta.as_ref(), revision);
    Value::Object(object)
}

pub(super) fn template(template: &ResourceTemplate, revision: Revision) -> Value {
    let mut object = Map::new();
    object.insert("uriTemplate".into(), template.uri_template.clone().into());
    object.insert("name".into(), template.name.clone().into());
    if revision.has_structured() {
        insert_some(&mut object, "title", template.title.as_deref());
    }
    insert_some(&mut object, "description", template.description.as_deref());
    insert_some(&mut object, "mimeType", template.mime_type.as_deref());
    if revision.has_icons() {
        insert_icons(&mut object, &template.icons);
    }
    insert_meta(&mut object, template.meta.as_ref(), revision);
    Value::Object(object)
}

pub(super) fn prompt(prompt: &Prompt, revision: Revision) -> Value {
    let mut object = Map::new();
    object.insert("name".into(), prompt.name.clone().into());
    if revision.has_structured() {
        insert_some(&mut object, "title", prompt.title.as_deref());
    }
    insert_some(&mut object, "description", prompt.description.as_deref());
    if !prompt.arguments.is_empty() {
        let arguments = prompt.arguments.iter().map(|argument| {
            let mut entry = Map::new();
            entry.insert("name".into(), argument.name.clone().into());
            if revision.has_structured() {
                insert_some(&mut entry, "title", argument.title.as_deref());
            }
            insert_some(&mut entry, "description", argument.description.as_deref());
            if argument.required {
                entry.insert("required".into(), true.into());
            }
            Value::Object(entry)
        });
        object.insert("arguments".into(), arguments.collect::<Vec<_>>().into());
    }
    if revision.has_icons() {
        insert_icons(&mut object, &prompt.icons);
    }
    insert_meta(&mut object, prompt.meta.as_ref(), revision);
    Value::Object(object)
}

fn insert_meta(object: &mut Map<String, Value>, meta: Option<&Json>, revision: Revision) {
    if let Some(meta) = meta
        && revision.has_structured()
    {
        object.insert("_meta".into(), value(meta));
    }
}

fn value(json: &Json) -> Value {
    serde_json::from_slice(json.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{as_object, tool};
    use crate::revision::Revision;
    use crate::service::Tool;

    #[test]
    fn members_appear_with_the_revision_that_has_them() {
        let mut definition = Tool::new("t", json!({ "type": "object" }));
        definition.title = Some("T".into());
        definition.output_schema = Some(json!({ "type": "array" }).into());
        definition.annotations.read_only = Some(true);
        let shape = |revision| tool(&definition, revision);
        assert_eq!(shape(Revision::V2024_11_05), json!({ "name": "t", "inputSchema": { "type": "object" } }));
        assert_eq!(shape(Revision::V2025_03_26)["annotations"], json!({ "title": "T", "readOnlyHint": true }));
        assert_eq!(shape(Revision::V2025_06_18)["title"], "T");
        assert_eq!(shape(Revision::V2025_11_25)["outputSchema"]["properties"]["result"], json!({ "type": "array" }));
        assert_eq!(shape(Revision::V2026_07_28)["outputSchema"], json!({ "type": "array" }));
    }

    #[test]
    fn wrapped_schemas_keep_their_definitions_at_the_root() {
        let wrapped = as_object(json!({ "type": "array", "items": { "$ref": "#/$defs/x" }, "$defs": { "x": {} } }));
        assert_eq!(wrapped["$defs"], json!({ "x": {} }));
    }
}
