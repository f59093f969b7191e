//! What is told of settings that are good, and most likely not what was meant.

use std::sync::Arc;

use ::identity::oauth::Authority;
use operations::{Context, Error};

use super::identity::Told;
use crate::commands::run::oauth::let_in_unasked;
use crate::session::Session;

/// Warns of settings, once the control plane is bound.
///
/// `unasked` is the authorization server where nobody is asked, `public` the origin that it is reached at.
///
/// # Errors
/// The catalogue cannot be used.
pub(super) async fn print(
    context: &Context,
    told: &Told<'_>,
    unasked: Option<&Arc<Authority>>,
    public: &str,
    session: &Session,
) -> Result<(), Error> {
    if let Some(authority) = unasked {
        session.printer.warn(&let_in_unasked(authority.settings(), public));
    }
    // A control plane speaks plain HTTP: TLS is a proxy's.
    if told.public_url.is_some_and(|url| url.starts_with("https:")) && told.proxies.is_empty() {
        session.printer.warn(
            "--public-url is https, and no --trusted-proxy names the proxy: all who come by it count as one caller, who is \
             slowed down for all of them",
        );
    }
    let names_owner = told.provider.is_some_and(|provider| provider.allow.names_owner());
    if !names_owner && operations::accounts::shuts_owners_out(context).await? {
        session.printer.warn(
            "no owner can sign in by the ways that are on; name one in --oidc-allow, such as owner:ann@example.com, or let one \
             in once by the link of `mcp-factory accounts reset NAME`",
        );
    }
    Ok(())
}
