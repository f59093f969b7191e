//! Following the changes of a spec file.

use std::path::Path;
use std::time::{Duration, SystemTime};

use operations::Subject;
use operations::run::{Input, reload};

use super::Work;
use crate::input::read_spec;
use crate::session::Session;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Reloads the tools whenever the file changes; never ends. A file with errors changes nothing:
/// the server goes on with the tools that it has.
pub(super) async fn follow(work: &Work, session: &Session) {
    let Some(file) = &work.file else { return std::future::pending().await };
    let printer = &session.printer;
    let mut seen = mark(file);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = mark(file);
        // A file that is being replaced is away for a moment.
        if now == seen || now.is_none() {
            continue;
        }
        seen = now;
        let read = read_spec(file);
        let done = match read {
            Ok(spec) => {
                let input = Input { subject: Subject::Spec { spec: spec.clone() }, ..work.input.clone() };
                let done = Box::pin(reload(&work.context, &input, &work.prepared.hosted)).await;
                done.map(|found| printer.diagnostics(&found, spec.as_source()))
            }
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => printer.note(&format!("reloaded {}", file.display())),
            Err(error) => {
                printer.error(&error);
                printer.note("the server goes on with the tools that it has");
            }
        }
    }
}

fn mark(file: &Path) -> Option<(SystemTime, u64)> {
    let data = std::fs::metadata(file).ok()?;
    Some((data.modified().ok()?, data.len()))
}
