//! The hidden command behind completion: what may stand where the cursor is, as far as only the catalogue knows it.

mod place;

use std::collections::BTreeSet;

use clap::Args;
use operations::all::{ListAccounts, ListJobs, ListKeys, ListPolicies, ListTemplates, Nothing, Search};
use operations::{Context, Error, explain, jobs, list, scopes, search, templates};

use super::OK;
use crate::arguments::command;
use crate::session::Session;
use place::{Place, Wanted};

/// Most names that are offered.
const NAMES_MAX: usize = 20_000;
/// Servers of one page of a control plane elsewhere.
const PAGE: usize = 1_000;

/// Print what may stand at the cursor, one a line
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The word at the cursor, as far as it is typed
    #[arg(long, value_name = "WORD", default_value = "", allow_hyphen_values = true)]
    current: String,
    /// The words before it
    #[arg(value_name = "WORD", last = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Prints names. Whatever goes wrong is no failure: a shell has nobody to tell.
pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    let Some(place) = Place::of(&command(), &arguments.words, &arguments.current) else { return Ok(OK) };
    // The line that is completed says where its command would work.
    let mut global = session.global.clone();
    global.home = place.option("home").map(Into::into).or(global.home);
    global.url = place.option("url").or(global.url);
    global.key_env = place.option("key_env").or(global.key_env);
    global.env_file = place.option("env_file").map(Into::into).or(global.env_file);
    let session = &Session { global, ..session.clone() };
    super::block_on(session, |context| async move {
        let found = names(&place, session, &context).await.unwrap_or_default();
        let fitting: BTreeSet<String> = found.into_iter().filter(|name| name.starts_with(&place.typed)).collect();
        if !fitting.is_empty() {
            let lines: Vec<String> = fitting.into_iter().take(NAMES_MAX).map(|name| place.whole(&name)).collect();
            session.printer.data(&lines.join("\n"));
        }
        Ok(OK)
    })
}

async fn names(place: &Place, session: &Session, context: &Context) -> Result<Vec<String>, Error> {
    Ok(match &place.wanted {
        Wanted::Servers => servers(session, context).await?,
        Wanted::Tools(server) => tools(server.as_deref(), session, context).await?,
        Wanted::Versions(server) => match session.named(context) {
            None => list::versions(context, server).await?,
            Some(_) => Vec::new(),
        },
        Wanted::Keys => {
            let all = session.run::<ListKeys>(context, Nothing {}).await?;
            all.keys.into_iter().map(|key| key.id).chain(all.programs.into_iter().map(|one| one.id)).collect()
        }
        Wanted::Jobs => {
            let input = jobs::ListInput::default();
            session.run::<ListJobs>(context, input).await?.jobs.into_iter().map(|job| job.id).collect()
        }
        Wanted::Rules => {
            let all = session.run::<ListPolicies>(context, Nothing {}).await?;
            all.rules.into_iter().map(|rule| rule.name).collect()
        }
        Wanted::Accounts => {
            let all = session.run::<ListAccounts>(context, Nothing {}).await?;
            all.accounts.into_iter().map(|account| account.name).collect()
        }
        Wanted::Templates => {
            let all = session.run::<ListTemplates>(context, templates::ListInput::default()).await?;
            all.templates.into_iter().map(|template| template.name).collect()
        }
        Wanted::Scopes => scopes::known().into_iter().map(str::to_owned).collect(),
        Wanted::Codes => explain::entries().into_iter().map(|entry| entry.code).collect(),
        Wanted::Topics => {
            let command = command();
            let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
            shown.map(|one| one.get_name().to_owned()).chain(["exit-codes".to_owned()]).collect()
        }
    })
}

async fn servers(session: &Session, context: &Context) -> Result<Vec<String>, Error> {
    if session.named(context).is_none() {
        return list::names(context).await;
    }
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let input = list::Input { limit: Some(PAGE), cursor };
        let page = session.run::<operations::all::List>(context, input).await?;
        names.extend(page.servers.into_iter().map(|server| server.name));
        cursor = page.next_cursor;
        if cursor.is_none() || names.len() >= NAMES_MAX {
            return Ok(names);
        }
    }
}

async fn tools(server: Option<&str>, session: &Session, context: &Context) -> Result<Vec<String>, Error> {
    match (server, session.named(context)) {
        (Some(server), None) => list::tools(context, server).await,
        (server, _) => {
            let input = search::Input {
                server: server.map(str::to_owned),
                kind: Some(search::Kind::Tool),
                limit: Some(search::LIMIT_MAX),
                ..search::Input::default()
            };
            let found = session.run::<Search>(context, input).await?.found;
            Ok(found.into_iter().map(|one| one.name).collect())
        }
    }
}
