//! The one place through which every operation of every face goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Declared, Effect, Operation};
use crate::{Caller, Code, Context, Error, audit, precondition};

/// An operation that ended, for the audit.
#[derive(Clone, Copy, Debug)]
pub struct Audited<'a> {
    /// The operation.
    pub operation: &'static Declared,
    /// Who asked.
    pub caller: &'a Caller,
    /// Names the request.
    pub request: &'a str,
    /// The server that it changed.
    pub subject: Option<&'a str>,
    /// Code of the failure.
    pub failure: Option<Code>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Is told of every operation that ended.
pub trait Audit: Send + Sync + 'static {
    /// An operation ended.
    fn record(&self, ended: &Audited<'_>);
}

/// Does an operation: looks at the caller's scopes and at the precondition, gives it its deadline, and tells the audit.
///
/// # Errors
/// What the operation says; that the caller may not; that the precondition does not hold; that it took too long.
pub async fn perform<O: Operation>(context: &Context, input: O::Input) -> Result<O::Output, Error> {
    let start = Instant::now();
    let (subject, named) = (O::changes(&input), O::subject(&input));
    let declared = const { &O::DECLARED };
    if context.tries && declared.effect != Effect::Reads {
        if !declared.tries {
            return Err(Error::new(Code::BadRequest, format!("`{}` cannot be tried without doing it", declared.name))
                .hint("leave the dry run out"));
        }
        // Nothing happened: there is nothing to tell the audit or those who act on changes.
        return Box::pin(checked::<O>(context, input, subject.as_deref(), named.as_deref())).await;
    }
    let noted = if declared.effect == Effect::Reads { serde_json::Value::Null } else { O::noted(&input) };
    let pending = audit::begin(context, declared, named.as_deref(), &noted);
    let result = match &pending {
        Some(pending) => {
            let within = context.noted(Arc::clone(pending));
            Box::pin(checked::<O>(&within, input, subject.as_deref(), named.as_deref())).await
        }
        None => Box::pin(checked::<O>(context, input, subject.as_deref(), named.as_deref())).await,
    };
    let failure = result.as_ref().err().map(|error| error.code);
    audit::end(context, declared, named.as_deref(), &noted, failure).await;
    if let (Ok(_), Some(targets)) = (&result, &context.targets)
        && O::DECLARED.effect != Effect::Reads
    {
        targets.changed.notify_one();
    }
    if let Some(audit) = &context.audit {
        audit.record(&Audited {
            operation: declared,
            caller: &context.caller,
            request: &context.request,
            subject: subject.as_deref(),
            failure,
            elapsed: start.elapsed(),
        });
    }
    result
}

async fn checked<O: Operation>(
    context: &Context,
    input: O::Input,
    subject: Option<&str>,
    named: Option<&str>,
) -> Result<O::Output, Error> {
    let declared = O::DECLARED;
    if !context.caller.may(declared.scope) {
        return Err(Error::new(
            Code::Forbidden,
            format!(
                "`{}` needs the scope `{}`, which {} lacks",
                declared.name,
                declared.scope.as_str(),
                context.caller
            ),
        )
        .hint("ask whoever runs this control plane for a key with that scope"));
    }
    crate::access::check(context, &O::about(&input)).await?;
    // Changes of one server take turns, so that what a precondition saw is still true when the change is made.
    let _turn = match subject {
        Some(name) => Some(context.turn(name).await),
        None => None,
    };
    if let Some(precondition) = context.precondition.as_ref().filter(|_| declared.effect != Effect::Reads) {
        match named {
            Some(name) if declared.tagged => {
                precondition.check(name, crate::status::current_tag(context, name).await?.as_deref())?;
            }
            // A spec that cannot be read names no server, and is told what is wrong with it.
            None if declared.tagged => {}
            _ => return Err(precondition::beside_the_point(declared.name)),
        }
    }
    match tokio::time::timeout(declared.deadline, O::run(context, input)).await {
        Ok(result) => result,
        Err(_) => {
            context.cancel.cancel();
            let seconds = declared.deadline.as_secs();
            Err(Error::new(
                Code::TimedOut,
                format!("`{}` took longer than {seconds} s and was given up", declared.name),
            )
            .hint(if declared.job { "ask for a job: `?async=true`" } else { "try again in a moment" }))
        }
    }
}

/// Writes the output of an operation.
pub(super) fn write<O: Operation>(output: &O::Output) -> Result<serde_json::Value, Error> {
    serde_json::to_value(output).map_err(|error| {
        Error::new(Code::Internal, format!("the answer of `{}` cannot be written: {error}", O::DECLARED.name))
    })
}
