//! What a server uses, and who uses it.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::index::Indexed;
use crate::index::uses::{Use, plain, server_of};
use crate::policies::Sight;
use crate::{Code, Context, Environment, Error, first_party};

/// Which server, template or connection.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Name of the server, the template or the connection; of a connection also its variable or its place.
    pub name: String,
}

/// What a server uses, and who uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The server.
    pub name: String,
    /// Its current version; absent for a server that comes with the program, a template and a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The template that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The connections that it has.
    pub uses: Vec<Used>,
    /// The servers that need it.
    pub used_by: Vec<User>,
    /// The servers that were made from the template of this name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Made>,
}

/// A server that was made from a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// The server.
    pub server: String,
    /// Its current version.
    pub version: String,
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
    /// The version that needs it: the current one, or one that is deployed.
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

/// What a server uses, and who uses it; for the name of a template the servers that were made from it, and for a connection, by
/// its name, its variable or its place, the servers that have it. The caller hears of what they see.
///
/// # Errors
/// There is nothing of this name; the catalogue cannot be read.
pub async fn dependencies(context: &Context, input: Input) -> Result<Output, Error> {
    let own = first_party::find(&input.name);
    let name = own.map_or(input.name, |own| own.name.to_owned());
    let known = own.is_some() || crate::templates::get(&name).is_ok();
    if !context.has_store() && known {
        return Ok(Output {
            name,
            version: None,
            template: None,
            uses: Vec::new(),
            used_by: Vec::new(),
            made: Vec::new(),
        });
    }
    let sight = crate::access::sight(context).await?;
    let (index, environment) = (Arc::clone(&context.index), context.environment.clone());
    context
        .store(move |store| {
            index.refresh(store)?;
            let beside = index.beside(store)?;
            let found = index.servers(|servers| {
                let (seen, beside) = match sight {
                    Sight::All => (Cow::Borrowed(servers), beside),
                    Sight::Part { .. } => (Cow::Owned(seen(servers, &sight)), seen(&beside, &sight)),
                };
                told(&name, &seen, &beside, &environment)
            });
            let is_nothing = found.version.is_none() && found.used_by.is_empty() && found.made.is_empty();
            match (is_nothing, &sight) {
                (false, _) => Ok(Ok(found)),
                (true, Sight::All) if known => Ok(Ok(found)),
                // A server of somebody else is as if it were not there.
                (true, Sight::Part { .. }) => Ok(Err(crate::error::none_to_see(&name))),
                // Says that there is no such server, with the names that there are.
                (true, Sight::All) => store.server(&name).map(|_| Ok(found)),
            }
        })
        .await?
}

/// The servers that a caller sees. Of what is not theirs they see the tools that they may list, and not where its connections are.
fn seen(servers: &Servers, sight: &Sight) -> Servers {
    let some = servers.iter().filter(|(name, indexed)| sight.has_server(name, &indexed.owner));
    some.map(|(name, indexed)| {
        let mut indexed = indexed.clone();
        if !sight.is_whole(&indexed.owner) {
            for of in &mut indexed.uses {
                (of.variable, of.place) = (None, None);
                let is_seen = |to: &String| servers.get(to).is_some_and(|indexed| sight.has_server(to, &indexed.owner));
                of.server = of.server.take().filter(is_seen);
                of.tools.retain(|(tool, groups)| sight.has_tool(name, &indexed.owner, tool, groups));
            }
            indexed.uses.retain(|of| !of.tools.is_empty());
        }
        (name.clone(), indexed)
    })
    .collect()
}

/// What is known of a name. What is deployed need not be current: `beside` has those versions.
fn told(name: &str, servers: &Servers, beside: &Servers, environment: &Environment) -> Output {
    let one = servers.get(name);
    let uses = one.into_iter().flat_map(|indexed| indexed.uses.iter());
    let mut used_by = users(name, servers, environment);
    used_by.extend(users(name, beside, environment));
    if one.is_none() {
        used_by.extend(users_of_connection(name, servers));
        used_by.extend(users_of_connection(name, beside));
    }
    let made = servers.iter().filter(|(_, indexed)| indexed.template.as_deref() == Some(name));
    Output {
        version: one.map(|indexed| indexed.version.clone()),
        template: one.and_then(|indexed| indexed.template.clone()),
        uses: uses.map(|of| used(name, of, servers, environment)).collect(),
        used_by,
        made: made.map(|(server, indexed)| Made { server: server.clone(), version: indexed.version.clone() }).collect(),
        name: name.to_owned(),
    }
}

/// The servers with a connection of this name, of this variable, or to this place.
fn users_of_connection(name: &str, servers: &Servers) -> Vec<User> {
    let place = plain(name);
    let is_it =
        |of: &Use| of.connection == name || of.variable.as_deref() == Some(name) || of.place.as_ref() == Some(&place);
    let all = servers.iter().flat_map(|(user, indexed)| indexed.uses.iter().map(move |of| (user, indexed, of)));
    all.filter(|(_, _, of)| is_it(of)).map(|(user, indexed, of)| user_by(user, indexed, of)).collect()
}

fn user_by(user: &str, indexed: &Indexed, of: &Use) -> User {
    User {
        server: user.to_owned(),
        version: indexed.version.clone(),
        connection: of.connection.clone(),
        tools: names(of),
    }
}

fn names(of: &Use) -> Vec<String> {
    of.tools.iter().map(|(tool, _)| tool.clone()).collect()
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
        tools: names(of),
        shared_with: shared.map(|(other, _)| other.clone()).collect(),
    }
}

fn users(name: &str, servers: &Servers, environment: &Environment) -> Vec<User> {
    let all = servers.iter().filter(|(user, _)| *user != name);
    let needs = all.flat_map(|(user, indexed)| indexed.uses.iter().map(move |of| (user, indexed, of)));
    needs
        .filter(|(_, _, of)| target(of, environment).as_deref() == Some(name))
        .map(|(user, indexed, of)| user_by(user, indexed, of))
        .collect()
}

/// Who needs a server that is to go.
pub(crate) async fn users_of(context: &Context, name: &str) -> Result<Vec<User>, Error> {
    let (index, environment, name) = (Arc::clone(&context.index), context.environment.clone(), name.to_owned());
    context
        .store(move |store| {
            index.refresh(store)?;
            let beside = users(&name, &index.beside(store)?, &environment);
            Ok(index.servers(|servers| users(&name, servers, &environment)).into_iter().chain(beside).collect())
        })
        .await
}

/// The refusal to remove what is used.
pub(crate) fn in_use(name: &str, users: &[User]) -> Error {
    let listed: Vec<String> = users.iter().map(ToString::to_string).collect();
    Error::new(Code::InUse, format!("`{name}` is used by {}", listed.join("; ")))
        .hint("remove or change those servers first; `mcp-factory uses NAME` shows who uses what")
        .hint("or remove it all the same with `force` (`--force`): those tools then fail")
}
