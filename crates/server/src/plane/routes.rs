//! Which operation a path and a method mean.

use std::sync::OnceLock;

use http::{Method, Uri};
use operations::operation::{self, Erased};
use serde_json::{Map, Value};

/// A route with what reading requests needs of its operation.
pub(super) struct Route {
    pub(super) operation: &'static dyn Erased,
    parts: Vec<&'static str>,
    schema: OnceLock<Value>,
}

impl Route {
    /// The schema of a field of the input.
    pub(super) fn property(&self, name: &str) -> Option<&Value> {
        let schema = self.schema.get_or_init(|| self.operation.input_schema());
        schema.get("properties")?.get(name)
    }

    fn method(&self) -> Method {
        match self.operation.declared().method {
            operation::Method::Get => Method::GET,
            operation::Method::Post => Method::POST,
            operation::Method::Delete => Method::DELETE,
        }
    }

    /// The values of the placeholders when the path is this route's, and how many parts are literal.
    fn matched(&self, path: &[String]) -> Option<(usize, Map<String, Value>)> {
        if self.parts.len() != path.len() {
            return None;
        }
        let mut found = Map::new();
        for (part, given) in self.parts.iter().zip(path) {
            match placeholder(part) {
                Some(name) if !given.is_empty() => {
                    found.insert(name.to_owned(), given.as_str().into());
                }
                None if part == given => {}
                _ => return None,
            }
        }
        Some((self.parts.len() - found.len(), found))
    }
}

fn placeholder(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// What a path means.
pub(super) enum Found<'a> {
    /// This operation, with the values of the placeholders.
    Operation(&'a Route, Map<String, Value>),
    /// The path takes these methods, and not the one that was used.
    Methods(Vec<Method>),
    /// Nothing.
    Nothing,
}

/// Every route.
pub(super) struct Routes(Vec<Route>);

impl Routes {
    /// The routes of every operation.
    pub(super) fn new() -> Self {
        let route = |operation: &&'static dyn Erased| Route {
            operation: *operation,
            parts: operation.declared().path.split('/').skip(1).collect(),
            schema: OnceLock::new(),
        };
        Self(operations::all::all().iter().map(route).collect())
    }

    /// Finds what a path and a method mean. A path of words wins over one with placeholders.
    pub(super) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Some(parts) = parts(path) else { return Found::Nothing };
        let found: Vec<_> = self
            .0
            .iter()
            .filter_map(|route| route.matched(&parts).map(|(literal, map)| (literal, route, map)))
            .collect();
        let Some(most) = found.iter().map(|(literal, ..)| *literal).max() else { return Found::Nothing };
        let found = found.into_iter().filter(|(literal, ..)| *literal == most);
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let mut methods = Vec::new();
        for (_, route, map) in found {
            if route.method() == *wanted {
                return Found::Operation(route, map);
            }
            methods.push(route.method());
            if route.method() == Method::GET {
                methods.push(Method::HEAD);
            }
        }
        Found::Methods(methods)
    }

    /// Every path, for finding what was meant.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|route| route.operation.declared().path)
    }
}

/// The parts of a path, decoded; `None` when they cannot be. A slash at the end is no part.
fn parts(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').map(decoded).collect()
}

/// The path of a server without percent-encoding; nothing where there is none, or where it hides what is no part of a name.
pub(super) fn plain(uri: &Uri) -> Option<Uri> {
    if !uri.path().contains('%') || !uri.path().starts_with("/servers/") {
        return None;
    }
    let is_plain = |part: &String| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte));
    let parts = parts(uri.path())?;
    if !parts.iter().all(is_plain) {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("/{}{query}", parts.join("/")).parse().ok()
}

/// Undoes percent-encoding (RFC 3986, section 2.1).
fn decoded(part: &str) -> Option<String> {
    if !part.contains('%') {
        return Some(part.to_owned());
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{Found, Routes, decoded, plain};

    #[test]
    fn paths_and_methods_name_operations() {
        let routes = Routes::new();
        let name = |method: Method, path: &str| match routes.find(&method, path) {
            Found::Operation(route, map) => format!("{} {}", route.operation.declared().name, serde_json::json!(map)),
            Found::Methods(methods) => format!("{methods:?}"),
            Found::Nothing => "nothing".to_owned(),
        };
        assert_eq!(name(Method::POST, "/mcp/create"), "server.create {}");
        assert_eq!(name(Method::POST, "/mcp/create/"), "server.create {}");
        assert_eq!(name(Method::GET, "/mcp/servers/a%2Fb"), "server.status {\"name\":\"a/b\"}");
        assert_eq!(name(Method::HEAD, "/mcp/servers"), "server.list {}");
        assert_eq!(name(Method::PUT, "/mcp/servers/a"), "[GET, HEAD, DELETE]");
        assert_eq!(name(Method::GET, "/mcp/create"), "[POST]");
        for nothing in
            ["/mcp/nothing", "/", "", "mcp/servers", "/mcp/servers//", "/mcp/servers/%zz", "/mcp/servers/%ff"]
        {
            assert_eq!(name(Method::GET, nothing), "nothing", "{nothing}");
        }
        assert_eq!(decoded("%").as_deref(), None);
        assert_eq!(decoded("caf%C3%A9").as_deref(), Some("café"));
    }

    #[test]
    fn names_of_servers_may_be_encoded() {
        let told = |uri: &str| plain(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(told("/servers/%68ello/mcp?a=%20").as_deref(), Some("/servers/hello/mcp?a=%20"));
        for other in ["/servers/hello/mcp", "/servers/a%2Fmcp", "/servers/a%3Fb/mcp", "/servers/%zz/mcp", "/mcp%2F"] {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
