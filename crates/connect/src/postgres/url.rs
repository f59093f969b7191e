//! `postgresql://` URLs.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::{Config, Tls};

/// What a URL says, and the transport security that holds after URL and spec were weighed.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: tokio_postgres::Config,
    pub(super) tls: Tls,
    pub(super) ca_file: Option<PathBuf>,
    /// Longest wait for a connection with its login.
    pub(super) connect_timeout: Duration,
}

/// Longest wait for a TCP connection and the login, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Parses the URL of a connection. `sslmode` and `sslrootcert` are understood as libpq does; the stricter mode wins.
pub(super) fn parse(config: &Config) -> Result<Target, String> {
    let url = config.url.expose();
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut tls = config.tls;
    let mut ca_file = config.ca_file.clone();
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => tls = stricter(config.tls, mode)?,
            Some(("sslrootcert", path)) => ca_file = Some(PathBuf::from(path)),
            _ => rest.push(pair),
        }
    }
    let text = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    // The driver's words never quote the URL.
    let mut parsed = tokio_postgres::Config::from_str(&text).map_err(|error| error.to_string())?;
    if parsed.get_hosts().is_empty() {
        parsed.host("localhost");
    }
    if parsed.get_user().is_none() {
        parsed.user("postgres");
    }
    if parsed.get_application_name().is_none() {
        parsed.application_name("mcp-factory");
    }
    let connect_timeout = *parsed.get_connect_timeout().unwrap_or(&CONNECT_TIMEOUT);
    parsed.connect_timeout(connect_timeout);
    parsed.ssl_mode(match tls {
        Tls::Disable => tokio_postgres::config::SslMode::Disable,
        Tls::Prefer => tokio_postgres::config::SslMode::Prefer,
        Tls::Require | Tls::VerifyFull => tokio_postgres::config::SslMode::Require,
    });
    Ok(Target { config: parsed, tls, ca_file, connect_timeout })
}

fn stricter(ours: Tls, mode: &str) -> Result<Tls, String> {
    let theirs = match mode {
        "disable" => Tls::Disable,
        "allow" | "prefer" => Tls::Prefer,
        "require" => Tls::Require,
        "verify-ca" | "verify-full" => Tls::VerifyFull,
        _ => return Err(format!("sslmode `{mode}` is none of disable, prefer, require, verify-full")),
    };
    // `prefer` is what is asked when nothing is said, so a URL may say `disable`.
    Ok(if ours == Tls::Prefer { theirs } else { ours.max(theirs) })
}

#[cfg(test)]
mod tests {
    use base::Secret;

    use super::{Duration, Tls, parse};
    use crate::Config;

    fn config(url: &str, tls: Tls) -> Config {
        Config {
            name: "db".into(),
            url: Secret::new(url),
            schema: None,
            pool_max: 1,
            acquire_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(1),
            tls,
            ca_file: None,
        }
    }

    #[test]
    fn the_stricter_mode_wins() {
        for (url, tls, wanted) in [
            ("postgresql://h/d", Tls::Prefer, Tls::Prefer),
            ("postgresql://h/d?sslmode=disable", Tls::Prefer, Tls::Disable),
            ("postgresql://h/d?sslmode=disable", Tls::Require, Tls::Require),
            ("postgres://h/d?sslmode=verify-full&application_name=x", Tls::Require, Tls::VerifyFull),
        ] {
            assert_eq!(parse(&config(url, tls)).map(|target| target.tls), Ok(wanted), "{url}");
        }
    }

    #[test]
    fn mistakes_are_named_without_the_password() {
        for url in [
            "postgresql://u:hunter2@h:port/d",
            "postgresql://u:hunter2@h/d?sslmode=maybe",
            "postgresql://u:hunter2@h/d?bogus=1",
        ] {
            let error = parse(&config(url, Tls::Prefer)).err().expect(url);
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
