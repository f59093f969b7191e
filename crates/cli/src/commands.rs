//! One file per command: its arguments, and the few lines from them to an operation and back.

pub(crate) mod completion;
pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod generate;
pub(crate) mod help;
pub(crate) mod keys;
pub(crate) mod links;
pub(crate) mod list;
pub(crate) mod names;
pub(crate) mod plan;
pub(crate) mod remove;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod test;
pub(crate) mod validate;
pub(crate) mod version;

use std::future::Future;

use operations::{Code, Context, Error};

use crate::arguments::Command;
use crate::session::Session;

/// The exit code of a command that did what it was asked.
pub(crate) const OK: u8 = 0;
/// The exit code of a command that worked and has bad news: a failed test, an invalid spec.
pub(crate) const BAD_NEWS: u8 = 1;

/// Runs a command and gives the exit code.
pub(crate) fn dispatch(command: Command, session: &Session) -> Result<u8, Error> {
    match command {
        Command::Create(arguments) => block_on(session, |context| create::run(arguments, session, context)),
        Command::List(arguments) => block_on(session, |context| list::run(arguments, session, context)),
        Command::Status(arguments) => block_on(session, |context| status::run(arguments, session, context)),
        Command::Test(arguments) => block_on(session, |context| test::run(arguments, session, context)),
        Command::Remove(arguments) => block_on(session, |context| remove::run(arguments, session, context)),
        Command::Validate(arguments) => validate::run(arguments, session),
        Command::Plan(arguments) => block_on(session, |context| plan::run(arguments, session, context)),
        Command::Fmt(arguments) => fmt::run(&arguments, session),
        Command::Doctor(arguments) => block_on(session, |context| doctor::run(arguments, session, context)),
        Command::Connect(arguments) => block_on(session, |context| connect::run(arguments, session, context)),
        Command::Keys(arguments) => block_on(session, |context| keys::run(arguments, session, context)),
        Command::Names(_) => block_on(session, |context| names::run(session, context)),
        Command::Run(arguments) => run::run(arguments, session),
        Command::Deploy(arguments) => deploy::run(arguments, session),
        Command::Demo(arguments) => demo::run(arguments, session),
        Command::Schema(_) => Ok(schema::run(session)),
        Command::Explain(arguments) => explain::run(&arguments, session),
        Command::Links(arguments) => links::run(&arguments, session),
        Command::Completion(arguments) => completion::run(&arguments, session),
        Command::Version(_) => Ok(version::run(session)),
        Command::Help(arguments) => help::run(&arguments, session),
        Command::Gen(arguments) => generate::run(&arguments, session),
    }
}

/// Runs an operation to its end, or until Ctrl-C.
fn block_on<F>(session: &Session, command: impl FnOnce(Context) -> F) -> Result<u8, Error>
where
    F: Future<Output = Result<u8, Error>>,
{
    let context = session.context()?;
    let cancel = context.cancel.clone();
    let work = command(context);
    runtime(Threads::One)?.block_on(async {
        tokio::select! {
            result = work => result,
            Ok(()) = tokio::signal::ctrl_c() => {
                cancel.cancel();
                Err(Error::new(Code::Interrupted, "interrupted; what was not acknowledged did not happen"))
            }
        }
    })
}

/// How many threads run asynchronous work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// This one.
    One,
    /// One per processor.
    PerProcessor,
}

/// The asynchronous runtime of a command.
pub(crate) fn runtime(threads: Threads) -> Result<tokio::runtime::Runtime, Error> {
    let mut builder = match threads {
        Threads::One => tokio::runtime::Builder::new_current_thread(),
        Threads::PerProcessor => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.enable_all().build().map_err(|error| {
        Error::new(Code::Internal, format!("cannot start the asynchronous runtime: {error}"))
            .hint("the machine may be out of threads or file descriptors; see `ulimit -a`")
    })
}
