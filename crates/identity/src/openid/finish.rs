//! The end of a sign-in: the browser comes back from the provider.

use std::sync::Arc;

use base::Secret;
use store::accounts::Identity;
use subtle::ConstantTimeEq as _;

use super::begin::Kept;
use super::claims::{self, Expected};
use super::failure::quoted;
use super::jwt::Jwt;
use super::person::{self, Person};
use super::provider::{ANSWER_BYTES_MAX, Metadata};
use super::redeem::Tokens;
use super::{Failure, Kind, OpenId};
use crate::oauth::Parameters;
use crate::seal::Purpose;

/// What came of a sign-in.
#[derive(Debug)]
pub struct Finished {
    /// Whether the browser began this here, and what it kept is of no more use.
    pub is_theirs: bool,
    /// Where the person was.
    pub back: Option<String>,
    /// Whether they were somewhere that is not known any more.
    pub has_forgotten: bool,
    /// Who it is.
    pub outcome: Result<Person, Failure>,
}

impl OpenId {
    /// Ends the sign-in of a browser that comes back to `redirect` with these parameters and what it kept.
    pub async fn finish(&self, given: &Parameters, cookie: Option<&str>, redirect: &str) -> Finished {
        match self.begun(given, cookie) {
            Ok(Kept { state, back, is_here, expires_at }) => {
                let back = if is_here { self.paths.take(&state, expires_at) } else { back };
                let outcome = self.answered(given, &state, redirect).await;
                Finished { is_theirs: true, has_forgotten: is_here && back.is_none(), back, outcome }
            }
            Err(why) => {
                let outcome = Err(Failure::new(Kind::Answer, why));
                Finished { is_theirs: false, has_forgotten: false, back: None, outcome }
            }
        }
    }

    /// The sign-in that an answer belongs to. It is answered once.
    fn begun(&self, given: &Parameters, cookie: Option<&str>) -> Result<Kept, &'static str> {
        let cookie = cookie.ok_or("the browser kept no cookie of a sign-in")?;
        let kept =
            self.sealer.unseal(Purpose::OpenId, cookie).and_then(|text| serde_json::from_str::<Kept>(&text).ok());
        let kept = kept.ok_or("the browser's cookie was not made here")?;
        let state = given.get("state").unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(kept.state.as_bytes())) {
            return Err("`state` is not that of the sign-in that the browser began last");
        }
        let now = self.clock.now();
        if kept.expires_at <= now {
            return Err("the sign-in was begun too long ago");
        }
        // Only a code gives anything twice; to make up other answers costs nobody anything.
        let has_code = given.get("code").is_some() && given.get("error").is_none();
        if has_code && !self.answered.take(&kept.state, kept.expires_at, now) {
            return Err("the sign-in was answered before");
        }
        Ok(kept)
    }

    async fn answered(&self, given: &Parameters, state: &str, redirect: &str) -> Result<Person, Failure> {
        let metadata = self.provider.metadata().await?;
        let mixed = |why: String| Err(Failure::new(Kind::Answer, why));
        match given.get("iss") {
            Some(issuer) if issuer != self.settings.issuer => {
                return mixed(format!("the answer is one of `{}`, and its code is shown to nobody", quoted(issuer)));
            }
            None if metadata.says_issuer => return mixed("the answer does not say whose it is (`iss`)".to_owned()),
            _ => {}
        }
        if let Some(error) = given.get("error") {
            let more = given.get("error_description").map(|more| format!(": {}", quoted(more))).unwrap_or_default();
            return Err(Failure::new(Kind::Declined, format!("the provider answers `{}`{more}", quoted(error))));
        }
        let Some(code) = given.get("code") else {
            return mixed("the answer has neither `code` nor `error`".to_owned());
        };
        let tokens = self.redeem(&metadata, code, &self.verifier(state), redirect).await?;
        self.person(&metadata, &tokens, &self.nonce(state)).await
    }

    /// Who the tokens are about.
    async fn person(&self, metadata: &Metadata, tokens: &Tokens, nonce: &str) -> Result<Person, Failure> {
        let bad = |why: String| Failure::new(Kind::Token, format!("the ID token cannot be taken: {why}"));
        let mut jwt = Jwt::parse(tokens.id.expose()).map_err(bad)?;
        self.provider.verify(metadata, &jwt).await?;
        let access = tokens.access.as_ref().map(Secret::expose);
        let (issuer, client, now) = (&self.settings.issuer, &self.settings.client_id, self.clock.now());
        claims::check(&jwt, &Expected { issuer, client, nonce, access, now }).map_err(bad)?;
        let lacks = person::lacks(&jwt.claims, self.settings.allow.names_groups());
        if let (Some(access), Some(url)) = (access, metadata.person.as_ref().filter(|_| lacks))
            && !self.knows(person::subject(&jwt.claims).map_err(bad)?).await?
        {
            const WHAT: &str = "what the provider says of the person";
            let asked = self.provider.fetch.get(WHAT, url, ANSWER_BYTES_MAX, Some(access)).await;
            let fetched = asked.map_err(|why| Failure::new(Kind::Provider, why))?;
            let said = fetched.value.as_object().cloned().unwrap_or_default();
            if person::subject(&said).ok() != person::subject(&jwt.claims).ok() {
                return Err(bad(format!("{WHAT} is about somebody else")));
            }
            person::add(&mut jwt.claims, said);
        }
        Person::read(&jwt.claims).map_err(bad)
    }
    /// Whether somebody has an account: then nothing more has to be known of them.
    async fn knows(&self, subject: &str) -> Result<bool, Failure> {
        let identity = Identity { issuer: self.settings.issuer.clone(), subject: subject.to_owned() };
        let store = Arc::clone(&self.store);
        let looked = tokio::task::spawn_blocking(move || store.account_of(&identity)).await;
        let found = looked.map_err(|error| Failure::new(Kind::Fault, error.to_string()))?;
        Ok(found?.is_some())
    }
}
