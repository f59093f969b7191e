//! What an operator says of a provider.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base::Secret;
use connect::egress::{Networks, Resolver, is_loopback};
use url::Url;

use super::allow::Allow;

/// Longest wait for one answer of the provider.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// What is asked for unless it is said.
pub const SCOPES: &str = "openid email profile";
/// What people know a provider as that has no name.
pub const NAME: &str = "your organisation's account";

/// What an operator says of a provider.
#[derive(Clone)]
pub struct Settings {
    /// The issuer, exactly as it calls itself: see [`issuer`].
    pub issuer: String,
    /// What this control plane is called there.
    pub client_id: String,
    /// Its secret there; none for a public client.
    pub client_secret: Option<Secret>,
    /// What is asked for. `openid` is among it.
    pub scopes: String,
    /// Who is let in.
    pub allow: Allow,
    /// What people know the provider as.
    pub name: String,
    /// Whether passwords are not taken beside it.
    pub only: bool,
    /// Private networks that the provider's endpoints may be in, beside the issuer's own host.
    pub networks: Networks,
    /// How names become addresses.
    pub resolver: Resolver,
    /// PEM file of the accepted certificate authorities. Default: the Mozilla roots.
    pub ca_file: Option<PathBuf>,
    /// Longest wait for one answer of the provider.
    pub timeout: Duration,
}

impl Settings {
    /// A client of an issuer, with what is usual for everything else. Nobody is let in.
    pub fn new(issuer: &str, client_id: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: None,
            scopes: SCOPES.to_owned(),
            allow: Allow::default(),
            name: NAME.to_owned(),
            only: false,
            networks: Networks::default(),
            resolver: connect::egress::system_resolver(),
            ca_file: None,
            timeout: FETCH_TIMEOUT,
        }
    }
}

/// Whether a text can be an issuer: an `https` URL, or an `http` one of this machine.
///
/// # Errors
/// Says what is wrong with it.
pub fn issuer(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no URL")?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err("is not https");
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("holds a user, a query or a fragment");
    }
    Ok(url)
}

/// Whether a file holds certificates of authorities.
///
/// # Errors
/// Says what is wrong with it.
pub fn authorities(file: &Path) -> Result<(), String> {
    connect::authorities(file)
}

#[cfg(test)]
mod tests {
    use super::issuer;

    #[test]
    fn an_issuer_is_https_or_of_this_machine() {
        for good in
            ["https://id.example.com", "https://id.example.com/realms/a/", "http://127.0.0.1:9", "http://[::1]:9"]
        {
            assert!(issuer(good).is_ok(), "{good}");
        }
        for bad in [
            "id.example.com",
            "http://id.example.com",
            "http://127.0.0.1.example.com",
            "https://u:p@id.example.com",
            "https://id.example.com?x",
            "https://id.example.com#x",
            "ftp://id.example.com",
        ] {
            assert!(issuer(bad).is_err(), "{bad}");
        }
    }
}
