//! A sign-in at one server: its tokens, and how there come to be some.

use std::sync::Arc;
use std::time::Duration;

use base::Secret;
use connect::Error;
use connect::http;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::browser::{Boxed, Browser};
use super::challenge::Challenge;
use super::discover::{Found, discover};
use super::fetch::Fetch;
use super::grant::{Given, Teller, agreed};
use super::kept::{Held, Keep, Kept};
use super::refused;
use super::register::Identity;

/// The scope that asks for tokens which outlive the presence of a person (OpenID Connect Core, section 11).
const OFFLINE: &str = "offline_access";
/// For how long another process may take to renew the tokens: more than a request may take.
const HOLD_MAX: Duration = Duration::from_secs(120);
/// After how long it is looked again whether it has ended.
const HOLD_AGAIN: Duration = Duration::from_millis(50);

/// What a user may say of a sign-in.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A client that was registered before.
    pub client_id: Option<String>,
    /// Its secret.
    pub secret: Option<Secret>,
    /// Its key, PEM (PKCS #8) of the curve P-256, in place of a secret.
    pub key: Option<Secret>,
    /// The address of a document that describes the client, where authorization servers take one.
    pub document: Option<String>,
    /// Scopes that are asked for whatever the server says.
    pub scopes: Vec<String>,
    /// The program signs in for itself: nobody is asked.
    pub itself: bool,
    /// Servers of 2025-03-26, which say nothing of themselves, give their tokens themselves.
    pub legacy: bool,
}

/// A sign-in at one server.
pub struct Login {
    pub(super) at: Url,
    pub(super) fetch: Fetch,
    options: Options,
    keep: Arc<dyn Keep>,
    person: Option<Arc<dyn Browser>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_loaded: bool,
    kept: Option<Kept>,
}

/// A new token.
pub(crate) struct Renewed {
    pub(crate) token: Secret,
    /// Whether somebody was asked for it.
    pub(crate) was_asked: bool,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("at", &self.at.as_str()).finish_non_exhaustive()
    }
}

impl Login {
    /// A sign-in at the server of this address; `settings` say how servers are reached. Nothing is sent.
    pub fn new(
        at: Url,
        settings: &http::Settings,
        options: Options,
        keep: Arc<dyn Keep>,
        person: Option<Arc<dyn Browser>>,
    ) -> Self {
        let fetch = Fetch::new(&settings.name, settings, &at);
        Self { at, fetch, options, keep, person, state: Mutex::default() }
    }

    /// The token, if there is one; it is renewed when its time is over.
    pub(crate) async fn token(self: &Arc<Self>) -> Result<Option<Secret>, Error> {
        if let Some(kept) = self.state.lock().await.kept.as_ref().filter(|kept| kept.is_fresh()) {
            return Ok(Some(kept.access()));
        }
        let login = Arc::clone(self);
        self.to_its_end(Box::pin(async move { login.current().await })).await
    }

    async fn current(&self) -> Result<Option<Secret>, Error> {
        let mut state = self.state.lock().await;
        if !state.is_loaded {
            self.load(&mut state)?;
        }
        match &state.kept {
            Some(kept) if kept.is_fresh() => return Ok(Some(kept.access())),
            Some(_) => {}
            None => return Ok(None),
        }
        let _held = self.hold(&mut state).await?;
        if let Some(kept) = state.kept.as_ref().filter(|kept| kept.is_fresh()) {
            return Ok(Some(kept.access()));
        }
        let issuer = state.kept.as_ref().map(|kept| kept.issuer.clone()).unwrap_or_default();
        Box::pin(self.refresh(&mut state, &issuer)).await
    }

