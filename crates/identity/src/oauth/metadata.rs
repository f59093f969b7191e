//! What clients read first.

use serde_json::{Value, json};

use super::client::Method;
use super::settings::Settings;

/// Metadata of the authorization server (RFC 8414).
pub fn authorization_server(settings: &Settings, issuer: &str) -> Value {
    let scopes = settings.offered();
    let scopes: Vec<&str> = scopes.iter().collect();
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "registration_endpoint": format!("{issuer}/register"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": scopes,
        "token_endpoint_auth_methods_supported": Method::ALL,
        "revocation_endpoint_auth_methods_supported": Method::ALL,
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
    })
}

/// Metadata of a protected resource (RFC 9728). `path` is the one that was asked for, such as `/mcp`; `None` when nothing
/// is protected there. They name the URL that a client was given, though several are one resource: clients compare it.
pub fn protected_resource(settings: &Settings, issuer: &str, path: &str) -> Option<Value> {
    let path = if path.trim_matches('/').is_empty() { settings.places.main() } else { path };
    let place = settings.places.resource(path)?;
    let known = if settings.required.is_empty() { settings.scopes_at(&place) } else { settings.offered() };
    let scopes: Vec<&str> = known.iter().collect();
    Some(json!({
        "resource": format!("{issuer}{}", settings.places.named(path, &place)),
        "authorization_servers": [issuer],
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
        "resource_name": settings.title,
    }))
}
