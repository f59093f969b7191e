//! `postgresql://` URLs.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::Host;

use crate::egress::{Closed, Gate};
use crate::{Config, Tls};

/// Port when the URL gives none.
const PORT: u16 = 5432;

/// What a URL says, and the transport security that holds after URL and spec were weighed.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: tokio_postgres::Config,
    /// The same without hosts, addresses and ports.
    bare: tokio_postgres::Config,
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
    let mut bare = tokio_postgres::Config::from_str(&without_hosts(base, &rest)).map_err(|error| error.to_string())?;
    bare.user(parsed.get_user().unwrap_or_default());
    bare.application_name(parsed.get_application_name().unwrap_or_default());
    bare.connect_timeout(connect_timeout);
    bare.ssl_mode(parsed.get_ssl_mode());
    Ok(Target { config: parsed, bare, tls, ca_file, connect_timeout })
}

/// The URL without what says where the server is.
fn without_hosts(base: &str, query: &[&str]) -> String {
    let start = base.find("://").map_or(0, |at| at + 3);
    let end = base[start..].find('/').map_or(base.len(), |at| start + at);
    let login = base[start..end].rfind('@').map_or("", |at| &base[start..=start + at]);
    let kept =
        query.iter().filter(|pair| !["host", "hostaddr", "port"].contains(&pair.split('=').next().unwrap_or_default()));
    let query = kept.copied().collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{login}{}{mark}{query}", &base[..start], &base[end..])
}

impl Target {
    /// The driver's settings with addresses that were checked in place of names, so that it looks nothing up itself.
    pub(super) async fn checked(&self, gate: &Gate) -> Result<tokio_postgres::Config, Closed> {
        let (hosts, given, ports) = (self.config.get_hosts(), self.config.get_hostaddrs(), self.config.get_ports());
        let mut checked = self.bare.clone();
        let mut sockets = 0;
        for (nth, host) in hosts.iter().enumerate() {
            let port = ports.get(nth).or_else(|| ports.first()).copied().unwrap_or(PORT);
            let name = match host {
                Host::Tcp(name) => name,
                #[cfg(unix)]
                Host::Unix(path) => {
                    gate.local(&path.display().to_string())?;
                    checked.host_path(path);
                    checked.port(port);
                    sockets += 1;
                    continue;
                }
            };
            let addresses = match given.get(nth) {
                Some(address) => gate.addresses(&address.to_string()).await?,
                None => gate.addresses(name).await?,
            };
            for address in addresses {
                checked.host(name);
                checked.hostaddr(address);
                checked.port(port);
            }
        }
        if sockets > 0 && sockets < hosts.len() {
            return Err(Closed::Unknown("the URL names a socket and other hosts; name one kind".to_owned()));
        }
        Ok(checked)
    }
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
            gate: None,
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
