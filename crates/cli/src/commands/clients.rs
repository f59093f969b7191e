//! `mcp-factory clients`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use operations::clients::{self, Change, Changed, Client, KeyShown, Scope, Way};
use operations::{Code, Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::remote::{KEY_VARIABLE, check_path};
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory clients add claude-code inventory-mcp               for this account
  mcp-factory clients add vscode inventory-mcp --scope project    for the project in this folder
  mcp-factory clients add codex inventory-mcp --print             show what would be written
  mcp-factory clients remove claude-code inventory-mcp
  mcp-factory clients list
";

/// Write the configuration of an MCP client, so that it knows a server
///
/// Clients: claude (Claude Desktop), claude-code, cursor, codex, vscode. One entry of the client's file is changed, and every
/// other byte of it stays; the file as it was is kept beside it. What you added to the entry stays too, and the values of its
/// `env`: the same entry again changes nothing. An entry that starts another program, or connects elsewhere, is only replaced or removed
/// with --force. The client then starts `mcp-factory connect NAME`, or with --http connects to the control plane itself. No key is
/// written: the variable that holds it is named. Claude Desktop does not take variables from its surroundings; there `<value>`
/// stands for what you fill in.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a server to a client
    Add(Add),
    /// Remove a server from a client
    Remove(Remove),
    /// List the servers that clients know
    List(List),
}

#[derive(Debug, Args)]
struct Add {
    /// The client
    #[arg(value_name = "CLIENT", value_enum)]
    client: Word,
    /// Name of the server
    #[arg(value_name = "NAME")]
    name: String,
    /// For this account, or for the project in this folder
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeWord::User)]
    scope: ScopeWord,
    /// Name of the entry [default: that of the server]
    #[arg(long = "as", value_name = "NAME")]
    entry: Option<String>,
    /// Let the client connect to the control plane over HTTP, without a program between them
    #[arg(long)]
    http: bool,
    /// Which group of its tools
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Which version of the server [default: the one that is switched to]
    #[arg(long, value_name = "VERSION", conflicts_with = "group")]
    spec_version: Option<String>,
    /// Header that carries the key of --key-env [default: Authorization, as a bearer token]
    #[arg(long, value_name = "HEADER")]
    key_header: Option<String>,
    /// Variable that the program needs of the client's surroundings; may be repeated
    #[arg(long = "variable", value_name = "NAME")]
    variables: Vec<String>,
    /// Replace another entry of this name
    #[arg(long)]
    force: bool,
    /// Print what would be written, and write nothing
    #[arg(long)]
    print: bool,
}

