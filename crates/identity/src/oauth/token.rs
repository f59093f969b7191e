//! The token endpoint, and revocation (RFC 7009).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use store::oauth::{Exchanged, Grant, Hash, NewToken, TokenKind};

use super::authorize::seconds;
use super::client::{Client, Method};
use super::parameters::Parameters;
use super::refusal::Refusal;
use super::settings::Lifetimes;
use super::{ACCESS_PREFIX, Authority, REFRESH_PREFIX};
use crate::buckets::Taken;
use crate::scopes::Scopes;
use crate::seal::{self, Purpose};

/// Longest code or token that is looked up, bytes.
const TOKEN_BYTES_MAX: usize = 512;

/// New tokens, before it is known what for.
#[derive(Clone)]
struct Fresh {
    access: String,
    refresh: Option<String>,
    access_hash: Hash,
    refresh_hash: Option<Hash>,
    lifetimes: Lifetimes,
}

impl Fresh {
    /// The tokens as they are stored.
    fn stored(&self, scope: &str, refresh_scope: &str, now: i64) -> Vec<NewToken> {
        let token = |hash, kind, scope: &str, life| NewToken {
            hash,
            kind,
            scope: scope.to_owned(),
            expires_at: now + seconds(life),
        };
        let access = token(self.access_hash, TokenKind::Access, scope, self.lifetimes.access);
        let refresh =
            self.refresh_hash.map(|hash| token(hash, TokenKind::Refresh, refresh_scope, self.lifetimes.refresh));
        std::iter::once(access).chain(refresh).collect()
    }
}

/// Who brings a code or a refresh token, and for what.
struct Asker {
    realm: String,
    client: String,
    resource: Option<String>,
}

impl Asker {
    /// Whether a grant is this asker's.
    fn check(&self, grant: &Grant, wrong: fn() -> Refusal, what: &str) -> Result<(), Refusal> {
        if grant.realm != self.realm {
            return Err(wrong());
        }
        if grant.client != self.client {
            return Err(Refusal::grant(format!("the {what} was given to another client")));
        }
        if self.resource.as_ref().is_some_and(|resource| *resource != grant.resource) {
            return Err(Refusal::new(400, "invalid_target", format!("the {what} is for another `resource`")));
        }
        Ok(())
    }
}

impl Authority {
    /// Answers a request for tokens. `authorization` is the header, `issuer` the origin that was asked. Blocks for a
    /// store's write.
    ///
    /// # Errors
    /// As RFC 6749, section 5.2 has them.
    pub async fn token(
        &self,
        issuer: &str,
        address: IpAddr,
        authorization: Option<&str>,
        given: &Parameters,
    ) -> Result<Value, Refusal> {
        self.meter(address, async {
            let basic = authorization.map(basic).transpose()?;
            let grant_type = given.need("grant_type")?;
            let client = self.proven(basic.as_ref(), given).await?;
            match grant_type {
                "authorization_code" => self.redeem(issuer, &client, given),
                "refresh_token" => self.refresh(issuer, &client, given),
                _ => Err(Refusal::new(
                    400,
                    "unsupported_grant_type",
                    "the grant types are `authorization_code` and `refresh_token`",
                )),
            }
        })
        .await
    }

    /// Takes the force from a token and from all that was given with it. A token that is not known is as good as revoked.
    ///
    /// # Errors
    /// The client does not prove who it is; no token is named; the token is another client's (RFC 7009, section 2.1).
    pub async fn revoke(
        &self,
        address: IpAddr,
        authorization: Option<&str>,
        given: &Parameters,
    ) -> Result<(), Refusal> {
        self.meter(address, async {
            let basic = authorization.map(basic).transpose()?;
            let client = self.proven(basic.as_ref(), given).await?;
            let hash = self.token_hash(given.need("token")?);
            let now = self.clock.now();
            let known = self.store.oauth_token(&hash, now)?.filter(|token| token.grant.realm == self.settings.realm);
            if known.is_some_and(|token| token.grant.client != client.id) {
                return Err(Refusal::grant("the token was given to another client"));
            }
            let ended = self.store.oauth_revoke_token(&hash, &client.id, now)?;
            ended.iter().for_each(|grant| self.end(grant));
            Ok(())
        })
        .await
    }

