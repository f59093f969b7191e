//! `mcp-factory jobs`.

use clap::{Args, Subcommand};
use operations::all::{CancelJob, GetJob, JobEvents, ListJobs};
use operations::jobs::{Event, EventsInput, Input, Job, ListInput, WAIT_MAX};
use operations::{Code, Context, Error};
use serde_json::{Value, json};

use super::{OK, Threads, block_on, runtime};
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory jobs list
  mcp-factory jobs watch 0198c0de3f7b7a4e8d3b5a6f1e2d3c4b      until it has ended
  mcp-factory jobs cancel 0198c0de3f7b7a4e8d3b5a6f1e2d3c4b
";

/// Show, watch and stop the work that a control plane does in the background
///
/// A job is begun with `?async=true` or `Prefer: respond-async` at the REST routes. `watch` exits as the operation itself would:
/// with 0 when the job was done, and with the code of its failure when it failed.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the jobs, newest first
    List(List),
    /// Show a job
    Show(One),
    /// Follow a job until it has ended
    Watch(Watch),
    /// Stop a job
    Cancel(One),
}

#[derive(Debug, Args)]
struct List {
    /// Most jobs in one answer [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    limit: Option<u64>,
    /// The `nextCursor` of the page before
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
struct One {
    /// The job
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Debug, Args)]
struct Watch {
    /// The job
    #[arg(value_name = "ID")]
    id: String,
    /// Only what is told after the event of this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: i64,
}

pub(crate) fn run(arguments: Arguments, session: &Session) -> Result<u8, Error> {
    match arguments.action {
        Action::List(List { limit, cursor }) => block_on(session, |context| async move {
            let limit = limit.and_then(|limit| usize::try_from(limit).ok());
            let all = session.run::<ListJobs>(&context, ListInput { limit, cursor }).await?;
            session.printer.list(&all, &["jobs"], |style| {
                let rows = all
                    .jobs
                    .iter()
                    .map(|job| vec![job.id.clone(), job.operation.clone(), job.state.clone(), job.created_at.clone()]);
                table(style, &["ID", "OPERATION", "STATE", "SINCE"], &rows.collect::<Vec<_>>())
            });
            Ok(OK)
        }),
        Action::Show(One { id }) => block_on(session, |context| async move {
            let job = session.run::<GetJob>(&context, Input { id }).await?;
            session.printer.answer(&job, |style| shown(&job, style));
            Ok(OK)
        }),
        Action::Cancel(One { id }) => block_on(session, |context| async move {
            let job = session.run::<CancelJob>(&context, Input { id }).await?;
            session.printer.answer(&job, |style| shown(&job, style));
            Ok(OK)
        }),
        Action::Watch(Watch { id, after }) => {
            let context = session.context()?;
            let left = left_alone(&id, session);
            runtime(Threads::One)?.block_on(async {
                tokio::select! {
                    ended = watch(id, after, session, context) => ended,
                    Ok(()) = tokio::signal::ctrl_c() => Err(left),
                }
            })
        }
    }
}

/// What is said to who does not wait any more.
fn left_alone(id: &str, session: &Session) -> Error {
    let at = session.global.url.as_ref().map(|url| format!(" --url {url}")).unwrap_or_default();
    Error::new(Code::Interrupted, "the job goes on, and nobody waits for it")
        .hint(format!("wait again: `mcp-factory jobs watch {id}{at}`"))
        .hint(format!("stop it: `mcp-factory jobs cancel {id}{at}`"))
}

async fn watch(id: String, mut after: i64, session: &Session, context: Context) -> Result<u8, Error> {
    let wait_ms = u64::try_from(WAIT_MAX.as_millis() / 2).ok();
    let mut all: Vec<Event> = Vec::new();
    let mut input = EventsInput { id: id.clone(), after: Some(after), wait_ms: Some(0) };
    loop {
        let found = session.run::<JobEvents>(&context, input.clone()).await?;
        for event in found.events {
            after = after.max(event.id);
            if session.printer.is_json() {
                all.push(event);
            } else {
                session.printer.note(&line(&event, session.printer.message_style()));
            }
        }
        if found.ended {
            break;
        }
        (input.after, input.wait_ms) = (Some(after), wait_ms);
    }
    let job = session.run::<GetJob>(&context, Input { id }).await?;
    if let Some(error) = failure(&job) {
        return Err(error);
    }
    session.printer.answer(&json!({ "job": job, "events": all }), |style| shown(&job, style));
    Ok(OK)
}

fn line(event: &Event, style: Style) -> String {
    let time = event.time.get(11..19).unwrap_or_default();
    let message = event.message.as_deref().unwrap_or_default();
    match (&event.state, event.done, event.total) {
        (Some(state), ..) => format!("{time}  {}", style.bold(state)),
        (None, Some(done), Some(total)) => format!("{time}  {done}/{total} {message}"),
        (None, Some(done), None) => format!("{time}  {done} {message}"),
        (None, None, _) => format!("{time}  {message}"),
    }
}

/// The failure of a job, as the operation itself would have failed.
fn failure(job: &Job) -> Option<Error> {
    if job.state == "done" {
        return None;
    }
    let told = job.error.clone().unwrap_or_default();
    let code = told["code"].as_str().and_then(Code::parse).unwrap_or(Code::Internal);
    let message = told["message"].as_str().unwrap_or("the job ended without saying why");
    let hints = told["hints"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut error = hints.fold(Error::new(code, message), Error::hint);
    error.diagnostics = serde_json::from_value(told["diagnostics"].clone()).unwrap_or_default();
    Some(error)
}

fn shown(job: &Job, style: Style) -> String {
    let mut text = format!("{} {} {}", style.bold(&job.id), job.operation, job.state);
    for (what, at) in
        [("asked for", Some(&job.created_at)), ("began", job.started_at.as_ref()), ("ended", job.ended_at.as_ref())]
    {
        if let Some(at) = at {
            text.push_str(&format!("\n  {what:<10} {at}"));
        }
    }
    if let Some(error) = failure(job).filter(|_| job.ended_at.is_some()) {
        text.push_str(&format!("\n  {:<10} {}: {}", "failed", error.code.as_str(), error.message));
    }
    text
}
