//! Opens what lets people sign in at a provider of OpenID Connect.

use std::sync::Arc;

use connect::egress::Networks;
use identity::Clock;
use identity::openid::{OpenId, Settings};

use crate::context::blocking;
use crate::{Code, Context, Error};

/// Opens the sign-in at a provider. Nothing is sent. The surroundings say which private networks may be reached, and what
/// names of hosts stand for.
///
/// # Errors
/// The catalogue cannot be used; the list of private networks cannot be read.
pub async fn open(context: &Context, mut settings: Settings) -> Result<Arc<OpenId>, Error> {
    settings.networks = networks(context)?;
    settings.resolver = ::host::resolver(&|name| context.environment.get(name));
    let store = context.shared_store().await?;
    blocking(move || Ok(Arc::new(OpenId::open(settings, &store, Clock::system())?))).await
}

/// The private networks that the operator opened.
pub(crate) fn networks(context: &Context) -> Result<Networks, Error> {
    let listed = context.environment.get(::host::ALLOW_NETWORK).unwrap_or_default();
    Networks::parse(&listed).map_err(|why| {
        Error::new(
            Code::Usage,
            format!("the private networks that {} opens cannot be read: {why}", ::host::ALLOW_NETWORK),
        )
        .hint("write `private`, hosts, addresses or ranges such as 10.0.0.0/8, by commas")
    })
}
