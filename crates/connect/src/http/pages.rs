//! Answers in pages, followed to a bound.

use std::collections::HashSet;

use http::Method;
use http::header::LINK;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Api, Call, Reply, Select};
use crate::{Error, ErrorKind};

/// How the pages of an answer are followed.
#[derive(Clone, Debug)]
pub struct Pages {
    /// Where the items are in each answer.
    pub items: Select,
    /// How the next page is found.
    pub turn: Turn,
    /// Most pages.
    pub pages_max: usize,
    /// Most items.
    pub items_max: usize,
}

/// How the next page is found.
#[derive(Clone, Debug)]
pub enum Turn {
    /// A number of the page in the query, counted up; a page without items is the last.
    Page {
        /// The parameter's name.
        name: String,
        /// The first page's number.
        first: u64,
    },
    /// How many items were seen, in the query; a page without items is the last.
    Offset {
        /// The parameter's name.
        name: String,
    },
    /// A cursor from the answer, in the query of the next request; none, empty or null ends.
    Cursor {
        /// The parameter's name.
        name: String,
        /// Where the cursor is in an answer.
        from: Select,
    },
    /// The header `Link` with `rel="next"` (RFC 8288).
    Link,
    /// A URL in the answer.
    Next {
        /// Where the URL is.
        from: Select,
    },
}

/// What the pages held.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The items of all pages, in order.
    pub items: Vec<Value>,
    /// Pages that were read.
    pub pages: usize,
    /// Whether there is more than the bounds allow.
    pub truncated: bool,
    /// The last answer; the one that failed when its status is no success.
    pub last: Reply,
}

impl Api {
    /// Reads pages until the last one or a bound. An answer that is no success ends them: look at [`Collected::last`].
    /// The URL of a next page has to be on the origin of the base URL, below its path; after a call to a whole URL, on one of the
    /// hosts that those may be on.
    pub async fn collect(
        &self,
        call: &Call,
        pages: &Pages,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Collected, Error> {
        if call.method != Method::GET && matches!(pages.turn, Turn::Link | Turn::Next { .. }) {
            return Err(self.error(ErrorKind::Config, "pages with links are read with GET"));
        }
        let mut call = call.clone();
        let mut items: Vec<Value> = Vec::new();
        let mut bytes = 0;
        if let Turn::Page { name, first } = &pages.turn {
            set(&mut call, name, first.to_string());
        }
        let mut seen = HashSet::new();
        for read in 1.. {
            let last = self.send(&call, deadline, cancel).await?;
            if !last.status.is_success() {
                return Ok(Collected { items, pages: read, truncated: false, last });
            }
            bytes += last.body.len();
            if bytes > self.settings.limits.answer_bytes {
                let most = self.settings.limits.answer_bytes;
                return Err(self.error(ErrorKind::Limit, format!("the pages together are larger than {most} bytes")));
            }
            let answer: Value = serde_json::from_slice(&last.body)
                .map_err(|error| self.error(ErrorKind::Other, format!("page {read} is no JSON: {error}")))?;
            let found = match pages.items.pick(&answer) {
                Some(Value::Array(found)) => found,
                Some(Value::Null) | None => Vec::new(),
                Some(_) => return Err(self.error(ErrorKind::Other, format!("the items of page {read} are no array"))),
            };
            let is_empty = found.is_empty();
            items.extend(found);
            seen.insert((call.whole.clone(), call.path.clone(), call.query.clone()));
            let more = self.turn(&mut call, &pages.turn, &answer, &last, read, items.len(), is_empty)?;
            if more && seen.contains(&(call.whole.clone(), call.path.clone(), call.query.clone())) {
                let why = format!("page {read} names itself or an earlier one as the next one");
                return Err(self.error(ErrorKind::Other, why));
            }
            if items.len() > pages.items_max || (more && (items.len() == pages.items_max || read >= pages.pages_max)) {
                items.truncate(pages.items_max);
                return Ok(Collected { items, pages: read, truncated: true, last });
            }
            if !more {
                return Ok(Collected { items, pages: read, truncated: false, last });
            }
        }
        Err(self.error(ErrorKind::Limit, "there are too many pages"))
    }

    /// Makes the request of the next page; false when there is none.
    #[expect(clippy::too_many_arguments, reason = "everything that a page can say about the next one")]
    fn turn(
        &self,
        call: &mut Call,
        turn: &Turn,
        answer: &Value,
        reply: &Reply,
        read: usize,
        seen: usize,
        is_empty: bool,
    ) -> Result<bool, Error> {
        let text = |from: &Select| match from.pick(answer) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let url = match turn {
            Turn::Page { name, first } => {
                set(call, name, first.saturating_add(read as u64).to_string());
                return Ok(!is_empty);
            }
            Turn::Offset { name } => {
                set(call, name, seen.to_string());
                return Ok(!is_empty);
            }
            Turn::Cursor { name, from } => {
                let Some(cursor) = text(from) else { return Ok(false) };
                set(call, name, cursor);
                return Ok(true);
            }
            Turn::Link => reply.headers.get_all(LINK).iter().find_map(|value| next_link(value.to_str().ok()?)),
            Turn::Next { from } => text(from),
        };
        match url {
            Some(url) => self.follow(call, &url).map(|()| true),
            None => Ok(false),
        }
    }

    fn follow(&self, call: &mut Call, text: &str) -> Result<(), Error> {
        let denied = |why: &str| self.error(ErrorKind::Denied, format!("the URL of the next page {why}"));
        if let Some(whole) = &call.whole {
            let here = Url::parse(whole).map_err(|_| denied("cannot be read"))?;
            let next = here.join(text).map_err(|_| denied("cannot be read"))?;
            // It is checked like every whole URL when it is asked for.
            call.whole = Some(next.into());
            call.query.clear();
            return Ok(());
        }
        let base = self.base.as_ref().ok_or_else(|| denied("is below no base URL"))?;
        let mut here = base.clone();
        here.set_path(&format!("{}{}", base.path().trim_end_matches('/'), call.path));
        let url = Url::options().base_url(Some(&here)).parse(text).map_err(|_| denied("cannot be read"))?;
        let path = url.path().strip_prefix(base.path().trim_end_matches('/'));
        let path = path.filter(|path| path.is_empty() || path.starts_with('/'));
        match path {
            Some(path) if url.origin() == base.origin() => path.clone_into(&mut call.path),
            _ => return Err(denied("is not below the base URL of the connection")),
        }
        call.query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        // A key that an upstream echoes in its links was masked, and is added again by the connection.
        if let super::Credentials::Query { name, .. } = &self.settings.credentials {
            call.query.retain(|(key, _)| key != name);
        }
        Ok(())
    }
}

fn set(call: &mut Call, name: &str, value: String) {
    call.query.retain(|(key, _)| key != name);
    call.query.push((name.to_owned(), value));
}

/// The target of `rel="next"` in a `Link` header.
fn next_link(value: &str) -> Option<String> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let (parameters, next) = after.split_once('<').map_or((after, ""), |(first, _)| (first, &after[first.len()..]));
        let is_next = parameters.split(';').any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && value.split(' ').any(|word| word.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target.to_owned());
        }
        rest = next;
    }
    None
}
