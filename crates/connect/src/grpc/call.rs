//! What a call is given.

use base::Secret;
use serde_json::Value;

/// What a call is given.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The message, as JSON.
    pub message: &'a Value,
    /// Metadata beside that of the connection; the values of names that end in `-bin` are base64.
    pub metadata: &'a [(String, String)],
    /// The token of the calling user, for connections that exchange it.
    pub subject: Option<&'a Secret>,
}

impl<'a> Call<'a> {
    /// A call with a message alone.
    pub fn new(message: &'a Value) -> Self {
        Self { message, metadata: &[], subject: None }
    }
}
