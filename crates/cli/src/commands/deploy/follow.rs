//! A spec file that is deployed, and followed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use operations::all::{Create, Deploy};
use operations::deploy::{Deployment, Input, LOCAL};
use operations::follow::mark;
use operations::{Code, Context, Error, create};

use crate::commands::start::tell;
use crate::input::read_spec;
use crate::session::Session;

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Makes and deploys the server of a file, and again whenever the file changes; never ends by itself. Where it cannot be used at
/// the beginning, that is a failure; later, what was there goes on.
pub(super) async fn run(file: PathBuf, session: &Session, context: Context) -> Result<u8, Error> {
    if session.remote(&context)?.is_none() && operations::plane::running(&context).is_none() {
        return Err(Error::new(Code::NoControlPlane, "no control plane holds this home folder")
            .hint("start one with `mcp-factory serve`, or name one with `--url`")
            .hint(format!("or serve the file itself: `mcp-factory run {} --watch`", file.display())));
    }
    // The mark is taken before the file is read, so that no change is missed.
    let mut seen = mark(&file);
    tell(&take(&file, session, &context).await?, session);
    session.printer.note(&format!("following {}; Ctrl-C ends that, and the server goes on", file.display()));
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = mark(&file);
        if now.is_none() || now == seen {
            continue;
        }
        seen = now;
        match take(&file, session, &context).await {
            Ok(done) => drop(tell(&done, session)),
            Err(error) => {
                session.printer.error(&error);
                session.printer.note("what was deployed goes on");
            }
        }
    }
}

async fn take(file: &Path, session: &Session, context: &Context) -> Result<Deployment, Error> {
    let input = create::Input { current: true, force: true, ..create::Input::of(read_spec(file)?) };
    let made = session.run::<Create>(context, input).await?;
    let input = Input { name: made.name, target: LOCAL.to_owned(), version: None, rollback: false };
    session.run::<Deploy>(context, input).await
}
