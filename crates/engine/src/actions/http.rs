//! The `http` action: a request from a call's arguments, and a result from its answer.

mod answer;
mod request;

use std::time::Instant;

use base::Select;
use connect::http::{Api, Events, Pages, Turn as PageTurn};
use serde_json::{Map, Value};
use spec::model::{Http, HttpResult, HttpTurn};

use super::{Fault, fixed_text, scope};
use crate::connections::Link;
use crate::context::CallContext;
use crate::errors;
use crate::outcome::{Failure, Outcome};
use crate::toolset::{Tool, Toolset};

use answer::Rule;
use request::Request;

type Attempt<T> = Result<T, Box<Failure>>;

/// A request with everything that is known before a call.
#[derive(Debug)]
pub(crate) struct HttpAction {
    connection: Box<str>,
    api: Link<Api>,
    request: Request,
    result: HttpResult,
    select: Option<(Select, Box<str>)>,
    rules: Vec<Rule>,
    /// Picks a text of each event, which are joined.
    join: Option<Select>,
    pages: Option<Pages>,
}

impl HttpAction {
    /// Compiles a request.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(connection: &str, api: Link<Api>, action: &Http, row_limit: u64) -> Result<Self, Fault> {
        let select = |text: &String| Select::parse(text);
        let rules = action
            .errors
            .iter()
            .map(|(status, text)| Ok::<_, Fault>(Rule { status: status.as_str().into(), text: fixed_text(text)? }));
        let mut rules = rules.collect::<Result<Vec<_>, _>>()?;
        // A status goes before its class.
        rules.sort_by_key(|rule| rule.status.ends_with("xx"));
        let picked = action.select.as_ref().map(|text| Ok::<_, Fault>((select(text)?, text.as_str().into())));
        Ok(Self {
            connection: connection.into(),
            api,
            request: Request::compile(action, events(action))?,
            result: action.result,
            select: picked.transpose()?,
            rules,
            join: action.events.as_ref().and_then(|events| events.join.as_ref()).map(select).transpose()?,
            pages: action.pages.as_ref().map(|pages| page_turns(pages, row_limit)).transpose()?,
        })
    }
}

fn events(action: &Http) -> Option<Events> {
    action.events.as_ref().map(|events| Events {
        keep: events.keep.clone(),
        done_event: events.done_event.clone(),
        done_data: events.done_data.clone(),
        max: usize::try_from(events.max).unwrap_or(usize::MAX),
        unfinished: false,
    })
}

fn page_turns(pages: &spec::model::HttpPages, row_limit: u64) -> Result<Pages, Fault> {
    let select = |text: &Option<String>| text.as_deref().map_or_else(|| Select::parse(""), Select::parse);
    let name = |word: &str| pages.parameter.clone().unwrap_or_else(|| word.to_owned());
    let turn = match pages.by {
        HttpTurn::Page => PageTurn::Page { name: name("page"), first: pages.first },
        HttpTurn::Offset => PageTurn::Offset { name: name("offset") },
        HttpTurn::Cursor => PageTurn::Cursor { name: name("cursor"), from: select(&pages.from)? },
        HttpTurn::Link => PageTurn::Link,
        HttpTurn::Next => PageTurn::Next { from: select(&pages.from)? },
    };
    Ok(Pages {
        items: select(&pages.items)?,
        turn,
        pages_max: usize::try_from(pages.max).unwrap_or(usize::MAX),
        items_max: usize::try_from(row_limit).unwrap_or(usize::MAX),
    })
}

impl Toolset {
    pub(crate) async fn run_http(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &HttpAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        let api = action.api.as_ref().map_err(|why| errors::no_connection(tool, &action.connection, why))?;
        let scope = scope(context, &arguments);
        let mut call = action.request.fill(tool, &arguments, &scope)?;
        call.subject = context.upstream(api.subject());
        let turn = self.turn(context, tool, started).await?;
        let failed = |error: &connect::Error| errors::upstream(tool, error, started.elapsed());
        if let Some(pages) = &action.pages {
            let collected = api.collect(&call, pages, turn.deadline.into(), context.cancel).await;
            return answer::pages(self, tool, action, collected.map_err(|error| failed(&error))?, scope);
        }
        let fetched = api.fetch(&call, turn.deadline.into(), context.cancel).await.map_err(|error| failed(&error))?;
        answer::one(self, tool, action, &call, (fetched, scope))
    }
}
