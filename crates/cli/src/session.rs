//! What a command gets besides its own arguments.

use std::io::IsTerminal as _;

use operations::operation::Effect;
use operations::{Caller, Code, Context, Environment, Error, Home, Operation};

use crate::arguments::Global;
use crate::printer::{Printer, Style};
use crate::remote::{KEY_VARIABLE, Remote, URL_VARIABLE};

/// The variable that chooses the home folder where `--home` does not. Empty counts as unset.
const HOME_VARIABLE: &str = "MCP_FACTORY_HOME";

/// The options of every command, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) printer: Printer,
    pub(crate) global: Global,
}

impl Session {
    pub(crate) fn new(global: Global) -> Self {
        Self { printer: Printer::new(&global), global }
    }

    /// The environment that specs refer to: the process's, and over it `--env-file`.
    pub(crate) fn environment(&self) -> Result<Environment, Error> {
        let environment = Environment::of_process();
        let network = self.global.allow_network.clone().map(|list| (operations::ALLOW_NETWORK.to_owned(), list));
        let commands = self.global.allow_commands.clone().map(|list| (operations::ALLOW_COMMANDS.to_owned(), list));
        let hosts = self.global.hosts_file.clone().map(|path| (operations::HOSTS_FILE.to_owned(), path));
        let allowed: Vec<_> = network.into_iter().chain(commands).chain(hosts).collect();
        let Some(path) = &self.global.env_file else { return Ok(environment.with(allowed)) };
        let bytes = crate::input::read_file(path)?;
        let name = path.display().to_string();
        let text = String::from_utf8(bytes).map_err(|_| {
            Error::new(Code::BadEnvFile, format!("{name} is not UTF-8 text")).hint("write one `NAME=value` a line")
        })?;
        Ok(environment.with(Environment::parse_file(&name, &text)?).with(allowed))
    }

    /// The context of an operation.
    pub(crate) fn context(&self) -> Result<Context, Error> {
        let environment = self.environment()?;
        let home = match &self.global.home {
            Some(path) if path.as_os_str().is_empty() => {
                return Err(Error::new(Code::Usage, "`--home` was given an empty path")
                    .hint("name a folder: `--home DIR`; without it MCP_FACTORY_HOME or the XDG data folder is used"));
            }
            Some(path) => Home::at(path),
            None => match std::env::var_os(HOME_VARIABLE).filter(|path| !path.is_empty()) {
                Some(path) => Home::at(path),
                None => Home::standard(&environment)?,
            },
        };
        Ok(Context::new(home, environment, Caller::Local, format!("cli-{}", std::process::id())))
    }

    /// The context of an operation that needs no home folder: its absence is no failure.
    pub(crate) fn context_anywhere(&self) -> Result<Context, Error> {
        let named = self.global.home.is_some() || std::env::var_os(HOME_VARIABLE).is_some_and(|path| !path.is_empty());
        let environment = self.environment()?;
        if named || Home::standard(&environment).is_ok() {
            return self.context();
        }
        Ok(Context::new(
            Home::at(std::env::temp_dir()),
            environment,
            Caller::Local,
            format!("cli-{}", std::process::id()),
        ))
    }

    /// Does an operation: at the control plane that was named, or else in the home folder.
    pub(crate) async fn run<O: Operation>(&self, context: &Context, input: O::Input) -> Result<O::Output, Error> {
        // What cannot be tried refuses it.
        let dry_run = self.global.dry_run && O::DECLARED.effect != Effect::Reads;
        let done = match self.remote(context)? {
            Some(remote) => Box::pin(remote.run::<O>(context, input, dry_run)).await,
            None if dry_run => Box::pin(operations::perform::<O>(&context.trying(), input)).await,
            None => Box::pin(operations::perform::<O>(context, input)).await,
        };
        if dry_run && done.is_ok() {
            self.tell_tried();
        }
        done
    }

    /// Says that nothing was changed.
    pub(crate) fn tell_tried(&self) {
        self.printer.note("a dry run: this is what would be, and nothing was changed");
    }

    /// The control plane that was named, ready to be asked.
    pub(crate) fn remote(&self, context: &Context) -> Result<Option<Remote>, Error> {
        let Some(url) = self.named(context) else { return Ok(None) };
        Remote::open(&url, self.key(context)?).map(Some)
    }

    /// The URL of the control plane that was named.
    pub(crate) fn named(&self, context: &Context) -> Option<String> {
        let named = self.global.url.clone().or_else(|| context.environment.get(URL_VARIABLE));
        named.filter(|url| !url.is_empty())
    }

    /// The key for the control plane.
    pub(crate) fn key(&self, context: &Context) -> Result<Option<String>, Error> {
        Ok(match &self.global.key_env {
            Some(variable) => Some(context.environment.get(variable).ok_or_else(|| {
                Error::new(Code::NeedsKey, format!("the variable {variable}, which is to hold the key, is not set"))
                    .hint(format!("set it: `export {variable}=…`"))
            })?),
            None => context.environment.get(KEY_VARIABLE),
        })
    }

    /// Refuses a control plane for a command that works on this machine alone.
    pub(crate) fn local_only(&self, command: &str) -> Result<(), Error> {
        match &self.global.url {
            None => Ok(()),
            Some(_) => Err(Error::new(
                Code::Usage,
                format!("`{command}` works on this machine alone, and `--url` names a control plane"),
            )
            .hint("leave `--url` out")),
        }
    }

    /// The word for what was done, or for what would be.
    pub(crate) fn done(&self, style: Style, done: &str, would: &str) -> String {
        if self.global.dry_run { would.to_owned() } else { style.green(done) }
    }

    /// Asks a yes-or-no question where somebody can answer it.
    pub(crate) async fn confirm(&self, question: &str, yes: bool) -> Result<bool, Error> {
        if yes {
            return Ok(true);
        }
        let can_ask = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if self.global.no_input || !can_ask {
            return Err(Error::new(Code::NeedsConfirmation, format!("{question} was not confirmed"))
                .hint("say `--yes` to confirm"));
        }
        self.printer.warn(&format!("{question}? [y/N] "));
        let (tell, told) = tokio::sync::oneshot::channel();
        // A thread of its own reads: Ctrl-C is heard meanwhile, and nobody waits for it then.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            let _ = tell.send(read.map(|_| line));
        });
        let line = told.await.ok().and_then(Result::ok).unwrap_or_default();
        Ok(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}
