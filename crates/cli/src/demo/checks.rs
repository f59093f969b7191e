//! What the answers must be.

use serde_json::Value;

/// Names of the rows of a tool's answer, or why it is not what it must be.
pub(super) fn names(result: &Value) -> Result<Vec<String>, String> {
    if result.get("isError") == Some(&Value::Bool(true)) {
        return Err(format!("the tool answered with an error: {}", result["content"][0]["text"]));
    }
    let rows = rows(result).ok_or_else(|| format!("there are no rows in {result}"))?;
    rows.iter()
        .map(|row| match (&row["id"], &row["name"], &row["price"]) {
            (Value::String(_), Value::String(name), Value::Number(_)) => Ok(name.clone()),
            _ => Err(format!("a row is not as `returns` says: {row}")),
        })
        .collect()
}

/// The rows: the structured answer is an array, or an object that holds one; clients of revisions
/// without structured answers have them as text.
fn rows(result: &Value) -> Option<Vec<Value>> {
    let list = |value: &Value| match value {
        Value::Array(rows) => Some(rows.clone()),
        Value::Object(map) => map.values().find_map(Value::as_array).cloned(),
        _ => None,
    };
    let text = || serde_json::from_str::<Value>(result["content"][0]["text"].as_str()?).ok();
    list(&result["structuredContent"]).or_else(|| list(&text()?))
}

#[cfg(test)]
mod tests {
    use super::names;
    use serde_json::json;

    #[test]
    fn rows_are_found_where_each_revision_has_them() {
        let row = json!({ "id": "1", "name": "a", "price": 1.5 });
        let expected = Ok(vec!["a".to_owned()]);
        assert_eq!(names(&json!({ "structuredContent": [row] })), expected);
        assert_eq!(names(&json!({ "structuredContent": { "result": [row] } })), expected);
        assert_eq!(names(&json!({ "content": [{ "type": "text", "text": json!([row]).to_string() }] })), expected);
        assert!(names(&json!({ "isError": true, "content": [{ "text": "no" }] })).is_err());
        assert!(names(&json!({ "structuredContent": [{ "id": 1, "name": "a", "price": "1" }] })).is_err());
    }
}
