//! One attempt: the request, its credentials, and the redirects that it meets.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Error as ClientError;
use url::Url;

use super::body::{self, Body, Fault, Read};
use super::credentials::basic;
use super::events::Events;
use super::sign::Signed;
use super::{Api, Call, Credentials, Reply};
use crate::egress::Refused;
use crate::{Error, ErrorKind};

impl Api {
    /// Sends a request once and follows redirects, each checked like the first URL. Credentials are left behind when the
    /// origin changes.
    pub(super) async fn exchange(&self, call: &Call) -> Result<Reply, Error> {
        let mut url = self.url(call)?;
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
        for _ in 0..=self.settings.limits.redirects {
            let mut shown = headers.clone();
            let mut target = url.clone();
            if url.origin() == self.base.origin() {
                self.show_credentials(&method, &mut target, &mut shown, &bytes).await?;
            }
            let reply = self.once(&method, &target, shown, bytes.clone(), call.events.as_ref()).await?;
            let reply = self.masked_reply(reply);
            let Some(next) = self.redirect(&url, &reply)? else { return Ok(reply) };
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
    fn url(&self, call: &Call) -> Result<Url, Error> {
        if !call.path.starts_with('/') && !call.path.is_empty() {
            return Err(self.error(ErrorKind::Value, "the path does not start with `/`"));
        }
        let path = format!("{}{}", self.base.path().trim_end_matches('/'), call.path);
        let mut url = self.base.clone();
        url.set_path(&path);
        if url.path() != path && !path.is_empty() {
            return Err(self.error(ErrorKind::Value, "the path is not encoded, or holds `.` or `..` as a segment"));
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        self.policy.check(url.as_str()).map_err(|refused| self.error(ErrorKind::Denied, refused.to_string()))
    }

    async fn show_credentials(
        &self,
        method: &Method,
        url: &mut Url,
        headers: &mut HeaderMap,
        body: &Bytes,
    ) -> Result<(), Error> {
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
                let token = self.token().await?;
                self.insert(headers, "authorization", &format!("Bearer {}", token.expose()))?;
            }
            Credentials::Signing(signing) => {
                let signed = Signed {
                    timestamp: chrono::Utc::now().timestamp(),
                    method: method.as_str(),
                    host: url.host_str().unwrap_or_default(),
                    path: url.path(),
                    query: url.query().unwrap_or_default(),
                    body,
                };
                let added = signing.sign(&signed).map_err(|why| self.error(ErrorKind::Config, why))?;
                added.iter().try_for_each(|(name, value)| self.insert(headers, name, value))?;
            }
        }
        Ok(())
    }

    /// Sends one request to a checked URL and reads its answer, with whatever secrets are in it.
    async fn once(
        &self,
        method: &Method,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
        events: Option<&Events>,
    ) -> Result<Reply, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .body(Full::new(body))
            .map_err(|error| self.error(ErrorKind::Value, format!("the request cannot be written: {error}")))?;
        *request.headers_mut() = headers;
        let (head, answer) = self.client.request(request).await.map_err(|error| self.unsent(&error))?.into_parts();
        let most = self.settings.limits.answer_bytes;
        let read = body::read(&head.headers, answer, most, events).await.map_err(|fault| match fault {
            Fault::TooLarge => self.error(ErrorKind::Limit, format!("the answer is larger than {most} bytes")),
            Fault::Broken(why) => self.error(ErrorKind::Transient, format!("the answer cannot be read: {why}")),
        })?;
        let Read { bytes, events, truncated } = read;
        Ok(Reply { status: head.status, headers: head.headers, body: bytes, events, truncated })
    }

    fn masked_reply(&self, reply: Reply) -> Reply {
        let masked = |value: &HeaderValue| {
            let bytes = self.mask.bytes(Bytes::copy_from_slice(value.as_bytes()));
            HeaderValue::from_maybe_shared(bytes).unwrap_or_else(|_| HeaderValue::from_static("***"))
        };
        Reply {
            headers: reply.headers.iter().map(|(name, value)| (name.clone(), masked(value))).collect(),
            body: self.mask.bytes(reply.body),
            events: reply.events.map(|events| events.into_iter().map(|event| self.masked(event)).collect()),
            ..reply
        }
    }

    fn masked(&self, event: super::Event) -> super::Event {
        super::Event {
            event: self.mask.text(&event.event),
            data: self.mask.text(&event.data),
            id: event.id.map(|id| self.mask.text(&id)),
        }
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

    /// Says why a request brought no answer.
    fn unsent(&self, error: &ClientError) -> Error {
        let mut inner: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(source) = inner {
            let io = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            let held = io.and_then(|held| held.downcast_ref::<Refused>());
            if let Some(refused) = held.or_else(|| source.downcast_ref::<Refused>()) {
                return self.error(ErrorKind::Denied, refused.to_string());
            }
            inner = source.source();
        }
        let reason = body::reason(error);
        if error.is_connect() {
            let host = self.base.host_str().unwrap_or_default();
            return self.error(ErrorKind::Unreachable, format!("`{host}` cannot be reached: {reason}"));
        }
        self.error(ErrorKind::Transient, format!("the connection broke: {reason}"))
    }

    /// The token, fetched when there is none; callers that come meanwhile wait for the same one.
    async fn token(&self) -> Result<base::Secret, Error> {
        let Credentials::OAuth(oauth) = &self.settings.credentials else {
            return Err(self.error(ErrorKind::Config, "the connection has no token"));
        };
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.fresh() {
            return Ok(token);
        }
        let url = self
            .policy
            .check(&oauth.token_url)
            .map_err(|refused| self.error(ErrorKind::Denied, format!("the token URL {refused}")))?;
        let refresh = tokens.refresh.clone().or_else(|| oauth.refresh_token.clone());
        let (bytes, kind) =
            Body::Form(oauth.form(refresh.as_ref())).encode().map_err(|why| self.error(ErrorKind::Value, why))?;
        let mut headers = HeaderMap::new();
        self.insert(&mut headers, "accept", "application/json")?;
        self.insert(&mut headers, "content-type", &kind.unwrap_or_default())?;
        if let Some(value) = oauth.authorization() {
            self.insert(&mut headers, "authorization", &value)?;
        }
        // Not masked: a server may give the same tokens again. Nothing of it but a token leaves this function.
        let reply = self.once(&Method::POST, &url, headers, bytes, None).await?;
        if !reply.status.is_success() {
            let answer = serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap_or_default();
            let why = answer.get("error").and_then(serde_json::Value::as_str).unwrap_or("no reason").to_owned();
            let status = reply.status;
            let kind = if super::retry::is_transient(status) { ErrorKind::Transient } else { ErrorKind::Denied };
            return Err(self.error(kind, format!("the token endpoint answered {status}: {why}")));
        }
        let token = tokens.keep(&reply.body).map_err(|why| self.error(ErrorKind::Other, format!("no token: {why}")))?;
        self.mask.add_token(&token);
        tokens.refresh.iter().for_each(|refresh| self.mask.add_token(refresh));
        Ok(token)
    }

    /// Drops the token after the upstream refused it; false when the connection has none.
    pub(super) async fn forget_token(&self) -> bool {
        self.tokens.lock().await.access.take().is_some()
    }
}
