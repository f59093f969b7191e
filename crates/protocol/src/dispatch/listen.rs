//! Telling clients about changes: `subscriptions/listen`, and the streams of sessions.

use std::sync::Arc;

use ::http::StatusCode;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::{self, error::RecvError};

use super::params::object;
use super::reply::{self, Answer};
use super::{Call, Via};
use crate::changes::Change;
use crate::connection::Connection;
use crate::context::{Capability, Flags};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::Event;
use crate::json::render;
use crate::principal::Principal;
use crate::service::Capabilities;
use crate::session::{MAX_WATCHED, Session, Stream};
use crate::tasks::{Owner, TaskRecord};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    tools_list_changed: bool,
    prompts_list_changed: bool,
    resources_list_changed: bool,
    resource_subscriptions: Vec<String>,
    task_ids: Vec<String>,
}

impl Filter {
    /// Leaves what the server offers and the client may have.
    fn narrow(mut self, offers: &Capabilities, flags: Flags) -> Self {
        let lists = offers.list_changed;
        self.tools_list_changed &= lists && offers.tools;
        self.prompts_list_changed &= lists && offers.prompts;
        self.resources_list_changed &= lists && offers.resources;
        if !offers.resource_subscriptions {
            self.resource_subscriptions.clear();
        }
        if !offers.tasks || !flags.has(Capability::Tasks) {
            self.task_ids.clear();
        }
        self
    }

    fn acknowledged(&self) -> Value {
        let mut object = serde_json::Map::new();
        for (key, on) in [
            ("toolsListChanged", self.tools_list_changed),
            ("promptsListChanged", self.prompts_list_changed),
            ("resourcesListChanged", self.resources_list_changed),
        ] {
            if on {
                object.insert(key.into(), true.into());
            }
        }
        for (key, list) in [("resourceSubscriptions", &self.resource_subscriptions), ("taskIds", &self.task_ids)] {
            if !list.is_empty() {
                object.insert(key.into(), list.clone().into());
            }
        }
        object.into()
    }
}

/// `subscriptions/listen`: stays open until either side ends it.
pub(super) async fn listen(call: &Call<'_>) -> Result<Answer, Error> {
    let exchange = &call.incoming.exchange;
    if !exchange.streams() {
        let error = Error::invalid_request("subscriptions/listen needs \"Accept: text/event-stream\"");
        let mut answer = reply::error(call.id, crate::revision::Revision::LATEST, &error);
        answer.status = StatusCode::NOT_ACCEPTABLE;
        return Ok(answer);
    }
    let endpoint = call.endpoint();
    let filter = read_filter(call)?;
    let Some(_place) = endpoint.runtime.enter_listen() else {
        return Err(Error::internal("Too many subscriptions are open; try again later"));
    };
    let mut changes = endpoint.service.changes().map(crate::changes::Changes::listen);
    let mut tasks = (!filter.task_ids.is_empty()).then(|| endpoint.runtime.tasks.listen());
    let tag = format!("{{\"io.modelcontextprotocol/subscriptionId\":{}}}", call.id);
    let tell = |method: &str, params: &Value| exchange.must_send(Event::Message(tagged(method, params, &tag)));
    tell("notifications/subscriptions/acknowledged", &json!({ "notifications": filter.acknowledged() }));
    loop {
        tokio::select! {
            change = next(&mut changes) => {
                for (method, params) in matching(change.as_ref(), &filter) {
                    // Only what a slow reader can catch up with; after that it learns of the next change.
                    exchange.notify(tagged(method, &params, &tag));
                }
            }
            record = next(&mut tasks) => {
                if let Some(params) = record.and_then(|record| task_params(call, &filter, &record)) {
                    exchange.notify(tagged("notifications/tasks", &params, &tag));
                }
            }
            () = endpoint.closed.cancelled() => break,
        }
    }
    if matches!(call.incoming.via, Via::Connection(_)) {
        let params = json!({ "requestId": serde_json::from_str::<Value>(call.id).unwrap_or_default(), "reason": "The server shuts down" });
        exchange.must_send(Event::Message(render(
            &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }),
        )));
    }
    Ok(ended(call))
}

fn read_filter(call: &Call<'_>) -> Result<Filter, Error> {
    let raw = object(call.params.notifications, "notifications")?
        .ok_or_else(|| Error::invalid_params("params.notifications is missing"))?;
    let filter: Filter = serde_json::from_str(raw.get())
        .map_err(|fault| Error::invalid_params(format!("Unreadable params.notifications: {fault}")))?;
    if filter.resource_subscriptions.len() > MAX_WATCHED || filter.task_ids.len() > MAX_WATCHED {
        return Err(Error::invalid_params(format!("A subscription watches at most {MAX_WATCHED} resources or tasks")));
    }
    let flags = call.meta.capabilities.map(|raw| Flags::parse(raw.get().as_bytes())).unwrap_or_default();
    Ok(filter.narrow(&call.endpoint().about().capabilities, flags))
}

/// The graceful end of a subscription.
fn ended(call: &Call<'_>) -> Answer {
    let mut out =
        format!("{{\"resultType\":\"complete\",\"_meta\":{{\"io.modelcontextprotocol/subscriptionId\":{}", call.id)
            .into_bytes();
    out.push(b',');
    out.extend_from_slice(call.endpoint().server_info());
    out.extend_from_slice(b"}}");
    reply::result(call.id, &out)
}

