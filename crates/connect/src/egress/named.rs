//! Endpoints that somebody else's metadata name, such as those of an authorization server.

use url::{Host, Url};

/// Reads an endpoint: `https`, or `http` of this machine where whoever names it is of this machine too (`is_local`); without
/// a user and without a fragment.
///
/// # Errors
/// Says what is wrong with it, to stand behind its name.
pub fn endpoint(text: &str, is_local: bool) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no URL")?;
    let is_plain_here = url.scheme() == "http" && is_local && is_loopback(&url);
    if url.scheme() != "https" && !is_plain_here {
        return Err("is not https");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("holds a user or a fragment");
    }
    Ok(url)
}

/// Whether a URL is of this machine, whatever a name server says.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn what_is_plain_stays_on_this_machine() {
        for text in ["https://id.example.com/token?x=1", "https://localhost/token", "https://[::1]/token"] {
            assert!(endpoint(text, true).is_ok() && endpoint(text, false).is_ok(), "{text}");
        }
        for text in
            ["http://localhost:9/token", "http://LOCALHOST/token", "http://127.0.0.9/token", "http://[::1]/token"]
        {
            assert!(endpoint(text, true).is_ok(), "{text}");
            assert_eq!(endpoint(text, false).unwrap_err(), "is not https", "{text}");
        }
        for (text, why) in [
            ("token", "is no URL"),
            ("http://id.example.com/token", "is not https"),
            ("http://127.0.0.1.example.com/token", "is not https"),
            ("ftp://localhost/token", "is not https"),
            ("https://u@id.example.com/token", "holds a user or a fragment"),
            ("https://:p@id.example.com/token", "holds a user or a fragment"),
            ("https://id.example.com/token#x", "holds a user or a fragment"),
        ] {
            assert_eq!(endpoint(text, true).unwrap_err(), why, "{text}");
        }
    }
}
