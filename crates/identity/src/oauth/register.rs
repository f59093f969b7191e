//! Registration of programs (RFC 7591).

use std::net::IpAddr;

use serde_json::Value;

use super::Authority;
use super::client::{Client, Method};
use super::redirect;
use super::refusal::Refusal;
use crate::buckets::Taken;
use crate::seal::{self, Purpose};

/// Hosts of programs that register without a secret and then need one: they are given one, and may show it or not.
const NEED_SECRETS: [&str; 4] = ["perplexity.ai", ".perplexity.ai", "perplexity.com", ".perplexity.com"];

impl Authority {
    /// Registers a program and tells it its id. Blocks.
    ///
    /// # Errors
    /// What it says of itself cannot be taken; too many registrations from its address; no place.
    pub fn register(&self, address: IpAddr, body: &[u8]) -> Result<Value, Refusal> {
        if let Taken::No { wait } = self.registrations.take(&address) {
            return Err(Refusal::too_many(
                "registrations",
                self.settings.limits.registrations.spent("registrations", wait),
            ));
        }
        let metadata = serde_json::from_slice(body).map_err(|_| Refusal::metadata("the body is no JSON object"))?;
        let mut client = Client::read(&metadata, &self.settings.scopes, self.settings.limits.redirect_uris)?;
        self.check_hosts(&client.redirect_uris)?;
        if client.token_endpoint_auth_method == Method::None && client.redirect_uris.iter().all(|uri| needs_secret(uri))
        {
            client.token_endpoint_auth_method = Method::ClientSecretPost;
            client.secret_optional = true;
        }
        let secret = match client.token_endpoint_auth_method {
            Method::None => None,
            _ => Some(seal::secret("")?),
        };
        client.id = uuid::Uuid::new_v4().to_string();
        client.secret = secret.as_ref().map(|secret| self.sealer.hash(Purpose::Client, secret.as_bytes()));
        let now = self.clock.now();
        let document = serde_json::to_string(&client).map_err(|_| Refusal::metadata("the client cannot be stored"))?;
        let stored = store::oauth::Client {
            id: client.id.clone(),
            realm: self.settings.realm.clone(),
            document,
            secret: client.secret,
            created_at: now,
        };
        let stale = now - self.settings.limits.stale_client.as_secs().cast_signed();
        if !self.store.oauth_add_client(&stored, self.settings.limits.clients, stale)? {
            let wait = self.settings.limits.stale_client;
            let full =
                Refusal::new(503, "temporarily_unavailable", "too many clients are registered here; try again later");
            return Err(Refusal { retry_after: Some(wait), ..full });
        }
        Ok(client.told(secret.as_deref(), now))
    }

    /// Whether the operator lets codes be sent there.
    pub(crate) fn check_hosts(&self, uris: &[String]) -> Result<(), Refusal> {
        let Some(hosts) = &self.settings.redirect_hosts else { return Ok(()) };
        match uris.iter().find(|uri| !hosts.allow(uri)) {
            None => Ok(()),
            Some(uri) => {
                let why =
                    format!("the operator of this server does not let codes be sent to `{}`", redirect::host(uri));
                Err(Refusal::new(400, "invalid_redirect_uri", why))
            }
        }
    }
}

fn needs_secret(uri: &str) -> bool {
    let host = redirect::host(uri);
    NEED_SECRETS.iter().any(|known| host == *known || (known.starts_with('.') && host.ends_with(known)))
}
