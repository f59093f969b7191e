//! One attempt: the request, its credentials, and the redirects that it meets.

use base::Secret;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use super::cache::Found;
use super::credentials::basic;
use super::sign::Signed;
use super::wire::ReadAs;
use super::{Api, Call, Credentials, Fetched, Redirects, Reply};
use crate::{Error, ErrorKind};

/// An answer and the token that it was asked with.
pub(super) type Exchanged = (Fetched, Option<Secret>);

impl Api {
    /// Sends a request once and follows redirects, each checked like the first URL. Credentials are left behind when the
    /// origin changes.
    pub(super) async fn exchange(&self, call: &Call) -> Result<Exchanged, Error> {
        let mut url = match &call.whole {
            Some(text) => self.whole(text, &call.query)?,
            None => self.url(&call.path, &call.query)?,
        };
        let mut method = call.method.clone();
        let mut headers = self.headers(call)?;
        let (mut bytes, kind) = call.body.encode().map_err(|why| self.error(ErrorKind::Value, why))?;
        if bytes.len() > self.settings.limits.request_bytes {
            let most = self.settings.limits.request_bytes;
            return Err(self.error(ErrorKind::Limit, format!("the body is larger than {most} bytes")));
        }
        if let Some(kind) = kind {
            self.insert(&mut headers, CONTENT_TYPE.as_str(), &kind)?;
        }
        let mut token = None;
        let read = ReadAs { most: call.answer_bytes, events: call.events.as_ref() };
        let cached = self.cache.as_ref().map_or(Found::Nothing, |cache| cache.find(call, &url, &headers));
        match &cached {
            Found::Fresh(reply) => {
                let url = self.wire.mask.text(url.as_str());
                return Ok((Fetched { reply: reply.clone(), url, redirected: false }, None));
            }
            Found::Stale(entry) => entry.ask(&mut headers),
            Found::Nothing => {}
        }
        for hop in 0..=self.settings.limits.redirects {
            let mut shown = headers.clone();
            let mut target = url.clone();
            if self.base.as_ref().is_some_and(|base| base.origin() == url.origin()) {
                token = self.show_credentials(&method, &mut target, &mut shown, &bytes, call.subject.as_ref()).await?;
            }
            let reply = self.wire.once(&method, &target, shown, bytes.clone(), read).await?;
            let mut reply = self.masked_reply(reply, token.iter().chain(self.secret_of(&call.subject)));
            if let Some(cache) = self.cache.as_ref().filter(|_| hop == 0) {
                reply = cache.keep(call, &url, &headers, &cached, reply);
            }
            let next = if call.redirects == Redirects::Keep { None } else { self.redirect(&url, &reply)? };
            let Some(next) = next else {
                return Ok((Fetched { reply, url: self.wire.mask.text(url.as_str()), redirected: hop > 0 }, token));
            };
            if call.redirects == Redirects::Refuse {
                return Err(
                    self.error(ErrorKind::Denied, "the upstream redirects, and redirects are not to be followed")
                );
            }
            if hop == 0
                && let Found::Stale(entry) = &cached
            {
                entry.unask(&mut headers);
            }
            let becomes_get = match reply.status {
                StatusCode::SEE_OTHER => method != Method::HEAD,
                StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
                _ => false,
            };
            if becomes_get {
                method = Method::GET;
                bytes = Bytes::new();
                headers.remove(CONTENT_TYPE);
            }
            if next.origin() != url.origin() {
                // What a caller put there may be a credential too.
                headers.remove(AUTHORIZATION);
                headers.remove(http::header::COOKIE);
            }
            url = next;
        }
        Err(self.error(ErrorKind::Other, format!("more than {} redirects", self.settings.limits.redirects)))
    }

