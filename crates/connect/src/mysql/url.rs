//! URLs of MySQL and MariaDB servers.

use std::path::PathBuf;

use crate::{Config, Tls};

/// Port of both when the URL gives none.
const PORT: u16 = 3306;

/// Where a server is and how to log in. Has no `Debug`: it holds the password.
#[derive(Clone)]
pub(super) struct Location {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) socket: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
    pub(super) tls: Tls,
    pub(super) ca_file: Option<PathBuf>,
}

/// Reads `mysql://user:password@host:port/database?parameters`, percent-decoded. Parameters:
/// `ssl-mode` (or `sslmode`, `ssl_mode`; MySQL's and PostgreSQL's words), `ssl-ca`, `socket`,
/// `charset` (must be `utf8mb4`). `VERIFY_CA` is taken as `VERIFY_IDENTITY`.
///
/// The error is a sentence without the URL in it.
pub(super) fn parse(config: &Config) -> Result<Location, String> {
    let url = url::Url::parse(config.url.expose()).map_err(|error| format!("the URL cannot be read: {error}"))?;
    let host = match url.host_str() {
        Some("") | None => "localhost",
        // An IPv6 address without its brackets.
        Some(host) => host.trim_start_matches('[').trim_end_matches(']'),
    };
    let database = decode(url.path().trim_start_matches('/'))?;
    if database.contains('/') {
        return Err("the URL's path names more than a database".to_owned());
    }
    let mut location = Location {
        host: decode(host)?,
        port: url.port().unwrap_or(PORT),
        socket: None,
        user: Some(decode(url.username())?).filter(|user| !user.is_empty()),
        password: url.password().map(decode).transpose()?,
        database: Some(database).filter(|name| !name.is_empty()),
        tls: config.tls,
        ca_file: config.ca_file.clone(),
    };
    for (key, value) in url.query_pairs() {
        match key.as_ref() {
            "ssl-mode" | "sslmode" | "ssl_mode" => location.tls = location.tls.max(tls(&value)?),
            "ssl-ca" | "sslrootcert" | "ssl_ca" => location.ca_file = Some(PathBuf::from(value.as_ref())),
            "socket" => location.socket = Some(value.into_owned()),
            "charset" if value == "utf8mb4" => {}
            "charset" => return Err(format!("`charset={value}`: only `utf8mb4` is spoken, which holds all texts")),
            _ => {
                return Err(format!(
                    "the URL parameter `{key}` is not known; `ssl-mode`, `ssl-ca`, `socket` and `charset` are"
                ));
            }
        }
    }
    Ok(location)
}

fn tls(word: &str) -> Result<Tls, String> {
    Ok(match word.to_ascii_lowercase().replace('-', "_").as_str() {
        "disabled" | "disable" => Tls::Disable,
        "preferred" | "prefer" => Tls::Prefer,
        "required" | "require" => Tls::Require,
        "verify_ca" | "verify_identity" | "verify_full" => Tls::VerifyFull,
        _ => {
            return Err(format!(
                "`ssl-mode={word}` is none of `DISABLED`, `PREFERRED`, `REQUIRED`, `VERIFY_CA`, `VERIFY_IDENTITY`"
            ));
        }
    })
}

fn decode(text: &str) -> Result<String, String> {
    crate::percent::decode(text).ok_or_else(|| "the URL's percent-encoding is not valid UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Tls, parse};
    use crate::Config;

    fn config(url: &str) -> Config {
        let (name, url) = ("db".to_owned(), base::Secret::new(url));
        let time = Duration::from_secs(1);
        Config {
            name,
            url,
            schema: None,
            pool_max: 1,
            acquire_timeout: time,
            idle_timeout: time,
            tls: Tls::Prefer,
            ca_file: None,
            gate: None,
        }
    }

    #[test]
    fn a_url_has_host_login_database_and_tls() {
        let found =
            parse(&config("mariadb://me:p%40ss%2F@db.example:3307/my%20shop?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem"))
                .unwrap();
        assert_eq!((found.host.as_str(), found.port, found.tls), ("db.example", 3307, Tls::VerifyFull));
        assert_eq!((found.user.as_deref(), found.password.as_deref()), (Some("me"), Some("p@ss/")));
        assert_eq!((found.database.as_deref(), found.ca_file.unwrap().to_str()), (Some("my shop"), Some("/ca.pem")));
        let found = parse(&config("mysql://[::1]")).unwrap();
        assert_eq!(
            (found.host.as_str(), found.port, found.user, found.database, found.tls),
            ("::1", 3306, None, None, Tls::Prefer)
        );
        let found = parse(&config("mysql://root@localhost/a?socket=/run/s&sslmode=disable")).unwrap();
        assert_eq!((found.socket.as_deref(), found.tls), (Some("/run/s"), Tls::Prefer), "the stricter one wins");
    }

    #[test]
    fn wrong_urls_are_refused() {
        for url in [
            "mysql://h:99999/",
            "mysql://h/a/b",
            "mysql://h/?ssl-mode=maybe",
            "mysql://h/?timeout=3",
            "mysql://h/?charset=latin1",
        ] {
            assert!(parse(&config(url)).is_err(), "{url}");
        }
    }
}
