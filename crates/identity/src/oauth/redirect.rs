//! Where codes may be sent.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Longest redirect URI, bytes.
pub(crate) const URI_BYTES_MAX: usize = 2_048;

/// Schemes of programs that people know, which are no reverse domain names. Every other word may be one that a browser or the
/// system answers itself, such as `javascript:`, `search-ms:` or `smb:`.
const APP_SCHEMES: [&str; 16] = [
    "chatgpt",
    "claude",
    "codex",
    "cursor",
    "goose",
    "jetbrains",
    "kiro",
    "lmstudio",
    "perplexity",
    "raycast",
    "trae",
    "vscode",
    "vscode-insiders",
    "vscodium",
    "windsurf",
    "zed",
];

/// Programs that people know by name, and the hosts that their callbacks are at.
const KNOWN: [(&str, &[&str]); 4] = [
    ("perplexity", &["perplexity.ai", "*.perplexity.ai", "perplexity.com", "*.perplexity.com"]),
    ("claude", &["claude.ai", "claude.com"]),
    ("chatgpt", &["chatgpt.com", "chat.openai.com"]),
    ("composio", &["backend.composio.dev"]),
];

/// The hosts that codes may be sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedirectHosts(Vec<String>);

impl RedirectHosts {
    /// Reads entries: `claude.ai`, `*.example.com`, `example.com:8443` (a port that is not the usual one has to be named),
    /// `localhost` (every address and port of this machine), a scheme such as `cursor:`, or the name of a known program: `perplexity`, `claude`, `chatgpt`, `composio`.
    ///
    /// # Errors
    /// The entry that is none of these.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut list = Vec::new();
        for entry in entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty()) {
            let entry = entry.to_ascii_lowercase();
            if let Some((_, hosts)) = KNOWN.iter().find(|(name, _)| *name == entry) {
                list.extend(hosts.iter().map(|host| (*host).to_owned()));
                continue;
            }
            let name = entry.strip_prefix("*.").unwrap_or(&entry);
            let scheme = entry.strip_suffix(':').is_some_and(|scheme| is_scheme(scheme) && is_private(scheme));
            let name =
                name.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(name, |(name, _)| name);
            let host = Host::parse(name).is_ok_and(|host| host.to_string() == name)
                && (name.contains('.') || name == "localhost" || name.starts_with('['));
            if !scheme && !host {
                return Err(entry);
            }
            list.push(entry);
        }
        Ok(Self(list))
    }

    /// Whether codes may be sent to this URI.
    pub fn allow(&self, uri: &str) -> bool {
        let Ok(url) = Url::parse(uri) else { return false };
        if !matches!(url.scheme(), "http" | "https") {
            return self.0.iter().any(|entry| entry.strip_suffix(':') == Some(url.scheme()));
        }
        let Some(host) = url.host_str() else { return false };
        // At another port there may be another program; on loopback the port is any that was free.
        let at_port = url.port().filter(|_| !is_loopback(&url)).map(|port| format!("{host}:{port}"));
        let host = at_port.as_deref().unwrap_or(host);
        self.0.iter().any(|entry| match entry.strip_prefix('*') {
            Some(end) => host.len() > end.len() && host.ends_with(end),
            None => entry == host || (entry == "localhost" && is_loopback(&url)),
        })
    }

    /// The origins of these hosts, with `*` for those that stand for several.
    pub fn origins(&self) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .filter(|entry| !entry.ends_with(':') && *entry != "localhost")
            .map(|host| format!("https://{host}"))
    }
}

/// Whether a program may register this URI; otherwise why not.
pub(crate) fn check(uri: &str) -> Result<(), String> {
    let refused = |why: &str| Err(format!("the redirect URI {why}"));
    if uri.len() > URI_BYTES_MAX {
        return refused("is too long");
    }
    if !uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return refused("holds a space, a backslash or a character that is not ASCII");
    }
    let Ok(url) = Url::parse(uri) else { return refused("is no absolute URI") };
    if uri.contains('#') {
        return refused("has a fragment");
    }
    match url.scheme() {
        "https" => plain_authority(uri, &url),
        "http" if is_loopback(&url) => plain_authority(uri, &url),
        "http" => {
            refused("is plain http to another machine; use https, or http on loopback for a program on the user's own")
        }
        scheme if !is_private(scheme) => refused(
            "has a scheme that may be of the system or of any program; use https, loopback, or a reverse domain name such as \
             com.example.app: (RFC 8252, section 7.1)",
        ),
        _ if !url.username().is_empty() || url.password().is_some() => refused("holds credentials"),
        _ => Ok(()),
    }
}

/// Two programs that read an oddly written host differently are how codes are led astray.
fn plain_authority(uri: &str, url: &Url) -> Result<(), String> {
    let authority = uri.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().map(|port| format!("{host}:{port}")).unwrap_or_default();
    let plain = authority.eq_ignore_ascii_case(host) || authority.eq_ignore_ascii_case(&port);
    if plain && !host.ends_with('.') {
        Ok(())
    } else {
        Err("the redirect URI's host is not written plainly".to_owned())
    }
}

