//! The beginning of a sign-in: where the browser is sent, and what it keeps until it comes back.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::back::COOKIE_BYTES_MAX;
use super::{BACK_BYTES_MAX, Failure, Kind, OpenId, SIGN_IN_LIFE};
use crate::buckets::Taken;
use crate::seal::{self, Purpose};

/// A sign-in that was begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The provider's page.
    pub page: String,
    /// What the browser keeps, and shows when it comes back.
    pub cookie: String,
}

/// What a browser keeps, sealed. The nonce and the verifier of PKCE follow from the state, by a key that only this installation
/// has.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) state: String,
    /// Where the person was.
    pub(super) back: Option<String>,
    /// Whether that is kept here, since it is too long for a cookie.
    #[serde(default)]
    pub(super) is_here: bool,
    pub(super) expires_at: i64,
}

impl OpenId {
    /// Begins a sign-in of a browser at an address, which comes back to `redirect`, and then goes on to `back`.
    ///
    /// # Errors
    /// The provider cannot be asked, or there were too many from this address.
    pub async fn begin(&self, address: IpAddr, redirect: &str, back: Option<&str>) -> Result<Begun, Failure> {
        let slow = |wait| Failure::new(Kind::Slow(wait), "too many sign-ins were begun from this address");
        if let Taken::No { wait } = self.begins.take(&address) {
            return Err(slow(wait));
        }
        let metadata = self.provider.metadata().await?;
        let state = seal::random::<16>()?;
        let expires_at = self.clock.now() + i64::try_from(SIGN_IN_LIFE.as_secs()).unwrap_or_default();
        let back = back.filter(|back| back.len() <= BACK_BYTES_MAX).map(str::to_owned);
        let mut kept = Kept { state: state.clone(), back, is_here: false, expires_at };
        let mut cookie = self.cookie(&kept)?;
        if let Some(long) = kept.back.take_if(|_| cookie.len() > COOKIE_BYTES_MAX) {
            if let Taken::No { wait } = self.long_begins.take(&address) {
                return Err(slow(wait));
            }
            self.paths.keep(&state, expires_at, self.clock.now(), &long);
            kept.is_here = true;
            cookie = self.cookie(&kept)?;
        }
        let mut page = metadata.authorize.clone();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier(&state).as_bytes()));
        page.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", redirect)
            .append_pair("scope", &self.settings.scopes)
            .append_pair("state", &state)
            .append_pair("nonce", &self.nonce(&state))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(Begun { page: page.into(), cookie })
    }

    fn cookie(&self, kept: &Kept) -> Result<String, Failure> {
        let text = serde_json::to_string(kept).map_err(|error| Failure::new(Kind::Fault, error.to_string()))?;
        Ok(self.sealer.seal(Purpose::OpenId, &text))
    }

    pub(super) fn nonce(&self, state: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.sealer.hash(Purpose::Nonce, state.as_bytes()))
    }

    pub(super) fn verifier(&self, state: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.sealer.hash(Purpose::Verifier, state.as_bytes()))
    }
}