    /// The URL of a call. The path stays below the base URL: nothing in it is resolved away.
    pub(super) fn url(&self, below: &str, query: &[(String, String)]) -> Result<Url, Error> {
        if !below.starts_with('/') && !below.is_empty() {
            return Err(self.error(ErrorKind::Value, "the path does not start with `/`"));
        }
        let none = || self.error(ErrorKind::Config, "the connection has no URL that a path could be below");
        let mut url = self.base.clone().ok_or_else(none)?;
        // Nothing below it is the URL as it was written.
        let path = if below.is_empty() {
            url.path().to_owned()
        } else {
            format!("{}{}", url.path().trim_end_matches('/'), below)
        };
        url.set_path(&path);
        if url.path() != path && !path.is_empty() {
            return Err(self.error(ErrorKind::Value, "the path is not encoded, or holds `.` or `..` as a segment"));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.policy.check(url.as_str()).map_err(|refused| self.error(ErrorKind::Denied, refused.to_string()))
    }

    /// A whole URL, checked before anything else of it is read. The query of the call replaces what the URL has under its names.
    fn whole(&self, text: &str, query: &[(String, String)]) -> Result<Url, Error> {
        let checked = |text: &str| {
            let checked = self.policy.check(text);
            checked.map_err(|refused| self.error(ErrorKind::Denied, refused.to_string()))
        };
        let mut url = checked(text)?;
        url.set_fragment(None);
        if query.is_empty() {
            return Ok(url);
        }
        let own: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let own = own.into_iter().filter(|(name, _)| !query.iter().any(|(other, _)| other == name));
        let all: Vec<(String, String)> = own.chain(query.iter().cloned()).collect();
        url.query_pairs_mut().clear().extend_pairs(all);
        checked(url.as_str())
    }

    /// Adds what the connection shows to its upstream; gives the token, when it is one that was fetched.
    pub(super) async fn show_credentials(
        &self,
        method: &Method,
        url: &mut Url,
        headers: &mut HeaderMap,
        body: &Bytes,
        subject: Option<&Secret>,
    ) -> Result<Option<Secret>, Error> {
        for (name, value) in &self.settings.secret_headers {
            // What a call says of its own goes before; what we say of ourselves does not.
            let ours = [ACCEPT, USER_AGENT].iter().any(|ours| ours.as_str().eq_ignore_ascii_case(name));
            if ours || !headers.contains_key(name) {
                self.insert(headers, name, value.expose())?;
            }
        }
        match &self.settings.credentials {
            Credentials::None => {}
            Credentials::Basic { user, password } => {
                self.insert(headers, "authorization", &format!("Basic {}", basic(user, password).expose()))?;
            }
            Credentials::Bearer(token) => {
                self.insert(headers, "authorization", &format!("Bearer {}", token.expose()))?;
            }
            Credentials::Header { name, value } => self.insert(headers, name, value.expose())?,
            Credentials::Query { name, value } => {
                url.query_pairs_mut().append_pair(name, value.expose());
            }
            Credentials::OAuth(_) => {
                let source = self.tokens.as_ref();
                let source = source.ok_or_else(|| self.error(ErrorKind::Config, "the connection has no token"))?;
                let token = source.token(subject).await?;
                self.insert(headers, "authorization", &format!("Bearer {}", token.expose()))?;
                return Ok(Some(token));
            }
            Credentials::SigV4(keys) => {
                let added = keys.sign(chrono::Utc::now(), method.as_str(), url, headers, body);
                let added = added.map_err(|why| self.error(ErrorKind::Config, why))?;
                added.iter().try_for_each(|(name, value)| self.insert(headers, name, value))?;
            }
            Credentials::Signing(signing) => {
                let signed = Signed { time: chrono::Utc::now(), method: method.as_str(), url, headers, body };
                let added = signing.sign(&signed).map_err(|why| self.error(ErrorKind::Config, why))?;
                added.iter().try_for_each(|(name, value)| self.insert(headers, name, value))?;
            }
        }
        Ok(None)
    }

    /// The token of the calling user; a name is no secret.
    pub(super) fn secret_of<'s>(&self, subject: &'s Option<Secret>) -> Option<&'s Secret> {
        subject.as_ref().filter(|_| self.subject() == super::Subject::Token)
    }

    /// An answer without the secrets of the connection and of the call.
    pub(super) fn masked_reply<'a>(&self, reply: Reply, further: impl Iterator<Item = &'a Secret> + Clone) -> Reply {
        let mask = &self.wire.mask;
        let text = |text: &str| mask.text_without(text, further.clone());
        let event = |event: super::Event| super::Event {
            event: text(&event.event),
            data: text(&event.data),
            id: event.id.map(|id| text(&id)),
        };
        Reply {
            headers: self.masked_headers(&reply.headers, further.clone()),
            body: mask.bytes_without(reply.body, further.clone()),
            events: reply.events.map(|events| events.into_iter().map(event).collect()),
            ..reply
        }
    }

    pub(super) fn masked_headers<'a>(
        &self,
        headers: &HeaderMap,
        further: impl Iterator<Item = &'a Secret> + Clone,
    ) -> HeaderMap {
        let masked = |value: &HeaderValue| {
            let bytes = self.wire.mask.bytes_without(Bytes::copy_from_slice(value.as_bytes()), further.clone());
            HeaderValue::from_maybe_shared(bytes).unwrap_or_else(|_| HeaderValue::from_static("***"))
        };
        headers.iter().map(|(name, value)| (name.clone(), masked(value))).collect()
    }

    /// Where an answer sends its reader, checked.
    fn redirect(&self, from: &Url, reply: &Reply) -> Result<Option<Url>, Error> {
        if !matches!(reply.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(location) = reply.headers.get(LOCATION) else { return Ok(None) };
        let refused = |why: String| self.error(ErrorKind::Denied, format!("the upstream redirects, and {why}"));
        let text = location.to_str().map_err(|_| refused("its `Location` is no plain text".to_owned()))?;
        // Written out in full it is checked as it stands: joining would smooth an odd spelling over.
        let absolute = text.find([':', '/', '?', '#']).is_some_and(|at| text[at..].starts_with(':'));
        let next = if absolute {
            text.to_owned()
        } else if text.contains('\\') {
            return Err(refused("its `Location` holds a backslash".to_owned()));
        } else if let Some(rest) = text.strip_prefix("//") {
            format!("{}://{rest}", from.scheme())
        } else {
            from.join(text).map_err(|error| refused(format!("its `Location` is no URL: {error}")))?.into()
        };
        self.policy.check(&next).map(Some).map_err(|error| refused(error.to_string()))
    }
}
