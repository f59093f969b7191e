//! The members that requests may have, each left raw until its method wants it.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::envelope::string;
use crate::error::Error;

/// `params` of any request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params<'a> {
    #[serde(borrow, rename = "_meta")]
    pub(crate) meta: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) uri: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) cursor: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) input_responses: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) request_state: Option<&'a RawValue>,
    #[serde(borrow, rename = "ref")]
    pub(crate) reference: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) argument: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) context: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) level: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) notifications: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) protocol_version: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) client_info: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) capabilities: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) task_id: Option<&'a RawValue>,
}

/// `params._meta` of any request.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    pub(crate) version: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientInfo")]
    pub(crate) client_info: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities")]
    pub(crate) capabilities: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/logLevel")]
    pub(crate) log_level: Option<&'a RawValue>,
    #[serde(borrow, rename = "progressToken")]
    pub(crate) progress_token: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) traceparent: Option<&'a RawValue>,
}

impl Meta<'_> {
    /// Whether the request describes itself, as in the stateless revisions.
    pub(crate) fn is_modern(&self) -> bool {
        self.version.is_some() || self.capabilities.is_some() || self.client_info.is_some()
    }
}

/// A member that must be a string.
pub(crate) fn required<'a>(raw: Option<&'a RawValue>, name: &str) -> Result<Cow<'a, str>, Error> {
    raw.and_then(string).ok_or_else(|| Error::invalid_params(format!("params.{name} must be a string")))
}

/// A member that is a string if present.
pub(crate) fn optional<'a>(raw: Option<&'a RawValue>, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
    match raw.filter(|raw| raw.get() != "null") {
        None => Ok(None),
        some => required(some, name).map(Some),
    }
}

/// A member that is an object if present; `null` counts as absent.
pub(crate) fn object<'a>(raw: Option<&'a RawValue>, name: &str) -> Result<Option<&'a RawValue>, Error> {
    match raw.filter(|raw| raw.get() != "null") {
        Some(raw) if !raw.get().starts_with('{') => {
            Err(Error::invalid_params(format!("params.{name} must be an object")))
        }
        other => Ok(other),
    }
}

/// The answers of the client by key. Answers that are no objects count as missing, so that they are asked for again.
pub(crate) fn answers(raw: Option<&RawValue>) -> Result<Vec<(String, Bytes)>, Error> {
    const MAX_ANSWERS: usize = 64;
    let Some(raw) = object(raw, "inputResponses")? else { return Ok(Vec::new()) };
    let map: std::collections::BTreeMap<String, &RawValue> = serde_json::from_str(raw.get())
        .map_err(|fault| Error::invalid_params(format!("Unreadable params.inputResponses: {fault}")))?;
    if map.len() > MAX_ANSWERS {
        return Err(Error::invalid_params("params.inputResponses has more than 64 entries"));
    }
    let objects = map.into_iter().filter(|(_, answer)| answer.get().starts_with('{'));
    Ok(objects.map(|(key, answer)| (key, Bytes::copy_from_slice(answer.get().as_bytes()))).collect())
}

/// A progress token: a string or an integer, kept as written.
pub(crate) fn progress_token<'a>(meta: &Meta<'a>) -> Option<&'a RawValue> {
    const LONGEST: usize = 256;
    meta.progress_token.filter(|raw| {
        let text = raw.get();
        text.len() <= LONGEST && (text.starts_with('"') || text.starts_with('-') || text.as_bytes()[0].is_ascii_digit())
    })
}