    /// Gets another token after a refusal; nothing when no token would help.
    pub(crate) async fn challenged<'a>(
        self: &Arc<Self>,
        status: u16,
        headers: impl Iterator<Item = &'a str>,
        used: Option<&Secret>,
    ) -> Result<Option<Renewed>, Error> {
        let (login, challenge, used) = (Arc::clone(self), Challenge::read(headers), used.cloned());
        self.to_its_end(Box::pin(async move { login.renewed(status, &challenge, used.as_ref()).await })).await
    }

    async fn renewed(
        &self,
        status: u16,
        challenge: &Challenge,
        used: Option<&Secret>,
    ) -> Result<Option<Renewed>, Error> {
        if status != 401 && !(status == 403 && challenge.wants_more()) {
            return Ok(None);
        }
        let mut state = self.state.lock().await;
        self.load(&mut state)?;
        let other = |state: &State| Some(state.kept.as_ref().filter(|kept| kept.is_fresh())?.access());
        let other = |state: &State| other(state).filter(|token| Some(token) != used);
        if let Some(token) = other(&state) {
            return Ok(Some(Renewed { token, was_asked: false }));
        }
        let found = Box::pin(discover(&self.fetch, &self.at, challenge, self.options.legacy)).await?;
        let before = state.kept.as_ref().filter(|kept| kept.issuer == found.server.issuer);
        let known = before.map(|kept| kept.scopes.clone()).unwrap_or_default();
        let scopes = self.scopes(challenge, &found, &known);
        if status == 403 && used.is_some() && scopes.iter().all(|scope| known.contains(scope)) {
            // All of it was asked for already: asking again gives no more.
            return Ok(None);
        }
        if status == 401 && used.is_some() {
            let _held = self.hold(&mut state).await?;
            let token = match other(&state) {
                Some(token) => Some(token),
                None => Box::pin(self.refresh(&mut state, &found.server.issuer)).await?,
            };
            if let Some(token) = token {
                return Ok(Some(Renewed { token, was_asked: false }));
            }
        }
        let kept = Box::pin(self.grant(&found, scopes, state.kept.as_ref())).await?;
        self.save(&kept)?;
        let token = kept.access();
        state.kept = Some(kept);
        Ok(Some(Renewed { token, was_asked: true }))
    }

    /// Who gave the tokens, and for which scopes.
    pub(super) async fn known(&self) -> Option<(String, Vec<String>)> {
        self.state.lock().await.kept.as_ref().map(|kept| (kept.issuer.clone(), kept.scopes.clone()))
    }

    /// The scopes to ask for: what was asked for before, and what the server wants, or else what it knows.
    fn scopes(&self, challenge: &Challenge, found: &Found, before: &[String]) -> Vec<String> {
        let wanted = if challenge.scopes.is_empty() { &found.scopes } else { &challenge.scopes };
        let mut scopes: Vec<String> = before.to_vec();
        let more = wanted.iter().chain(&self.options.scopes);
        more.for_each(|scope| {
            if !scopes.contains(scope) {
                scopes.push(scope.clone())
            }
        });
        let lasts = !self.options.itself && found.server.scopes.iter().any(|scope| scope == OFFLINE);
        if lasts && !scopes.is_empty() && scopes.iter().all(|scope| scope != OFFLINE) {
            scopes.push(OFFLINE.to_owned());
        }
        scopes
    }

    /// Renews the tokens where this issuer gave them; nothing when they cannot be renewed.
    async fn refresh(&self, state: &mut State, issuer: &str) -> Result<Option<Secret>, Error> {
        let Some(kept) = state.kept.clone().filter(|kept| kept.issuer == issuer) else { return Ok(None) };
        let Some(refresh) = kept.refresh().map(str::to_owned) else { return Ok(None) };
        let endpoint = self.fetch.check("the token endpoint", &kept.token_endpoint)?;
        let teller = Teller {
            fetch: &self.fetch,
            issuer,
            endpoint: &endpoint,
            client: &kept.client,
            key: self.options.key.as_ref(),
            resource: kept.resource.as_deref(),
        };
        let asked = teller.ask(vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh)]).await?;
        let (kept, token) = match asked {
            Given::Tokens(tokens) => {
                let renewed = kept.renewed(tokens);
                let token = renewed.access();
                (renewed, Some(token))
            }
            Given::Spent => return Ok(None),
            Given::Unknown(_) => (kept.forgotten(), None),
        };
        self.save(&kept)?;
        state.kept = Some(kept);
        Ok(token)
    }

    /// Gets tokens anew.
    async fn grant(&self, found: &Found, scopes: Vec<String>, before: Option<&Kept>) -> Result<Kept, Error> {
        let (fetch, server) = (&self.fetch, &found.server);
        let named = Identity::named(fetch, &self.options, server)?;
        let (client, grant) = if self.options.itself {
            let none =
                || refused(&fetch.name, "a program signs in for itself only as a client that was registered before");
            let mut grant = vec![("grant_type", "client_credentials".to_owned())];
            if !scopes.is_empty() {
                grant.push(("scope", scopes.join(" ")));
            }
            (named.ok_or_else(none)?, grant)
        } else {
            if !server.has_s256 {
                let why =
                    format!("the authorization server `{}` has no PKCE with S256, which is not safe", server.issuer);
                return Err(refused(&fetch.name, why));
            }
            // A registration is good at the server that made it alone.
            let earlier = before.filter(|kept| kept.issuer == server.issuer).map(|kept| kept.client.clone());
            let earlier = earlier.filter(|client| client.redirect.is_some());
            let person = self.person.as_ref().ok_or_else(|| self.nobody())?;
            let at = earlier.as_ref().and_then(|client| client.redirect.clone());
            let listening = person.listen(at).await.map_err(|why| refused(&fetch.name, why))?;
            let redirect = listening.redirect();
            let client = match (named, earlier.filter(|client| client.redirect.as_ref() == Some(&redirect))) {
                (Some(named), _) => named,
                (None, Some(earlier)) => earlier,
                (None, None) => Identity::register(fetch, server, &redirect).await?,
            };
            let grant = agreed(fetch, found, &client, &scopes, listening).await?;
            (client, grant)
        };
        let teller = Teller {
            fetch,
            issuer: &server.issuer,
            endpoint: &server.token,
            client: &client,
            key: self.options.key.as_ref(),
            resource: found.resource.as_deref(),
        };
        let none = || refused(&fetch.name, "the token endpoint did not take what the authorization server gave");
        let tokens = match teller.ask(grant).await? {
            Given::Tokens(tokens) => tokens,
            Given::Spent => return Err(none()),
            Given::Unknown(error) => return Err(error),
        };
        Ok(Kept::new(server, found.resource.clone(), client, scopes, tokens))
    }

    fn nobody(&self) -> Error {
        let mut error =
            refused(&self.fetch.name, "the server wants somebody to sign in, and nobody is here to be asked");
        error.hint = Some(format!("sign in: `mcp-factory connect {} --login`", self.at));
        error
    }

    /// Waits until no other process renews the tokens, and reads what that one kept: a refresh token that is used twice
    /// is good for nothing, and may end the whole sign-in (RFC 9700, section 4.14.2).
    async fn hold(&self, state: &mut State) -> Result<Held, Error> {
        let give_up = Instant::now() + HOLD_MAX;
        let held = loop {
            if let Some(held) = self.keep.hold().map_err(|why| refused(&self.fetch.name, why))? {
                break held;
            }
            if Instant::now() >= give_up {
                return Err(refused(&self.fetch.name, "another process renews the sign-in and does not end"));
            }
            tokio::time::sleep(HOLD_AGAIN).await;
        };
        self.load(state)?;
        Ok(held)
    }

    /// Goes on when whoever waits goes away: a refresh token that was shown and not replaced is lost, and the sign-in with it.
    async fn to_its_end<T: Send + 'static>(&self, work: Boxed<'static, Result<T, Error>>) -> Result<T, Error> {
        let broken = |why| Err(refused(&self.fetch.name, format!("signing in broke off: {why}")));
        tokio::spawn(work).await.unwrap_or_else(broken)
    }

    fn load(&self, state: &mut State) -> Result<(), Error> {
        let text = self.keep.load().map_err(|why| refused(&self.fetch.name, why))?;
        // What cannot be understood was written by another version: somebody signs in anew.
        let kept: Option<Kept> = text.and_then(|text| serde_json::from_str(&text).ok());
        state.kept = kept.filter(|kept| self.fits(kept));
        state.is_loaded = true;
        Ok(())
    }

    /// Whether what was kept is what the user asks for now.
    fn fits(&self, kept: &Kept) -> bool {
        let Options { client_id, scopes, .. } = &self.options;
        client_id.as_ref().is_none_or(|id| *id == kept.client.id)
            && scopes.iter().all(|scope| kept.scopes.contains(scope))
    }

    fn save(&self, kept: &Kept) -> Result<(), Error> {
        let text = serde_json::to_string(kept).unwrap_or_default();
        self.keep.save(&text).map_err(|why| refused(&self.fetch.name, why))
    }
}
