//! Answers that are kept as long as their upstream allows, and asked for again with their validators (RFC 9111).
//!
//! Only plain reads of one connection are kept, after masking, in memory, up to a bound. A request for a user
//! ([`Call::subject`]) and one with credentials of its own is never answered from here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    AGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, COOKIE, DATE, ETAG, EXPIRES, HeaderName,
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use parking_lot::Mutex;
use tokio::time::Instant;
use url::Url;

use super::{Call, Reply};

/// An answer larger than this part of the cache is not kept.
const LARGEST: usize = 4;
/// What an entry costs beside its body, about.
const OVERHEAD: usize = 512;
/// Longest time that an answer is taken for fresh, whatever its upstream says.
const FRESH_MAX: Duration = Duration::from_secs(86_400 * 7);
/// With these headers a caller asks for something of its own.
const OWN: [HeaderName; 9] = [
    AUTHORIZATION,
    COOKIE,
    RANGE,
    CACHE_CONTROL,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
    IF_RANGE,
];

/// Which answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caching {
    /// Most bytes of all answers together.
    pub bytes_max: usize,
}

impl Default for Caching {
    fn default() -> Self {
        Self { bytes_max: 8 << 20 }
    }
}

/// The answers of a connection.
pub(super) struct Cache {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<String, (Arc<Entry>, u64)>,
    bytes: usize,
    clock: u64,
}

/// One answer.
pub(super) struct Entry {
    reply: Reply,
    /// The headers of the request that `Vary` names.
    varied: Vec<(HeaderName, Option<HeaderValue>)>,
    stored: Instant,
    fresh_until: Instant,
    size: usize,
}

/// What is known of a request's answer.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// An answer that may be given again.
    Fresh(Reply),
    /// An answer that the upstream may say is still good.
    Stale(Arc<Entry>),
}

impl Cache {
    pub(super) fn new(caching: Caching) -> Self {
        Self { bytes_max: caching.bytes_max, kept: Mutex::default() }
    }

    pub(super) fn find(&self, call: &Call, url: &Url, headers: &HeaderMap) -> Found {
        if !may_keep(call, headers) {
            return Found::Nothing;
        }
        let mut kept = self.kept.lock();
        kept.clock += 1;
        let now = kept.clock;
        let Some((entry, seen)) = kept.entries.get_mut(url.as_str()) else { return Found::Nothing };
        if entry.varied.iter().any(|(name, value)| headers.get(name) != value.as_ref()) {
            return Found::Nothing;
        }
        *seen = now;
        if entry.fresh_until <= Instant::now() {
            return Found::Stale(Arc::clone(entry));
        }
        let mut reply = entry.reply.clone();
        reply.headers.insert(AGE, HeaderValue::from(entry.stored.elapsed().as_secs()));
        Found::Fresh(reply)
    }

    /// Takes note of an answer; gives the one that the caller is to see.
    pub(super) fn keep(&self, call: &Call, url: &Url, headers: &HeaderMap, found: &Found, reply: Reply) -> Reply {
        if !is_read(&call.method) {
            if reply.status.is_success() || reply.status.is_redirection() {
                self.kept.lock().remove(url.as_str());
            }
            return reply;
        }
        let reply = match found {
            Found::Stale(entry) if reply.status == StatusCode::NOT_MODIFIED => entry.renewed(&reply),
            _ => reply,
        };
        if may_keep(call, headers) {
            let mut kept = self.kept.lock();
            kept.remove(url.as_str());
            if let Some(entry) = Entry::of(&reply, headers)
                && entry.size <= self.bytes_max / LARGEST
            {
                kept.add(url.to_string(), entry, self.bytes_max);
            }
        }
        reply
    }
}

impl Kept {
    fn remove(&mut self, url: &str) {
        if let Some((entry, _)) = self.entries.remove(url) {
            self.bytes -= entry.size;
        }
    }