    /// Counts what a stranger gets wrong.
    async fn meter<T>(&self, address: IpAddr, work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        if let Taken::No { wait } = self.failures.look(&address) {
            return Err(Refusal::too_many("failed requests", self.settings.limits.failures.spent("failures", wait)));
        }
        let outcome = work.await;
        if outcome.as_ref().is_err_and(|refusal| matches!(refusal.error, "invalid_client" | "invalid_grant")) {
            self.failures.take(&address);
        }
        outcome
    }

    pub(crate) fn token_hash(&self, token: &str) -> Hash {
        self.sealer.hash(Purpose::Token, token.as_bytes())
    }

    /// The program that a request is from.
    async fn proven(&self, basic: Option<&(String, String)>, given: &Parameters) -> Result<Client, Refusal> {
        let with = |refusal: Refusal| Refusal { basic: basic.is_some(), ..refusal };
        if basic.is_some() && given.get("client_secret").is_some() {
            // RFC 6749, section 2.3.
            return Err(Refusal::request(
                "a client proves in one way who it is: the `Authorization` header, or `client_secret`",
            ));
        }
        let id = match (basic, given.get("client_id")) {
            (Some((id, _)), Some(other)) if id != other => {
                return Err(with(Refusal::client("`client_id` is not the one of the `Authorization` header")));
            }
            (Some((id, _)), _) => id.as_str(),
            (None, Some(id)) => id,
            (None, None) => return Err(Refusal::client("`client_id` is missing")),
        };
        let client = self.client(id).await.map_err(|refusal| match refusal.error {
            "unauthorized_client" => with(Refusal::client("the client is not known here")),
            _ => refusal,
        })?;
        let secret = basic.map(|(_, secret)| secret.as_str()).or_else(|| given.get("client_secret"));
        let open = client.token_endpoint_auth_method == Method::None || client.secret_optional;
        match (&client.secret, secret.filter(|secret| !secret.is_empty())) {
            (None, _) if open => Ok(client),
            (_, None) if open => Ok(client),
            (_, None) => Err(with(Refusal::client("`client_secret` is missing"))),
            (Some(known), Some(secret)) if seal::same(known, &self.sealer.hash(Purpose::Client, secret.as_bytes())) => {
                Ok(client)
            }
            _ => Err(with(Refusal::client("`client_secret` is wrong"))),
        }
    }

    fn redeem(&self, issuer: &str, client: &Client, given: &Parameters) -> Result<Value, Refusal> {
        let (code, redirect_uri) = (given.need("code")?, given.need("redirect_uri")?.to_owned());
        let verifier = given.need("code_verifier")?.to_owned();
        let resource = self.resource(issuer, given)?;
        if code.len() > TOKEN_BYTES_MAX {
            return Err(wrong_code());
        }
        let now = self.clock.now();
        let fresh = self.fresh(client.refreshes())?;
        let (asker, tokens) = (self.asker(client, resource), fresh.clone());
        let hash = self.sealer.hash(Purpose::Code, code.as_bytes());
        let outcome = self.store.oauth_exchange_code(&hash, now, move |code| {
            if code.expires_at <= now {
                return Err((wrong_code(), false));
            }
            asker.check(&code.grant, wrong_code, "code").map_err(|refusal| (refusal, false))?;
            if code.redirect_uri != redirect_uri {
                return Err((Refusal::grant("`redirect_uri` is not the one that the code was sent to"), false));
            }
            // Whoever has the code and not its verifier is not the program that asked: the code has leaked, and is burnt.
            if !(43..=128).contains(&verifier.len()) || !seal::proves(&verifier, &code.challenge) {
                return Err((Refusal::grant("`code_verifier` does not fit the code's challenge"), true));
            }
            let scope = &code.grant.scope;
            Ok((tokens.stored(scope, scope, now), (code.grant.clone(), scope.clone())))
        });
        self.finish(outcome?, &fresh, now, wrong_code)
    }

