//! Secrets that Doppler keeps: the whole config of a service token, fetched once before a spec is opened.
//!
//! <https://docs.doppler.com/reference/secrets-download>

use std::collections::HashMap;
use std::time::Duration;

use base::{Diagnostic, Secret};
use connect::egress::{Networks, Policy};
use connect::http::{Api, Call, Credentials, Limits, Method, Settings};
use serde_json::{Map, Value};
use spec::Spec;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::codes;
use crate::limits::{DOPPLER_BYTES_MAX, DOPPLER_TIMEOUT};
use crate::resolve::{DOPPLER, Lookup};

/// The service token of the config whose secrets are read.
const TOKEN: &str = "DOPPLER_TOKEN";
/// Where Doppler is, when it is not the public service.
const HOST: &str = "DOPPLER_API_HOST";
const PUBLIC: &str = "https://api.doppler.com";
/// What names the config where the token is good for several.
const NAMES: [(&str, &str); 2] = [("DOPPLER_PROJECT", "project"), ("DOPPLER_CONFIG", "config")];

/// Secrets by the names under which [`crate::open`] looks them up, `doppler:NAME`.
pub type Managed = HashMap<String, String>;

/// Fetches the secrets that a spec refers to; nothing is asked when it refers to none. What went wrong is a warning: the
/// connections that need a secret are then not available.
pub async fn managed(spec: &Spec, lookup: Lookup<'_>) -> (Managed, Option<Diagnostic>) {
    let wanted = names(spec);
    if wanted.is_empty() {
        return (Managed::new(), None);
    }
    match fetch(lookup).await {
        Ok(secrets) => {
            let text = |name: &String| Some((format!("{DOPPLER}{name}"), secrets.get(name)?.as_str()?.to_owned()));
            (wanted.iter().filter_map(text).collect(), None)
        }
        Err((why, help)) => {
            let message = format!("the secrets of Doppler could not be fetched: {why}");
            (Managed::new(), Some(Diagnostic::warning(codes::DOPPLER, message).path("/connections").help(help)))
        }
    }
}

async fn fetch(lookup: Lookup<'_>) -> Result<Map<String, Value>, (String, String)> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let Some(token) = set(TOKEN) else {
        let help = format!("set it to a service token: export {TOKEN}='dp.st.…'");
        return Err((format!("environment variable {TOKEN} is not set"), help));
    };
    let base = set(HOST).unwrap_or_else(|| PUBLIC.to_owned());
    let help = format!("check {TOKEN} and {HOST}, and that Doppler can be reached from here");
    let failed = |why: String| (why, help.clone());
    // What the operator names is the operator's decision: it may be a private host.
    let host = url::Url::parse(&base).ok().and_then(|url| url.host_str().map(str::to_owned));
    let networks = host.map_or_else(Networks::default, |host| Networks::default().with_host(&host));
    let api = Api::open(Settings {
        credentials: Credentials::Bearer(Secret::new(token)),
        policy: Policy::default().allow_networks(networks),
        limits: Limits { answer_bytes: DOPPLER_BYTES_MAX, redirects: 0, ..Limits::default() },
        ..Settings::new("doppler", Secret::new(base))
    });
    let api = api.map_err(|error| failed(error.message))?;
    let mut call = Call::new(Method::GET, "/v3/configs/config/secrets/download");
    call.query.push(("format".to_owned(), "json".to_owned()));
    call.query.extend(NAMES.iter().filter_map(|(variable, name)| Some(((*name).to_owned(), set(variable)?))));
    let deadline: Duration = DOPPLER_TIMEOUT;
    let reply = api.send(&call, Instant::now() + deadline, &CancellationToken::new()).await;
    let reply = reply.map_err(|error| failed(error.message))?;
    if !reply.status.is_success() {
        let told: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let why = told["messages"][0].as_str().map(|why| format!(": {why}")).unwrap_or_default();
        return Err(failed(format!("it answered {}{why}", reply.status)));
    }
    // Masking leaves the token itself out of the answer, which is a secret of this config at most.
    serde_json::from_slice(&reply.body).map_err(|_| failed("its answer is no object of secrets".to_owned()))
}

/// The names of the secrets that a spec refers to: `{doppler: NAME}` and `${doppler:NAME}`.
fn names(spec: &Spec) -> Vec<String> {
    let mut names = Vec::new();
    collect(&serde_json::to_value(&spec.connections).unwrap_or_default(), &mut names);
    names.sort_unstable();
    names.dedup();
    names
}

fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let references = text.split("${doppler:").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.trim()));
            names.extend(references.map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Object(fields) => {
            if let (Some(Value::String(name)), 1) = (fields.get("doppler"), fields.len()) {
                names.push(name.clone());
            }
            fields.values().for_each(|field| collect(field, names));
        }
        _ => {}
    }
}
