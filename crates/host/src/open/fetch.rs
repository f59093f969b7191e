//! What scripts may fetch.

use std::sync::Arc;

use base::{Diagnostic, Secret};
use connect::http::{Anywhere, Api, Retries, Settings};
use spec::Spec;
use spec::model::{Action, Fetch, Tool};

use super::http::{limits, policy};
use super::{Opened, Operator};
use crate::codes;

impl Opened {
    /// Opens what the scripts of tools and steps may fetch with. Scripts that may fetch the same share their sockets.
    pub(super) fn fetches(&mut self, spec: &Spec, operator: &Operator<'_>) {
        let mut known: Vec<(&Fetch, Arc<Api>)> = Vec::new();
        for (index, tool) in spec.tools.iter().enumerate() {
            for (name, fetch, path) in scripts(tool) {
                let same = known.iter().find(|(other, _)| *other == fetch).map(|(_, api)| Arc::clone(api));
                let opened = same.map_or_else(|| Api::open(settings(fetch, operator)).map(Arc::new), Ok);
                let opened = opened.map_err(|error| {
                    let message = format!("the script of tool `{}` cannot fetch: {}", tool.name, error.message);
                    self.diagnostics
                        .push(Diagnostic::error(codes::URL, message).path(format!("/tools/{index}/{path}")));
                    error.message
                });
                if let Ok(api) = &opened {
                    known.push((fetch, Arc::clone(api)));
                }
                self.connections.fetches.insert(name, opened);
            }
        }
    }
}

fn settings(fetch: &Fetch, operator: &Operator<'_>) -> Settings {
    let hosts = fetch.hosts.iter();
    Settings {
        policy: hosts.fold(policy(operator, None), |policy, host| policy.allow_host(host)),
        resolver: operator.resolver.clone(),
        anywhere: Some(Anywhere { plain: fetch.plain }),
        // What `fetch` asks for it asks for once.
        retries: Retries { max: 0, ..Retries::default() },
        limits: limits(&fetch.limits),
        ..Settings::new("fetch", Secret::new(""))
    }
}

/// The scripts of a tool that may fetch: the name that the engine looks each up by, and where it is in the tool.
fn scripts(tool: &Tool) -> Vec<(String, &Fetch, String)> {
    let mut found = Vec::new();
    match &tool.action {
        Some(Action::Script(script)) => {
            found.extend(script.fetch.as_ref().map(|fetch| (tool.name.clone(), fetch, "script/fetch".to_owned())));
        }
        Some(Action::Steps(steps)) => {
            for (nth, step) in steps.list.iter().enumerate() {
                if let Some(Action::Script(script)) = &step.action
                    && let Some(fetch) = &script.fetch
                {
                    found.push((format!("{}/{}", tool.name, step.name), fetch, format!("steps/do/{nth}/script/fetch")));
                }
            }
        }
        _ => {}
    }
    found
}
