//! Lists the servers of the catalogue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Page, Store};

use crate::{Context, Error};

/// Which part of the list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Most servers in one answer; 1,000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<usize>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A part of the list, in name order.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The servers.
    pub servers: Vec<Server>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A server in the list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Name.
    pub name: String,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The current version.
    pub version: String,
    /// Digest of the current version.
    pub digest: String,
    /// The transport that the spec asks for.
    pub transport: String,
    /// How many tools it has.
    pub tools: usize,
    /// How many versions are kept.
    pub versions: usize,
    /// When the server was made, RFC 3339.
    pub created_at: String,
    /// When it was last changed, RFC 3339.
    pub updated_at: String,
}

/// Lists servers. A home folder without a catalogue has none, and none is made.
pub async fn list(context: &Context, input: Input) -> Result<Output, Error> {
    if !context.has_store() {
        return Ok(Output::default());
    }
    let page = Page { limit: input.limit, cursor: input.cursor };
    let listing = crate::access::seen(context, page).await?;
    Ok(Output { servers: listing.servers.into_iter().map(Server::from).collect(), next_cursor: listing.next })
}

/// The names of all servers, for completion.
pub async fn names(context: &Context) -> Result<Vec<String>, Error> {
    if !context.has_store() {
        return Ok(Vec::new());
    }
    context.store(Store::names).await
}

/// The names of the tools of a server's current version, for completion.
pub async fn tools(context: &Context, name: &str) -> Result<Vec<String>, Error> {
    if !context.has_store() {
        return Ok(Vec::new());
    }
    let name = name.to_owned();
    let found = context.store(move |store| store.find_version(&name, None)).await?;
    let spec = found.and_then(|found| serde_json::from_str::<spec::Spec>(&found.release.canonical).ok());
    Ok(spec.into_iter().flat_map(|spec| spec.tools).map(|tool| tool.name).collect())
}

/// The versions of a server, for completion.
pub async fn versions(context: &Context, name: &str) -> Result<Vec<String>, Error> {
    if !context.has_store() {
        return Ok(Vec::new());
    }
    let name = name.to_owned();
    let found = context.store(move |store| store.versions(&name)).await?;
    Ok(found.into_iter().map(|one| one.version).collect())
}

impl From<store::Server> for Server {
    fn from(server: store::Server) -> Self {
        Self {
            name: server.name,
            title: server.title,
            description: server.description,
            version: server.version,
            digest: server.digest.as_str().to_owned(),
            transport: server.transport,
            tools: server.tools,
            versions: server.versions,
            created_at: server.created_at,
            updated_at: server.updated_at,
        }
    }
}
