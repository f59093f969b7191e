//! A server that is called again and again within this process.

use std::time::{Duration, Instant};

use engine::CallContext;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::pipeline::{Made, ms_since};
use crate::test::{CallOutput, made};
use crate::{Code, Context, Error, Subject};

/// Takes progress: how much is done, of how much in all, and a word about it.
pub type Progress<'a> = engine::Progress<'a>;

/// A server that was compiled once.
#[derive(Debug)]
pub struct Calling {
    server: String,
    made: Made,
}

impl Calling {
    /// Compiles a server.
    ///
    /// # Errors
    /// It is not there, or its spec has errors.
    pub async fn open(context: &Context, subject: &Subject) -> Result<Self, Error> {
        let (server, made) = Box::pin(made(context, subject, false)).await?;
        Ok(Self { server, made })
    }

    /// Calls a tool. An answer that is an error is an answer.
    ///
    /// # Errors
    /// There is no such tool, or it answered with what is no JSON.
    pub async fn call(
        &self,
        context: &Context,
        tool: &str,
        arguments: &Value,
        within: Duration,
        progress: Option<Progress<'_>>,
    ) -> Result<CallOutput, Error> {
        let start = Instant::now();
        let fault = |error: serde_json::Error| {
            Error::new(Code::Internal, format!("tool `{tool}` answered with what is not JSON: {error}"))
        };
        let raw = RawValue::from_string(arguments.to_string()).map_err(fault)?;
        let mut call = CallContext::new(&context.cancel).deadline(start + within);
        if let Some(progress) = progress {
            call = call.progress(progress);
        }
        let outcome = self.made.toolset.call(&call, tool, Some(&raw)).await;
        let outcome = outcome.map_err(|_| Error::new(Code::NoTool, format!("there is no tool `{tool}`")))?;
        let structured = outcome.structured.as_ref().map(|bytes| serde_json::from_slice(bytes)).transpose();
        Ok(CallOutput {
            server: self.server.clone(),
            tool: tool.to_owned(),
            is_error: outcome.is_error(),
            structured: structured.map_err(fault)?,
            text: outcome.text(),
            elapsed_ms: ms_since(start),
        })
    }
}