/// Whether an asked-for URI is a registered one: the same text. On loopback the port may be another, because a program
/// takes a free one (RFC 8252, section 7.3).
pub(crate) fn is_registered(asked: &str, registered: &[String]) -> bool {
    registered.iter().any(|known| known == asked || same_but_port(asked, known))
}

fn same_but_port(asked: &str, known: &str) -> bool {
    let here = |uri: &str| Url::parse(uri).is_ok_and(|url| url.scheme() == "http" && is_loopback(&url));
    check(asked).is_ok() && here(asked) && here(known) && without_port(asked) == without_port(known)
}

/// Scheme and host of a URI, and what follows its port, as they are written.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let start = uri.find("://")? + 3;
    let end = uri[start..].find(['/', '?']).map_or(uri.len(), |at| start + at);
    let (origin, rest) = uri.split_at(end);
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let host =
        origin[start..].rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(end, |(host, _)| start + host.len());
    Some((&origin[..host], rest))
}

/// Whether a URL is at this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(ip)) => ip == Ipv6Addr::LOCALHOST,
        None => false,
    }
}

/// Whether a scheme is one that a program of its own answers: a reverse domain name, or a known program's.
fn is_private(scheme: &str) -> bool {
    scheme.contains('.') || APP_SCHEMES.contains(&scheme)
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte))
}

/// The host of a URI for people; its scheme where it has none.
pub(crate) fn host(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else { return String::new() };
    match (url.scheme(), url.host_str()) {
        ("http" | "https", Some(host)) => host.to_owned(),
        (scheme, _) => format!("{scheme}:"),
    }
}

#[cfg(test)]
mod tests {
    use super::{RedirectHosts, check, is_registered};

    #[test]
    fn only_plain_uris_to_https_loopback_or_a_program_are_taken() {
        for good in [
            "https://www.perplexity.ai/rest/connections/oauth_callback",
            "https://claude.ai/api/mcp/auth_callback",
            "https://chatgpt.com/connector_platform_oauth_redirect",
            "https://example.com",
            "https://example.com:8443/a?b=c",
            "http://localhost:3334/oauth/callback",
            "http://127.0.0.1/callback",
            "http://[::1]:9/callback",
            "cursor://anysphere.cursor-deeplink/mcp/auth",
            "com.example.app:/callback",
            "vscode://vscode.github-authentication/did-authenticate",
            "windsurf://codeium.windsurf/callback",
            "claude://callback",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "search-ms:query=x",
            "ms-appinstaller:?source=x",
            "smb://host/x",
            "shell:x",
            "ms-settings:x",
            "file:///x",
            "data:text/html,x",
            "vbscript:x",
            "",
            "callback",
            "/callback",
            "http://example.com/cb",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil/",
            "https://example.com/#x",
            "https://user@example.com/",
            "https://claude.ai@evil.example/",
            "https://claude.ai\\@evil.example/",
            "https://claude.ai%2eevil.example/",
            "https://claude.ai./",
            "https://claude.ai /",
            "https://cl\u{430}ude.ai/",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://1.1/",
            "https:example.com/",
            "https:///x",
            "http://2130706433/",
            "http://0x7f.1/",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_registered_uri_is_matched_exactly_but_for_the_port_on_loopback() {
        let known = ["https://a.example/cb".to_owned(), "http://localhost/callback".to_owned()];
        for good in ["https://a.example/cb", "http://localhost/callback", "http://localhost:4711/callback"] {
            assert!(is_registered(good, &known), "{good}");
        }
        for bad in [
            "https://a.example/cb/",
            "https://a.example/cb?x=1",
            "https://a.example:443/cb",
            "https://A.example/cb",
            "https://a.example.evil/cb",
            "http://127.0.0.1/callback",
            "http://localhost:4711/x/../callback",
            "http://localhost:4711/%63allback",
            "http://localhost:4711/callback?",
            "http://LOCALHOST:4711/callback",
            "http://localhost:4711/other",
            "http://localhost:1@evil.example/callback",
        ] {
            assert!(!is_registered(bad, &known), "{bad}");
        }
    }

    #[test]
    fn hosts_are_exact_wild_or_known_by_name() {
        let hosts = RedirectHosts::parse([
            "perplexity",
            "claude.ai",
            "*.example.com",
            "localhost",
            "cursor:",
            "apps.example.org:8443",
        ])
        .unwrap();
        for good in [
            "https://www.perplexity.ai/x",
            "https://claude.ai/x",
            "https://claude.ai:443/x",
            "https://apps.example.org:8443/x",
            "https://a.b.example.com/",
            "http://127.0.0.1:7/",
            "http://[::1]/",
            "cursor://x",
        ] {
            assert!(hosts.allow(good), "{good}");
        }
        for bad in [
            "https://perplexity.ai.evil.example/",
            "https://evilperplexity.ai/",
            "https://sub.claude.ai/",
            "https://example.com/",
            "vscode://x",
            "https://evil.example/?claude.ai",
            "https://claude.ai:8443/x",
            "https://a.example.com:8443/",
            "https://apps.example.org/",
        ] {
            assert!(!hosts.allow(bad), "{bad}");
        }
        for bad in ["nonsense", "https://claude.ai", "javascript:", "search-ms:", "claude.ai:x", "a b.example", "*"] {
            assert!(RedirectHosts::parse([bad]).is_err(), "{bad}");
        }
    }
}
