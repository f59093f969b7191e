//! URLs of MongoDB servers: <https://www.mongodb.com/docs/manual/reference/connection-string/>.

use std::path::PathBuf;

use base::Secret;

use super::Settings;
use crate::{Tls, percent};

/// Port when the URL gives none.
const PORT: u16 = 27017;
/// Most servers that a URL may name.
const SEEDS_MAX: usize = 16;

/// Where one server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Who logs in, and how.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Secret,
    /// The database that knows the user.
    pub(super) source: String,
    pub(super) mechanism: Option<Mechanism>,
}

/// How a password is shown to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    Sha1,
    Sha256,
}

/// What a URL says.
pub(super) struct Location {
    pub(super) seeds: Vec<Address>,
    pub(super) login: Option<Login>,
    pub(super) database: Option<String>,
    pub(super) replica_set: Option<String>,
    pub(super) direct: bool,
    pub(super) tls: Tls,
    pub(super) ca_file: Option<PathBuf>,
}

/// Options that change nothing here, with those of their values that say what is done anyway.
const WITHOUT_EFFECT: &[(&str, &[&str])] = &[
    ("appname", &[]),
    ("compressors", &[]),
    ("maxpoolsize", &[]),
    ("minpoolsize", &[]),
    ("maxidletimems", &[]),
    ("connecttimeoutms", &[]),
    ("sockettimeoutms", &[]),
    ("serverselectiontimeoutms", &[]),
    ("heartbeatfrequencyms", &[]),
    ("localthresholdms", &[]),
    ("retrywrites", &[]),
    ("retryreads", &[]),
    ("w", &["majority", "1"]),
    ("journal", &["true"]),
    ("readpreference", &["primary", "primarypreferred", "secondarypreferred", "nearest"]),
    ("uuidrepresentation", &["standard"]),
    ("loadbalanced", &["false"]),
];

/// Reads the URL. The error is a sentence without the URL in it.
pub(super) fn parse(settings: &Settings) -> Result<Location, String> {
    let text = settings.url.expose();
    if text.starts_with("mongodb+srv:") {
        return Err("`mongodb+srv:` needs records of names that are not looked up here; use the standard form with \
                    all servers, `mongodb://user:password@host1:port,host2:port/database?tls=true&replicaSet=…`, which \
                    Atlas shows for older drivers"
            .to_owned());
    }
    let rest = text.strip_prefix("mongodb://").ok_or("the URL does not begin with `mongodb://`")?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (Some(login), hosts),
        None => (None, authority),
    };
    let database = Some(decode(path.trim_start_matches('/'))?).filter(|name| !name.is_empty());
    let mut location = Location {
        seeds: hosts.split(',').map(address).collect::<Result<_, _>>()?,
        login: None,
        database: database.clone().or_else(|| settings.database.clone()),
        replica_set: None,
        direct: false,
        tls: settings.tls.unwrap_or(Tls::Disable),
        ca_file: settings.ca_file.clone(),
    };
    if location.seeds.len() > SEEDS_MAX {
        return Err(format!("the URL names more than {SEEDS_MAX} servers"));
    }
    let (mut source, mut mechanism, mut lax) = (None, None, false);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or("an option of the URL has no value")?;
        let value = decode(value)?;
        match key.to_ascii_lowercase().as_str() {
            "authsource" => source = Some(value),
            "authmechanism" => mechanism = Some(mechanism_of(&value)?),
            "replicaset" => location.replica_set = Some(value),
            "directconnection" => location.direct = truth(key, &value)?,
            "tls" | "ssl" if truth(key, &value)? => {
                location.tls = location.tls.max(settings.tls.unwrap_or(Tls::VerifyFull))
            }
            "tls" | "ssl" => {}
            "tlsinsecure" | "tlsallowinvalidcertificates" => lax = truth(key, &value)?,
            "tlscafile" => location.ca_file = Some(PathBuf::from(value)),
            other => without_effect(other, &value)?,
        }
    }
    if lax && settings.tls.is_none() && location.tls == Tls::VerifyFull {
        location.tls = Tls::Require;
    }
    location.login = login.map(|login| login_of(login, source, database, mechanism)).transpose()?;
    Ok(location)
}

fn without_effect(key: &str, value: &str) -> Result<(), String> {
    match WITHOUT_EFFECT.iter().find(|(known, _)| *known == key) {
        Some((_, [])) => Ok(()),
        Some((_, values)) if values.contains(&value.to_ascii_lowercase().as_str()) => Ok(()),
        Some((_, values)) => Err(format!("the URL's `{key}={value}` is not supported; {} are", values.join(", "))),
        None => Err(format!(
            "the URL's option `{key}` is not known; `authSource`, `authMechanism`, `replicaSet`, `directConnection`, \
             `tls`, `tlsCAFile` and `tlsAllowInvalidCertificates` have an effect"
        )),
    }
}

fn login_of(
    login: &str,
    source: Option<String>,
    database: Option<String>,
    mechanism: Option<Mechanism>,
) -> Result<Login, String> {
    let (user, password) = login.split_once(':').ok_or("the URL names a user without a password")?;
    Ok(Login {
        user: decode(user)?,
        password: Secret::new(decode(password)?),
        source: source.or(database).unwrap_or_else(|| "admin".to_owned()),
        mechanism,
    })
}

fn mechanism_of(word: &str) -> Result<Mechanism, String> {
    match word {
        "SCRAM-SHA-1" => Ok(Mechanism::Sha1),
        "SCRAM-SHA-256" => Ok(Mechanism::Sha256),
        other => Err(format!("the login `{other}` is not supported; `SCRAM-SHA-256` and `SCRAM-SHA-1` are")),
    }
}

fn truth(key: &str, value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("the URL's option `{key}` is `true` or `false`"))
}

/// Reads `host`, `host:port` or `[address]:port`.
pub(super) fn address(text: &str) -> Result<Address, String> {
    let (host, port) = match text.rfind(':') {
        Some(at) if !text[at..].contains(']') => (&text[..at], &text[at + 1..]),
        _ => (text, ""),
    };
    let port = if port.is_empty() { Some(PORT) } else { port.parse().ok().filter(|port| *port > 0) };
    if host.is_empty() || host.contains(['/', '%']) {
        return Err("the URL names no host, or the path of a Unix socket, which is not supported".to_owned());
    }
    Ok(Address { host: host.to_owned(), port: port.ok_or("a port is a number from 1 to 65535")? })
}

fn decode(text: &str) -> Result<String, String> {
    percent::decode(text).ok_or_else(|| "the URL's percent-encoding is not valid UTF-8".to_owned())
}
