//! Finding out who gives tokens for a server.

use connect::Error;
use serde_json::Value;
use url::Url;

use super::challenge::Challenge;
use super::fetch::Fetch;
use super::refused;
use super::server::Server;

const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const SERVER: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// Who gives tokens for a server.
pub(super) struct Found {
    /// What the tokens are for, as the server calls it; none where it says nothing.
    pub(super) resource: Option<String>,
    /// The scopes that the server knows.
    pub(super) scopes: Vec<String>,
    pub(super) server: Server,
}

/// Asks a server, and the authorization server that it names. With `legacy` a server without metadata of its own gives its
/// tokens itself, as those of 2025-03-26 do.
pub(super) async fn discover(fetch: &Fetch, at: &Url, challenge: &Challenge, legacy: bool) -> Result<Found, Error> {
    let origin = at.origin().ascii_serialization();
    let Some(about) = resource(fetch, at, challenge).await? else {
        if !legacy {
            let mut error = refused(&fetch.name, "the server does not say who gives tokens for it (RFC 9728)");
            error.hint = Some("for a server of the revision 2025-03-26, add `--legacy-auth`".to_owned());
            return Err(error);
        }
        let server = match server(fetch, &origin).await? {
            Some(server) => server,
            None => Server::unsaid(fetch, &origin)?,
        };
        return Ok(Found { resource: None, scopes: Vec::new(), server });
    };
    let named = about["resource"].as_str().unwrap_or_default();
    if !covers(named, at) {
        let why = format!("the metadata of the server are those of `{}`, not of {at}", named.escape_debug());
        return Err(refused(&fetch.name, why));
    }
    let Some(issuer) = about["authorization_servers"][0].as_str() else {
        return Err(refused(&fetch.name, "the metadata of the server name no authorization server"));
    };
    let none = || refused(&fetch.name, format!("the authorization server `{issuer}` has no metadata"));
    let server = server(fetch, issuer).await?.ok_or_else(none)?;
    let scopes = about["scopes_supported"].as_array().into_iter().flatten();
    let scopes = scopes.filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(Found { resource: Some(named.to_owned()), scopes, server })
}

/// The metadata of the server: where it says, else at the well-known places for its path and for its origin.
async fn resource(fetch: &Fetch, at: &Url, challenge: &Challenge) -> Result<Option<Value>, Error> {
    const WHAT: &str = "the metadata of the server";
    if let Some(named) = &challenge.metadata {
        let url = fetch.check("the address of the metadata", named)?;
        let none = || refused(&fetch.name, format!("there are no metadata of the server at {url}"));
        return fetch.metadata(WHAT, &url).await?.ok_or_else(none).map(Some);
    }
    let origin = at.origin().ascii_serialization();
    let path = at.path().trim_end_matches('/');
    let mut places = vec![format!("{origin}{RESOURCE}{path}"), format!("{origin}{RESOURCE}")];
    places.dedup();
    for place in places {
        if let Some(about) = fetch.metadata(WHAT, &fetch.check(WHAT, &place)?).await? {
            return Ok(Some(about));
        }
    }
    Ok(None)
}

/// The metadata of an authorization server: RFC 8414 first, then OpenID Connect, in both of its forms.
async fn server(fetch: &Fetch, issuer: &str) -> Result<Option<Server>, Error> {
    const WHAT: &str = "the metadata of the authorization server";
    let url = fetch.check("the authorization server", issuer)?;
    if url.query().is_some() {
        return Err(refused(&fetch.name, format!("the authorization server `{issuer}` holds a query")));
    }
    let (origin, path) = (url.origin().ascii_serialization(), url.path().trim_end_matches('/'));
    let mut places = vec![format!("{origin}{SERVER}{path}"), format!("{origin}{OPENID}{path}")];
    if !path.is_empty() {
        places.push(format!("{origin}{path}{OPENID}"));
    }
    for place in places {
        if let Some(about) = fetch.metadata(WHAT, &fetch.check(WHAT, &place)?).await? {
            return Server::read(fetch, issuer, &about).map(Some);
        }
    }
    Ok(None)
}

/// Whether a resource is this URL, or one above it on the same origin.
fn covers(resource: &str, at: &Url) -> bool {
    let Ok(resource) = Url::parse(resource) else { return false };
    if resource.origin() != at.origin() || resource.fragment().is_some() || !resource.username().is_empty() {
        return false;
    }
    if resource.query().is_some() && resource.query() != at.query() {
        return false;
    }
    let (above, path) = (resource.path().trim_end_matches('/'), at.path().trim_end_matches('/'));
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::covers;

    #[test]
    fn a_resource_is_the_server_or_above_it() {
        let at = Url::parse("https://mcp.example.com/a/mcp").unwrap();
        for good in [
            "https://mcp.example.com/a/mcp",
            "https://MCP.example.com/a/mcp/",
            "https://mcp.example.com/a",
            "https://mcp.example.com",
            "https://mcp.example.com:443/",
        ] {
            assert!(covers(good, &at), "{good}");
        }
        for bad in [
            "",
            "https://mcp.example.com/a/mc",
            "https://mcp.example.com/a/mcp/x",
            "http://mcp.example.com/a/mcp",
            "https://mcp.example.com.evil.example/a/mcp",
            "https://x@mcp.example.com/a/mcp",
            "https://mcp.example.com:8443",
            "https://mcp.example.com/a?x=1",
        ] {
            assert!(!covers(bad, &at), "{bad}");
        }
    }
}
