//! What a server uses, and who uses it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::index::Indexed;
use crate::index::uses::{Use, server_of};
use crate::{Code, Context, Environment, Error, first_party};

/// Which server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Name of the server.
    pub name: String,
}

/// What a server uses, and who uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The server.
    pub name: String,
    /// Its current version; absent for a server that comes with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The connections that it has.
    pub uses: Vec<Used>,
    /// The servers that need it.
    pub used_by: Vec<User>,
}

/// A connection of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Used {
    /// Name of the connection in the spec.
    pub connection: String,
    /// What it is, such as `postgresql` or `mcp`.
    pub kind: String,
    /// The variable that says where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// Where it is, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The server of this control plane, or of the program, that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Whether that server is there: `registered`, `first-party`, or `missing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The tools that use it.
    pub tools: Vec<String>,
    /// Other servers with a connection to the same place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<String>,
}

/// A server that needs another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The server.
    pub server: String,
    /// Its current version.
    pub version: String,
    /// Its connection to the other one.
    pub connection: String,
    /// The tools that stop working without it.
    pub tools: Vec<String>,
}

impl std::fmt::Display for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` {} by its connection `{}`", self.server, self.version, self.connection)?;
        if !self.tools.is_empty() {
            write!(f, " ({})", self.tools.join(", "))?;
        }
        Ok(())
    }
}

/// What a server uses, and who uses it.
///
/// # Errors
/// There is no such server; the catalogue cannot be read.
pub async fn dependencies(context: &Context, input: Input) -> Result<Output, Error> {
    let own = first_party::find(&input.name);
    let name = own.map_or(input.name, |own| own.name.to_owned());
    if !context.has_store() && own.is_some() {
        return Ok(Output { name, version: None, uses: Vec::new(), used_by: Vec::new() });
    }
    let visible = crate::access::visible(context).await?;
    let (index, environment) = (Arc::clone(&context.index), context.environment.clone());
    let found = context
        .store(move |store| {
            index.refresh(store)?;
            let found = index.servers(|servers| {
                let indexed = servers.get(&name);
                let one = indexed.map(|indexed| (indexed.version.clone(), &indexed.uses));
                let uses = one.iter().flat_map(|(_, uses)| uses.iter());
                Output {
                    version: one.as_ref().map(|(version, _)| version.clone()),
                    uses: uses.map(|of| used(&name, of, servers, &environment)).collect(),
                    used_by: users(&name, servers, &environment),
                    name: name.clone(),
                }
            });
            // Says that there is no such server, with the names that there are.
            match found.version.is_none() && own.is_none() {
                true => store.server(&name).map(|_| found),
                false => Ok(found),
            }
        })
        .await;
    let mut found = found?;
    if let Some(visible) = visible {
        found.used_by.retain(|user| visible.contains(&user.server));
        found.uses.iter_mut().for_each(|used| used.shared_with.retain(|name| visible.contains(name)));
    }
    Ok(found)
}

type Servers = std::collections::BTreeMap<String, Indexed>;

/// The server that a connection is. An address may be in a variable.
fn target(of: &Use, environment: &Environment) -> Option<String> {
    of.server.clone().or_else(|| server_of(&environment.get(of.variable.as_deref()?)?))
}

fn used(name: &str, of: &Use, servers: &Servers, environment: &Environment) -> Used {
    let server = target(of, environment);
    let state = server.as_ref().map(|server| match () {
        () if servers.contains_key(server) => "registered",
        () if first_party::find(server).is_some() => "first-party",
        () => "missing",
    });
    let same = |other: &Use| match (&of.variable, &of.place) {
        (Some(variable), _) => other.variable.as_ref() == Some(variable),
        (None, Some(place)) => other.place.as_ref() == Some(place) && other.kind == of.kind,
        (None, None) => false,
    };
    let shared = servers.iter().filter(|(other, indexed)| *other != name && indexed.uses.iter().any(same));
    Used {
        connection: of.connection.clone(),
        kind: of.kind.to_owned(),
        env_var: of.variable.clone(),
        place: of.place.clone(),
        server,
        state: state.map(str::to_owned),
        tools: of.tools.clone(),
        shared_with: shared.map(|(other, _)| other.clone()).collect(),
    }
}

fn users(name: &str, servers: &Servers, environment: &Environment) -> Vec<User> {
    let all = servers.iter().filter(|(user, _)| *user != name);
    let needs = all.flat_map(|(user, indexed)| indexed.uses.iter().map(move |of| (user, indexed, of)));
    needs
        .filter(|(_, _, of)| target(of, environment).as_deref() == Some(name))
        .map(|(user, indexed, of)| User {
            server: user.clone(),
            version: indexed.version.clone(),
            connection: of.connection.clone(),
            tools: of.tools.clone(),
        })
        .collect()
}

/// Who needs a server that is to go.
pub(crate) async fn users_of(context: &Context, name: &str) -> Result<Vec<User>, Error> {
    let (index, environment, name) = (Arc::clone(&context.index), context.environment.clone(), name.to_owned());
    context
        .store(move |store| {
            index.refresh(store)?;
            Ok(index.servers(|servers| users(&name, servers, &environment)))
        })
        .await
}

/// The refusal to remove what is used.
pub(crate) fn in_use(name: &str, users: &[User]) -> Error {
    let listed: Vec<String> = users.iter().map(ToString::to_string).collect();
    Error::new(Code::InUse, format!("`{name}` is used by {}", listed.join("; ")))
        .hint("remove or change those servers first; `mcp-factory uses NAME` shows who uses what")
        .hint("or remove it all the same with `--force`: those tools then fail")
}