    fn add(&mut self, url: String, entry: Entry, most: usize) {
        while self.bytes + entry.size > most {
            let oldest = self.entries.iter().min_by_key(|(_, (_, seen))| *seen).map(|(url, _)| url.clone());
            let Some(oldest) = oldest else { break };
            self.remove(&oldest);
        }
        self.clock += 1;
        self.bytes += entry.size;
        self.entries.insert(url, (Arc::new(entry), self.clock));
    }
}

impl Entry {
    /// An answer that may be kept, with the time for which it may be given again.
    fn of(reply: &Reply, request: &HeaderMap) -> Option<Self> {
        let control = Control::of(&reply.headers);
        if reply.status != StatusCode::OK || control.no_store || reply.truncated {
            return None;
        }
        let mut varied = Vec::new();
        for name in reply.headers.get_all(VARY).iter().flat_map(|value| value.to_str().unwrap_or("*").split(',')) {
            let name = HeaderName::try_from(name.trim()).ok().filter(|name| name.as_str() != "*")?;
            varied.push((name.clone(), request.get(&name).cloned()));
        }
        let fresh = if control.no_cache { Duration::ZERO } else { control.fresh(&reply.headers).min(FRESH_MAX) };
        let validated = [ETAG, LAST_MODIFIED].iter().any(|name| reply.headers.contains_key(name));
        if fresh.is_zero() && !validated {
            return None;
        }
        let headers: usize = reply.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let stored = Instant::now();
        let size = reply.body.len() + headers + OVERHEAD;
        Some(Self { reply: reply.clone(), varied, stored, fresh_until: stored + fresh, size })
    }

    /// Adds the question whether it is still good.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        let held = &self.reply.headers;
        for (validator, question) in [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)] {
            held.get(validator).and_then(|value| headers.insert(question, value.clone()));
        }
    }

    /// Takes the question back, for another URL.
    pub(super) fn unask(&self, headers: &mut HeaderMap) {
        headers.remove(IF_NONE_MATCH);
        headers.remove(IF_MODIFIED_SINCE);
    }

    /// The answer with what the upstream now says of it.
    fn renewed(&self, not_modified: &Reply) -> Reply {
        let mut reply = self.reply.clone();
        for (name, value) in &not_modified.headers {
            if *name != CONTENT_LENGTH && *name != CONTENT_ENCODING {
                reply.headers.insert(name, value.clone());
            }
        }
        reply
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

fn may_keep(call: &Call, headers: &HeaderMap) -> bool {
    let own = |name: &HeaderName| {
        headers.contains_key(name) && call.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name.as_str()))
    };
    call.method == Method::GET && call.events.is_none() && call.subject.is_none() && !OWN.iter().any(own)
}

/// What `Cache-Control` says (RFC 9111, section 5.2.2).
#[derive(Default)]
struct Control {
    no_store: bool,
    no_cache: bool,
    max_age: Option<Duration>,
}

impl Control {
    fn of(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
        for part in values.flat_map(|value| value.split(',')) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" => control.no_store = true,
                "no-cache" => control.no_cache = true,
                // What cannot be read counts as no time at all.
                "max-age" => {
                    let seconds = value.trim().trim_matches('"').parse().unwrap_or_default();
                    control.max_age = Some(Duration::from_secs(seconds));
                }
                _ => {}
            }
        }
        control
    }

    /// For how long the answer is fresh from now.
    fn fresh(&self, headers: &HeaderMap) -> Duration {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let age = Duration::from_secs(text(AGE).and_then(|age| age.trim().parse().ok()).unwrap_or_default());
        let date = |text: &str| chrono::DateTime::parse_from_rfc2822(text).ok();
        let life = self.max_age.or_else(|| {
            let until = text(EXPIRES).and_then(date)?;
            let from = text(DATE).and_then(date).map_or_else(chrono::Utc::now, |date| date.to_utc());
            until.to_utc().signed_duration_since(from).to_std().ok()
        });
        life.unwrap_or_default().saturating_sub(age)
    }
}
