//! URLs of Redis servers.

use base::Secret;
use url::Url;

use super::Settings;
use crate::{Tls, percent};

/// Port when the URL gives none.
const PORT: u16 = 6379;

/// Where a server is and how to log in.
pub(super) struct Location {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: u32,
    pub(super) tls: Tls,
}

/// Reads `redis://user:password@host:port/database`, percent-decoded. The error is a sentence without the URL in it.
pub(super) fn parse(settings: &Settings) -> Result<Location, String> {
    let url = Url::parse(settings.url.expose()).map_err(|error| format!("the URL cannot be read: {error}"))?;
    let secure = match url.scheme() {
        "redis" | "valkey" => false,
        "rediss" | "valkeys" => true,
        "redis+unix" | "unix" => return Err("Unix sockets are not supported; use `redis://host:port`".to_owned()),
        "redis+sentinel" | "redis-sentinel" => {
            return Err("sentinels are not asked; give the URL of the server itself".to_owned());
        }
        other => return Err(format!("the scheme `{other}` is none of `redis` and `rediss`")),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("the URL names no host")?;
    if let Some((key, _)) = url.query_pairs().next() {
        return Err(format!("the URL parameter `{key}` is not known; there are none"));
    }
    let path = url.path().trim_matches('/');
    let database = if path.is_empty() { Ok(0) } else { path.parse() };
    let tls = match settings.tls {
        Some(tls) if secure => tls.max(Tls::Require),
        Some(tls) => tls,
        None if secure => Tls::VerifyFull,
        None => Tls::Disable,
    };
    Ok(Location {
        host: decode(host)?,
        port: url.port().unwrap_or(PORT),
        user: Some(decode(url.username())?).filter(|user| !user.is_empty()),
        password: url.password().map(|text| decode(text).map(Secret::new)).transpose()?,
        database: database.map_err(|_| "the URL's path is the number of a database, such as `/0`".to_owned())?,
        tls,
    })
}

fn decode(text: &str) -> Result<String, String> {
    percent::decode(text).ok_or_else(|| "the URL's percent-encoding is not valid UTF-8".to_owned())
}