#[derive(Debug, Args)]
struct Remove {
    /// The client
    #[arg(value_name = "CLIENT", value_enum)]
    client: Word,
    /// Name of the entry
    #[arg(value_name = "NAME")]
    name: String,
    /// Of this account, or of the project in this folder
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeWord::User)]
    scope: ScopeWord,
    /// Remove an entry that starts another program, or connects elsewhere
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct List {
    /// The client [default: all]
    #[arg(value_name = "CLIENT", value_enum)]
    client: Option<Word>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Word {
    /// Claude Desktop
    Claude,
    /// Claude Code
    ClaudeCode,
    /// Cursor
    Cursor,
    /// Codex
    Codex,
    /// Visual Studio Code
    Vscode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScopeWord {
    /// Everything that this account does
    User,
    /// The project in this folder
    Project,
}

impl From<Word> for Client {
    fn from(word: Word) -> Self {
        match word {
            Word::Claude => Self::Claude,
            Word::ClaudeCode => Self::ClaudeCode,
            Word::Cursor => Self::Cursor,
            Word::Codex => Self::Codex,
            Word::Vscode => Self::Vscode,
        }
    }
}

impl From<ScopeWord> for Scope {
    fn from(word: ScopeWord) -> Self {
        match word {
            ScopeWord::User => Self::User,
            ScopeWord::Project => Self::Project,
        }
    }
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let folder = std::env::current_dir()
        .map_err(|error| Error::new(Code::FileUnreadable, format!("this folder cannot be told: {error}")))?;
    match arguments.action {
        Action::Add(add) => {
            let way = way(&add, session, &context).await?;
            let name = add.entry.as_deref().unwrap_or(&add.name);
            let (client, scope) = (add.client.into(), add.scope.into());
            let change = Change { client, scope, folder: &folder, name, dry_run: add.print || session.global.dry_run };
            tell(&clients::add(&context.environment, &change, &way, add.force)?, session);
        }
        Action::Remove(Remove { client, name, scope, force }) => {
            let dry_run = session.global.dry_run;
            let change = Change { client: client.into(), scope: scope.into(), folder: &folder, name: &name, dry_run };
            let done = clients::remove(&context.environment, &change, force)?;
            if done.result == "absent" {
                let error = format!("{} has no entry `{name}`", done.file.display());
                return Err(Error::new(Code::NoServer, error).hint("`mcp-factory clients list` shows what is there"));
            }
            tell(&done, session);
        }
        Action::List(List { client }) => {
            let asked = client.map_or_else(|| Client::ALL.to_vec(), |one| vec![one.into()]);
            let all = clients::list(&context.environment, &asked, &folder)?;
            session.printer.list(&all, &[], |style| {
                let rows = all.iter().map(|one| {
                    let scope = if one.scope == Scope::User { "user" } else { "project" };
                    let own = if one.own { "mcp-factory" } else { "" };
                    let file = one.file.display().to_string();
                    [one.name.as_str(), one.client.word(), scope, own, &file].map(str::to_owned).to_vec()
                });
                table(style, &["NAME", "CLIENT", "SCOPE", "STARTS", "FILE"], &rows.collect::<Vec<_>>())
            });
        }
    }
    Ok(OK)
}

fn tell(done: &Changed, session: &Session) {
    let said = |name: &str| {
        let client = done.client.title();
        let file = done.file.display();
        match (done.dry_run, done.result.as_str()) {
            (true, "unchanged") | (false, "unchanged") => format!("{client} knows {name} already: {file}"),
            (true, result) => format!("{name} would be {result} in {file}"),
            (false, result) => format!("{result} {name} in {file}"),
        }
    };
    match &done.entry {
        // The entry alone is the answer: it can be put where it belongs.
        Some(entry) if done.dry_run => {
            session.printer.note(&said(&done.name));
            session.printer.answer(done, |_| entry.clone());
        }
        _ => session.printer.answer(done, |style| said(&style.bold(&done.name))),
    }
    if let Some(backup) = &done.backup {
        session.printer.note(&format!("  the file as it was: {}", backup.display()));
    }
    if !done.fill_in.is_empty() {
        let (variables, file) = (done.fill_in.join(", "), done.file.display());
        session.printer.note(&format!("  fill in what {variables} holds: it stands for `<value>` in {file}"));
    }
    if !done.dry_run && matches!(done.result.as_str(), "added" | "changed") {
        session.printer.note(&format!("  start {} again, so that it reads its file", done.client.title()));
    }
}

/// How the client is to reach the server.
async fn way(add: &Add, session: &Session, context: &Context) -> Result<Way, Error> {
    let named = session.named(context);
    check_path(&add.name, add.group.as_deref(), add.spec_version.as_deref())?;
    match &named {
        None => known(context, &add.name).await?,
        Some(url) if base::has_userinfo(url) => {
            let what = format!(
                "`{}` holds a user or a password, and the client's file is no place for one",
                base::without_userinfo(url)
            );
            return Err(Error::new(Code::Usage, what)
                .hint("leave it out, and name the variable that holds the key: `--key-env NAME`"));
        }
        Some(_) => {}
    }
    let key =
        session.global.key_env.clone().or_else(|| {
            context.environment.get(KEY_VARIABLE).filter(|_| named.is_some()).map(|_| KEY_VARIABLE.to_owned())
        });
    if add.http {
        let Some(url) = named.or_else(|| operations::plane::running(context)) else {
            return Err(Error::new(Code::NoControlPlane, "there is no control plane that the client could connect to")
                .hint("start one with `mcp-factory serve`, name one with `--url`, or leave `--http` out"));
        };
        let (base, name) = (url.trim_end_matches('/'), &add.name);
        let url = match (&add.group, &add.spec_version) {
            (Some(group), _) => format!("{base}/servers/{name}/groups/{group}/mcp"),
            (None, Some(version)) => format!("{base}/servers/{name}/versions/{version}/mcp"),
            (None, None) => format!("{base}/servers/{name}/mcp"),
        };
        let key = key.map(|variable| KeyShown { header: add.key_header.clone(), variable });
        return Ok(Way::Url { url, key });
    }
    let program = std::env::current_exe().map_err(|error| {
        Error::new(Code::Internal, format!("the path of this program is not known: {error}"))
            .hint("put the lines there by hand: `mcp-factory help clients`")
    })?;
    let mut arguments = vec!["connect".to_owned(), add.name.clone()];
    let mut more = |option: &str, value: Option<String>| {
        arguments.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
    };
    more("--group", add.group.clone());
    more("--spec-version", add.spec_version.clone());
    match named {
        Some(url) => more("--url", Some(url)),
        // The client does not have the surroundings of this shell.
        None => more("--home", Some(absolute(context.home.path()))),
    }
    more("--key-env", key.clone().filter(|name| name != KEY_VARIABLE));
    more("--key-header", add.key_header.clone());
    let mut variables = add.variables.clone();
    variables.extend(key.filter(|name| !add.variables.contains(name)));
    Ok(Way::Program { program: program.display().to_string(), arguments, variables })
}

/// Refuses a name that no server has.
async fn known(context: &Context, name: &str) -> Result<(), Error> {
    let names = operations::list::names(context).await?;
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let error = Error::new(Code::NoServer, format!("there is no server `{name}`"));
    Err(match base::nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`mcp-factory list` shows the servers; make one with `mcp-factory create`"),
    })
}

fn absolute(path: &std::path::Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path)).display().to_string()
}
