//! Jobs.

use crate::operation::{Declared, Effect, Method, Operation};
use crate::{Context, Error, jobs};

/// Lists jobs.
pub struct ListJobs;

impl Operation for ListJobs {
    type Input = jobs::ListInput;
    type Output = jobs::ListOutput;
    const DECLARED: Declared = Declared::reads("job.list", "/mcp/jobs", None)
        .told("List jobs", "Lists work that goes on after its request was answered, newest first.");

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        jobs::list(context, input).await
    }
}

/// Shows a job.
pub struct GetJob;

impl Operation for GetJob {
    type Input = jobs::Input;
    type Output = jobs::Job;
    const DECLARED: Declared = Declared::reads("job.get", "/mcp/jobs/{id}", Some("get_job"))
        .told("Show a job", "Shows how far a job is, and its result or failure when it has ended.");

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        jobs::get(context, input).await
    }
}

/// Tells how far a job is.
pub struct JobEvents;

impl Operation for JobEvents {
    type Input = jobs::EventsInput;
    type Output = jobs::EventsOutput;
    const DECLARED: Declared = Declared::reads("job.events", "/mcp/jobs/{id}/events", None).told(
        "Tell how far a job is",
        "Gives what was told of a job after an event: its states, and how far it is. With `Accept: text/event-stream` the events come as they are told, until the job has ended; `Last-Event-ID` goes on after an event.",
    );

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        jobs::events(context, input).await
    }
}

/// Stops a job.
pub struct CancelJob;

impl Operation for CancelJob {
    type Input = jobs::Input;
    type Output = jobs::Job;
    const DECLARED: Declared = Declared {
        method: Method::Delete,
        effect: Effect::Changes { destroys: true, idempotent: true },
        ..Declared::changes("job.cancel", "/mcp/jobs/{id}", Some("cancel_job"))
            .told("Stop a job", "Stops a job. One that has ended stays as it is.")
            .may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        jobs::cancel(context, input).await
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.id.clone())
    }
}
