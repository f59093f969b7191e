//! How hosts may be written, and names that never leave a network.

use url::Url;

use super::Refused;

/// Most characters of a URL that an error shows.
const SHOWN_CHARS: usize = 120;

/// Ends of names that stand for machines of the operator.
const PRIVATE_ENDS: [&str; 9] =
    [".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home", ".corp", ".home.arpa"];

/// Names of metadata services.
const METADATA: [&str; 5] =
    ["metadata.google.internal", "metadata.goog", "instance-data.ec2.internal", "metadata.azure.internal", "metadata"];

/// A URL for an error: cut, without credentials and query.
pub(super) fn shown(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (start, rest) = text.split_once("//").map_or(("", text), |(start, rest)| (&text[..start.len() + 2], rest));
    let end = rest.find('/').unwrap_or(rest.len());
    let rest = rest[..end].rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let clean: String = start
        .chars()
        .chain(rest.chars())
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(SHOWN_CHARS)
        .collect();
    format!("`{clean}`")
}

/// Refuses every spelling of a host but the plain one: two programs that read an odd one differently are how checks are
/// passed by.
pub(super) fn check_spelling(text: &str, url: &Url) -> Result<(), Refused> {
    let refused = |why: &str| Err(Refused::new(shown(text), why));
    if !url.username().is_empty() || url.password().is_some() {
        return refused("it holds credentials; declare them in `auth`");
    }
    let Some((_, rest)) = text.split_once("://") else {
        return refused("`//` is missing after the scheme");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return refused("it holds an `@` before the host");
    }
    let host = match authority.rfind(':') {
        Some(at) if !authority[at..].contains(']') => {
            let port = &authority[at + 1..];
            if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) || url.port() == Some(0) {
                return refused("its port is no number from 1 to 65535");
            }
            &authority[..at]
        }
        _ => authority,
    };
    match url.host_str() {
        Some(plain) if host.eq_ignore_ascii_case(plain) => Ok(()),
        Some(plain) => refused(&format!("its host is not written plainly; it would mean `{plain}`")),
        None => refused("it names no host"),
    }
}

/// Checks a name before it is looked up.
pub(super) fn check_name(name: &str, private: bool) -> Result<(), Refused> {
    let name = name.to_ascii_lowercase();
    let refused = |why: &str| Err(Refused::new(format!("host `{name}`"), why));
    if name.ends_with('.') {
        return refused("a name is written without a dot at its end");
    }
    if METADATA.contains(&name.as_str()) {
        return refused("it is a cloud's metadata service");
    }
    if !private && (!name.contains('.') || PRIVATE_ENDS.iter().any(|end| name.ends_with(end))) {
        return refused(
            "it is a name of this machine or of a private network; only the operator of this server can allow those",
        );
    }
    Ok(())
}