fn tagged(method: &str, params: &Value, tag: &str) -> Bytes {
    let mut out = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{params}").into_bytes();
    out.pop();
    if !out.ends_with(b"{") {
        out.push(b',');
    }
    out.extend_from_slice(format!("\"_meta\":{tag}}}}}").as_bytes());
    out.into()
}

/// The next item; a listener that lagged behind gets `None`, which stands for "anything may have changed". Without a hub
/// it waits for ever.
async fn next<T: Clone>(receiver: &mut Option<broadcast::Receiver<T>>) -> Option<T> {
    if let Some(open) = receiver {
        match open.recv().await {
            Ok(item) => return Some(item),
            Err(RecvError::Lagged(_)) => return None,
            Err(RecvError::Closed) => *receiver = None,
        }
    }
    std::future::pending().await
}

const TOOLS: &str = "notifications/tools/list_changed";
const PROMPTS: &str = "notifications/prompts/list_changed";
const RESOURCES: &str = "notifications/resources/list_changed";
const RESOURCE: &str = "notifications/resources/updated";

fn matching(change: Option<&Change>, filter: &Filter) -> Vec<(&'static str, Value)> {
    let any = change.is_none();
    let mut found = Vec::new();
    if filter.tools_list_changed && (any || change == Some(&Change::Tools)) {
        found.push((TOOLS, json!({})));
    }
    if filter.prompts_list_changed && (any || change == Some(&Change::Prompts)) {
        found.push((PROMPTS, json!({})));
    }
    if filter.resources_list_changed && (any || change == Some(&Change::Resources)) {
        found.push((RESOURCES, json!({})));
    }
    for uri in &filter.resource_subscriptions {
        if any || matches!(change, Some(Change::Resource(changed)) if **changed == **uri) {
            found.push((RESOURCE, json!({ "uri": uri })));
        }
    }
    found
}

fn task_params(call: &Call<'_>, filter: &Filter, record: &TaskRecord) -> Option<Value> {
    let wanted = filter.task_ids.iter().any(|id| **id == *record.id);
    let owner = Owner { endpoint: &call.endpoint().about().name, principal: call.incoming.principal.as_ref() };
    let own = *record.endpoint == *owner.endpoint && record.principal.as_deref() == owner.principal.map(Principal::id);
    if !wanted || !own {
        return None;
    }
    let mut out = Vec::from(b"{");
    record.write_members(&mut out);
    record.write_details(&mut out);
    out.push(b'}');
    serde_json::from_slice(&out).ok()
}

/// What a session is told of a change, if anything.
fn for_session(change: Option<&Change>, session: &Session, offers: &Capabilities) -> Vec<Bytes> {
    let plain = |method: &str| render(&json!({ "jsonrpc": "2.0", "method": method }));
    let lists = [
        (Change::Tools, TOOLS, offers.tools),
        (Change::Prompts, PROMPTS, offers.prompts),
        (Change::Resources, RESOURCES, offers.resources),
    ];
    let mut found: Vec<Bytes> = lists
        .iter()
        .filter(|(kind, _, offered)| *offered && offers.list_changed && change.is_none_or(|change| change == kind))
        .map(|(_, method, _)| plain(method))
        .collect();
    if let Some(Change::Resource(uri)) = change
        && session.watches(uri)
    {
        found.push(render(&json!({ "jsonrpc": "2.0", "method": RESOURCE, "params": { "uri": &**uri } })));
    }
    found
}

/// Tells a session on a connection about changes, for as long as it lives.
pub(super) fn forward_to_connection(endpoint: &Arc<Endpoint>, connection: &Arc<Connection>, session: &Arc<Session>) {
    let Some(changes) = endpoint.service.changes() else { return };
    let mut changes = Some(changes.listen());
    // Not the endpoint itself: another one may take its place while the session lives.
    let (offers, connection, session) = (endpoint.about().capabilities.clone(), connection.clone(), session.clone());
    tokio::spawn(async move {
        let closed = session.closed.clone();
        let forward = async {
            loop {
                let change = next(&mut changes).await;
                for message in for_session(change.as_ref(), &session, &offers) {
                    if connection.out.send(message).await.is_err() {
                        return;
                    }
                }
            }
        };
        closed.run_until_cancelled(forward).await;
    });
}

/// Tells a session about changes through its standalone stream, for as long as it lives.
pub(crate) fn forward_to_stream(endpoint: &Arc<Endpoint>, session: &Arc<Session>, stream: &Arc<Stream>) {
    let Some(changes) = endpoint.service.changes() else { return };
    let mut changes = Some(changes.listen());
    let (offers, ended) = (endpoint.about().capabilities.clone(), endpoint.closed.clone());
    let (session, stream) = (session.clone(), stream.clone());
    tokio::spawn(async move {
        let closed = session.closed.clone();
        let forward = async {
            loop {
                let change = next(&mut changes).await;
                for message in for_session(change.as_ref(), &session, &offers) {
                    stream.push(Event::Message(message));
                }
            }
        };
        tokio::select! {
            _ = closed.run_until_cancelled(forward) => {}
            () = ended.cancelled() => stream.finish(),
        }
    });
}
