//! Resources.

use protocol::{CacheScope, Error, ReadResult, ResourceContents};

use crate::plain::PNG;

pub(crate) fn read(uri: &str) -> Result<ReadResult, Error> {
    let contents = match uri {
        "test://static-text" => {
            ResourceContents::text(uri, "text/plain", "This is the content of the static text resource.")
        }
        "test://static-binary" => ResourceContents::blob(uri, "image/png", PNG),
        "test://watched-resource" => ResourceContents::text(uri, "text/plain", "This is the watched resource."),
        _ => {
            let id = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
            let id = id.filter(|id| !id.is_empty()).ok_or_else(|| Error::resource_not_found(uri))?;
            let data = serde_json::json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
            ResourceContents::text(uri, "application/json", data.to_string())
        }
    };
    Ok(ReadResult { contents: vec![contents], ttl_ms: 60_000, scope: CacheScope::Public })
}
