//! Following the changes of what is served: a spec file, or a server of the catalogue.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use operations::run::{Input, Reloaded, reload, stamp};
use operations::{Context, Error, Subject};
use spec::Spec;

use super::Work;
use crate::input::read_spec;
use crate::session::Session;

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Looks in a row that find nothing until that is said: editors take a file away for a moment.
const GONE_AFTER: u32 = 4;

/// What is followed, with its mark from before it was read: a change right after that is seen too.
pub(super) struct Watch {
    /// The file; `None` for a server of the catalogue.
    file: Option<PathBuf>,
    seen: Option<Mark>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mark {
    File(SystemTime, u64),
    Stored(String),
}

impl Watch {
    /// Follows a file. To be called before it is read.
    pub(super) fn file(path: &Path) -> Self {
        Self { file: Some(path.to_owned()), seen: of_file(path) }
    }

    /// Follows a server of the catalogue, once [`Self::begin`] was called.
    pub(super) fn server() -> Self {
        Self { file: None, seen: None }
    }

    /// Marks a server of the catalogue. To be called before it is read.
    pub(super) async fn begin(&mut self, context: &Context, input: &Input) {
        if self.file.is_none() {
            self.seen = self.look(context, &input.subject).await;
        }
    }

    async fn look(&self, context: &Context, subject: &Subject) -> Option<Mark> {
        match &self.file {
            Some(file) => of_file(file),
            None => stamp(context, subject).await.ok().map(Mark::Stored),
        }
    }

    async fn reload(&self, work: &Work) -> Result<Reloaded, Error> {
        let subject = match &self.file {
            Some(file) => Subject::Spec { spec: read_spec(file)? },
            None => work.input.subject.clone(),
        };
        let input = Input { subject, ..work.input.clone() };
        Box::pin(reload(&work.context, &input, &work.prepared.hosted)).await
    }

    fn name(&self, work: &Work) -> String {
        match &self.file {
            Some(file) => file.display().to_string(),
            None => format!("`{}` of the catalogue", work.prepared.spec.name),
        }
    }
}

/// Reloads the tools whenever what is followed changes; never ends. What has errors changes
/// nothing: the server goes on with the tools that it has.
pub(super) async fn follow(work: &Work, session: &Session) {
    let Some(watch) = &work.watch else { return std::future::pending().await };
    let printer = &session.printer;
    let name = watch.name(work);
    let mut seen = watch.seen.clone();
    let mut missed = 0;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = watch.look(&work.context, &work.input.subject).await;
        if now.is_none() {
            missed += 1;
            if missed == GONE_AFTER {
                printer.warn(&format!("{name} is gone; the server goes on with the tools that it has"));
            }
            continue;
        }
        missed = 0;
        if now == seen {
            continue;
        }
        seen = now;
        match watch.reload(work).await {
            Ok(reloaded) => {
                printer.diagnostics(&reloaded.diagnostics, reloaded.source.as_source());
                printer.note(&format!("reloaded {name}"));
                let fixed = fixed(&work.prepared.spec, &reloaded.spec);
                if !fixed.is_empty() {
                    let parts = fixed.join(", ");
                    printer.warn(&format!("changes of {parts} take effect when the server is started again"));
                }
            }
            Err(error) => {
                printer.error(&error);
                printer.note("the server goes on with the tools that it has");
            }
        }
    }
}

/// The parts of a spec that are read when a server starts, and differ.
fn fixed(serving: &Spec, now: &Spec) -> Vec<&'static str> {
    let parts = [
        ("`name`", serving.name != now.name),
        ("`version`", serving.version != now.version),
        ("`title`", serving.title != now.title),
        ("`description`", serving.description != now.description),
        ("`instructions`", serving.instructions != now.instructions),
        ("`transport`", serving.transport != now.transport),
        ("`auth`", serving.auth != now.auth),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(part, _)| part).collect()
}

fn of_file(file: &Path) -> Option<Mark> {
    let data = std::fs::metadata(file).ok()?;
    Some(Mark::File(data.modified().ok()?, data.len()))
}
