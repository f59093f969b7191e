//! What a browser does: follows redirects, and keeps cookies for each origin.

use std::collections::{BTreeMap, HashMap};

use super::super::client::{Answer, ask};
use super::super::people::form;

/// More redirects than any sign-in has.
const REDIRECTS_MAX: usize = 20;

/// A browser.
#[derive(Default)]
pub(super) struct Browser {
    cookies: HashMap<String, BTreeMap<String, String>>,
}

/// A page, and where it is.
pub(super) struct Page {
    pub(super) url: String,
    pub(super) answer: Answer,
}

impl Browser {
    /// Opens a page.
    pub(super) fn open(&mut self, url: &str) -> Page {
        self.follow(url.to_owned(), None)
    }

    /// Sends a form.
    pub(super) fn send(&mut self, url: &str, pairs: &[(&str, &str)]) -> Page {
        self.follow(url.to_owned(), Some(form(pairs)))
    }

    /// The cookies for an origin, as a header.
    pub(super) fn cookies(&self, origin: &str) -> String {
        let all = self.cookies.get(origin).into_iter().flatten();
        all.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// One request.
    pub(super) fn ask(&mut self, url: &str, body: Option<&str>) -> Answer {
        let (origin, path) = parts(url);
        let address = origin.strip_prefix("http://").expect("an address of this machine");
        let method = if body.is_some() { "POST" } else { "GET" };
        let body = body.unwrap_or_default();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nConnection: close\r\nHost: {address}\r\nAccept: text/html\r\nOrigin: {origin}\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.cookies(origin),
            body.len()
        );
        let answer = ask(address, &text).expect("an answer");
        let jar = self.cookies.entry(origin.to_owned()).or_default();
        for (_, set) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            match value.is_empty() || set.contains("Max-Age=0") {
                true => drop(jar.remove(name)),
                false => drop(jar.insert(name.to_owned(), value.to_owned())),
            }
        }
        answer
    }

    fn follow(&mut self, mut url: String, mut body: Option<String>) -> Page {
        for _ in 0..REDIRECTS_MAX {
            let answer = self.ask(&url, body.take().as_deref());
            match answer.header("location").filter(|_| (300..400).contains(&answer.status)) {
                Some(to) if to.starts_with('/') => url = format!("{}{to}", parts(&url).0),
                Some(to) if to.starts_with("http://127.0.0.1:") => url = to.to_owned(),
                // A page that is nowhere in this test.
                _ => return Page { url, answer },
            }
        }
        panic!("{url} leads nowhere");
    }

    /// Opens a page that leads to the provider, and signs in there as somebody, who lets the control plane know them.
    pub(super) fn sign_in(&mut self, url: &str, name: &str) -> Page {
        let mut page = self.open(url);
        while let Some((_, rest)) = page.answer.body.split_once("name=\"prompt\" value=\"") {
            let prompt = rest.split('"').next().expect("a question").to_owned();
            let pairs = [("prompt", prompt.as_str()), ("login", name), ("password", "x")];
            page = self.send(&page.url.clone(), &pairs);
        }
        page
    }
}

/// The origin and the path of a URL.
fn parts(url: &str) -> (&str, &str) {
    let at = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    let (origin, path) = url.split_at(at);
    (origin, if path.is_empty() { "/" } else { path })
}
