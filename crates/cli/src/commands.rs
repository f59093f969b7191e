//! One file per command: its arguments, and the few lines from them to an operation and back.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod clients;
pub(crate) mod complete;
pub(crate) mod completion;
pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod debug;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod export;
#[cfg(feature = "fakes")]
pub(crate) mod fake;
pub(crate) mod fmt;
pub(crate) mod generate;
mod handles;
pub(crate) mod help;
pub(crate) mod import;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod links;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod policies;
pub(crate) mod remove;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod shim;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod templates;
pub(crate) mod test;
pub(crate) mod usage;
pub(crate) mod uses;
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
    if session.global.dry_run {
        can_be_tried(&command)?;
    }
    match command {
        Command::Create(arguments) => block_on(session, |context| create::run(arguments, session, context)),
        Command::List(arguments) => block_on(session, |context| list::run(arguments, session, context)),
        Command::Status(arguments) => block_on(session, |context| status::run(arguments, session, context)),
        Command::Test(arguments) => block_on(session, |context| test::run(arguments, session, context)),
        Command::Remove(arguments) => block_on(session, |context| remove::run(arguments, session, context)),
        Command::Search(arguments) => block_on(session, |context| search::run(arguments, session, context)),
        Command::Uses(arguments) => block_on(session, |context| uses::run(arguments, session, context)),
        Command::Diff(arguments) => block_on(session, |context| diff::run(arguments, session, context)),
        Command::Usage(arguments) => block_on(session, |context| usage::run(arguments, session, context)),
        Command::Audit(arguments) => block_on(session, |context| audit::run(arguments, session, context)),
        Command::Export(arguments) => block_on(session, |context| export::run(arguments, session, context)),
        Command::Import(arguments) => block_on(session, |context| import::run(arguments, session, context)),
        Command::Backup(arguments) => {
            session.local_only("backup")?;
            block_on(session, |context| backup::backup(arguments, session, context))
        }
        Command::Restore(arguments) => {
            session.local_only("restore")?;
            block_on(session, |context| backup::restore(arguments, session, context))
        }
        Command::Validate(arguments) => anywhere(session, |context| validate::run(arguments, session, context)),
        Command::Plan(arguments) => block_on(session, |context| plan::run(arguments, session, context)),
        Command::Fmt(arguments) => anywhere(session, |context| fmt::run(arguments, session, context)),
        Command::Doctor(arguments) => block_on(session, |context| doctor::run(arguments, session, context)),
        Command::Clients(arguments) => block_on(session, |context| clients::run(arguments, session, context)),
        Command::Connect(arguments) => connect::run(arguments, session),
        Command::Keys(arguments) => block_on(session, |context| keys::run(arguments, session, context)),
        Command::Accounts(arguments) => block_on(session, |context| accounts::run(arguments, session, context)),
        Command::Policies(arguments) => block_on(session, |context| policies::run(arguments, session, context)),
        Command::Jobs(arguments) => jobs::run(arguments, session),
        Command::Templates(arguments) => block_on(session, |context| templates::run(arguments, session, context)),
        Command::Complete(arguments) => complete::run(&arguments, session),
        Command::Debug(arguments) => block_on(session, |context| debug::run(arguments, session, context)),
        Command::Man(arguments) => man::run(&arguments, session),
        Command::Run(arguments) => {
            session.local_only("run")?;
            run::run(arguments, session)
        }
        Command::Serve(arguments) => {
            session.local_only("serve")?;
            serve::run(arguments, session)
        }
        Command::Deploy(arguments) => deploy::run(arguments, session),
        Command::Start(arguments) => block_on(session, |context| start::start(arguments, session, context)),
        Command::Stop(arguments) => block_on(session, |context| start::stop(arguments, session, context)),
        Command::Logs(arguments) => block_on(session, |context| logs::run(arguments, session, context)),
        Command::Demo(arguments) => {
            session.local_only("demo")?;
            demo::run(arguments, session)
        }
        Command::Shim(arguments) => {
            session.local_only("shim")?;
            shim::run(&arguments, session)
        }
        #[cfg(feature = "fakes")]
        Command::Fake(arguments) => {
            session.local_only("fake")?;
            fake::run(&arguments, session)
        }
        Command::Schema(_) => anywhere(session, |context| schema::run(session, context)),
        Command::Explain(arguments) => anywhere(session, |context| explain::run(arguments, session, context)),
        Command::Links(arguments) => links::run(&arguments, session),
        Command::Completion(arguments) => completion::run(&arguments, session),
        Command::Version(_) => anywhere(session, |context| version::run(session, context)),
        Command::Help(arguments) => help::run(&arguments, session),
        Command::Gen(arguments) => generate::run(&arguments, session),
    }
}

/// Refuses a dry run of what starts something.
fn can_be_tried(command: &Command) -> Result<(), Error> {
    let name = match command {
        Command::Run(_) => "run",
        Command::Serve(_) => "serve",
        Command::Test(_) => "test",
        Command::Demo(_) => "demo",
        Command::Shim(_) => "shim",
        Command::Connect(_) => "connect",
        Command::Fake(_) => "fake",
        Command::Man(_) => "man",
        _ => return Ok(()),
    };
    Err(Error::new(Code::Usage, format!("`{name}` has no dry run")).hint("leave `--dry-run` out"))
}

/// Runs an operation to its end, or until Ctrl-C.
pub(crate) fn block_on<F>(session: &Session, command: impl FnOnce(Context) -> F) -> Result<u8, Error>
where
    F: Future<Output = Result<u8, Error>>,
{
    run_in(session.context()?, command)
}

/// The same for an operation that needs no home folder.
fn anywhere<F>(session: &Session, command: impl FnOnce(Context) -> F) -> Result<u8, Error>
where
    F: Future<Output = Result<u8, Error>>,
{
    run_in(session.context_anywhere()?, command)
}

fn run_in<F>(context: Context, command: impl FnOnce(Context) -> F) -> Result<u8, Error>
where
    F: Future<Output = Result<u8, Error>>,
{
    let cancel = context.cancel.clone();
    let work = command(context);
    runtime(Threads::One)?.block_on(async {
        tokio::select! {
            result = work => result,
            Ok(()) = tokio::signal::ctrl_c() => {
                cancel.cancel();
                Err(Error::new(Code::Interrupted, "interrupted; what was not acknowledged did not happen")
                    .hint("run it again: what was done before is kept"))
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
        Threads::PerProcessor => {
            handles::raise();
            tokio::runtime::Builder::new_multi_thread()
        }
    };
    builder.enable_all().build().map_err(|error| {
        Error::new(Code::Internal, format!("cannot start the asynchronous runtime: {error}"))
            .hint("the machine may be out of threads or file descriptors; see `ulimit -a`")
    })
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn until_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut asked) => drop(asked.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