    fn refresh(&self, issuer: &str, client: &Client, given: &Parameters) -> Result<Value, Refusal> {
        let token = given.need("refresh_token")?;
        let resource = self.resource(issuer, given)?;
        if token.len() > TOKEN_BYTES_MAX {
            return Err(wrong_refresh());
        }
        let narrow = given.get("scope").map(str::to_owned);
        let now = self.clock.now();
        let fresh = self.fresh(true)?;
        let (asker, tokens) = (self.asker(client, resource), fresh.clone());
        let leeway = seconds(self.settings.lifetimes.refresh_leeway);
        let outcome = self.store.oauth_exchange_refresh(&self.token_hash(token), now, leeway, move |token| {
            if token.expires_at <= now {
                return Err(wrong_refresh());
            }
            asker.check(&token.grant, wrong_refresh, "refresh token")?;
            let may = Scopes::parse(&token.scope).unwrap_or_default();
            let scope = match &narrow {
                None => may.to_string(),
                Some(asked) => Scopes::parse(asked)
                    .filter(|scopes| !scopes.is_empty() && may.cover(scopes))
                    .ok_or_else(|| Refusal::new(400, "invalid_scope", format!("`scope` is not within `{may}`")))?
                    .to_string(),
            };
            Ok((tokens.stored(&scope, &token.scope, now), (token.grant.clone(), scope)))
        });
        self.finish(outcome?, &fresh, now, wrong_refresh)
    }

    fn asker(&self, client: &Client, resource: Option<String>) -> Asker {
        Asker { realm: self.settings.realm.clone(), client: client.id.clone(), resource }
    }

    fn fresh(&self, refreshes: bool) -> Result<Fresh, Refusal> {
        let access = seal::secret(ACCESS_PREFIX)?;
        let refresh = if refreshes { Some(seal::secret(REFRESH_PREFIX)?) } else { None };
        Ok(Fresh {
            access_hash: self.token_hash(&access),
            refresh_hash: refresh.as_ref().map(|token| self.token_hash(token)),
            access,
            refresh,
            lifetimes: self.settings.lifetimes,
        })
    }

    /// What the program gets, once it is stored.
    fn finish(
        &self,
        outcome: Exchanged<(Grant, String), Refusal>,
        fresh: &Fresh,
        now: i64,
        wrong: fn() -> Refusal,
    ) -> Result<Value, Refusal> {
        let (grant, scope) = match outcome {
            Exchanged::Done(done) => done,
            Exchanged::Unknown => return Err(wrong()),
            Exchanged::Replayed { grant } => {
                tracing::warn!(%grant, "a code or refresh token came a second time; its grant was revoked");
                self.end(&grant);
                return Err(wrong());
            }
            Exchanged::Refused(refusal) => return Err(refusal),
        };
        let life = fresh.lifetimes.access;
        self.note(fresh.access_hash, now + seconds(life), &scope, &grant);
        let mut given = json!({
            "token_type": "Bearer",
            "access_token": fresh.access,
            "expires_in": life.as_secs(),
            "scope": scope,
        });
        if let Some(refresh) = &fresh.refresh {
            given["refresh_token"] = refresh.clone().into();
        }
        Ok(given)
    }
}

fn wrong_code() -> Refusal {
    Refusal::grant("the code is not known, was used, or has expired")
}

fn wrong_refresh() -> Refusal {
    Refusal::grant("the refresh token is not known, was used, or has expired")
}

/// Id and secret of an `Authorization: Basic` header. Both are form-encoded first (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Result<(String, String), Refusal> {
    let malformed = || Refusal { basic: true, ..Refusal::client("the `Authorization` header is no `Basic` one") };
    let (scheme, rest) = header.trim().split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let bytes = STANDARD.decode(rest.trim()).map_err(|_| malformed())?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (id, secret) = text.split_once(':').ok_or_else(malformed)?;
    let decoded = |text: &str| {
        // A lone value without `=` would be read as a name: it is given one.
        let joined = format!("v={}", text.replace('&', "%26"));
        url::form_urlencoded::parse(joined.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    Ok((decoded(id), decoded(secret)))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    #[test]
    fn basic_headers_are_decoded_twice_or_refused() {
        let header = |text: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
        assert_eq!(super::basic(&header("a:b")), Ok(("a".into(), "b".into())));
        assert_eq!(
            super::basic(&header("https%3A%2F%2Fc.example%2Fx:p%3Aq&r+s")),
            Ok(("https://c.example/x".into(), "p:q&r s".into()))
        );
        for bad in ["Basic", "Basic !!", "Bearer YTpi", &header("ab"), ""] {
            assert_eq!(super::basic(bad).map_err(|refusal| (refusal.status, refusal.basic)), Err((401, true)), "{bad}");
        }
    }
}
