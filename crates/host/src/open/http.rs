//! HTTP APIs, and what travels like them: GraphQL and gRPC.

use std::sync::Arc;
use std::time::Duration;

use base::{Diagnostic, Secret};
use connect::egress::Policy;
use connect::http::{
    self, Anywhere, Api, Assertion, AtOnce, Caching, ClientCertificate, Encoding, Exchange, Hash, Limits, OAuth, Rate,
    Retries, Settings, SigV4, Signing, Users,
};
use connect::{graphql, grpc};
use spec::limits::HTTP_WAITING;
use spec::model::{
    self, ConnectionKind, Credentials, HttpConnection, HttpLimits, HttpTls, OauthExchange, SecretPlace, SecretRef,
    SignatureEncoding, SignatureHash,
};

use super::store::hosts;
use super::{Opened, Operator};
use crate::codes;
use crate::resolve::{Lookup, Missing, expand, file, managed, variable};

impl Opened {
    pub(super) fn api(
        &mut self,
        kind: ConnectionKind,
        api: &HttpConnection,
        url: Option<Secret>,
        path: &str,
        operator: &Operator<'_>,
    ) {
        if let (Some(url), Some((key, variable))) = (&url, named(api))
            && let Some(why) = unusable(url.expose())
        {
            // It is one setting that was mistyped: what does not need it goes on.
            let message = format!("connection `{}` has no URL: {variable} {why}", api.name);
            let help = format!("set {variable} to a URL such as https://api.example.com/v1");
            let problem = Diagnostic::warning(codes::MISSING, message).path(format!("{path}/{key}")).help(help);
            return self.closed(&api.name, format!("{variable} {why}"), problem);
        }
        let Some(settings) = self.settings_of(api, url, path, operator) else { return };
        let schema = api.schema.as_deref().map(|text| expand(text, operator.lookup, "a schema")).transpose();
        let schema = match schema {
            Ok(schema) => schema,
            Err(Missing { what, help }) => {
                let message = format!("connection `{}` has no schema: {what}", api.name);
                let problem = Diagnostic::warning(codes::MISSING, message).path(format!("{path}/schema")).help(help);
                return self.closed(&api.name, what, problem);
            }
        };
        if let Err(error) = self.client(kind, &api.name, settings, schema.as_deref()) {
            self.refused(&api.name, path, error);
        }
    }

    /// The settings of an API with its secrets resolved; nothing when one is missing, which is told.
    pub(super) fn settings_of(
        &mut self,
        api: &HttpConnection,
        url: Option<Secret>,
        path: &str,
        operator: &Operator<'_>,
    ) -> Option<Settings> {
        let settings = match settings(api, url, operator) {
            Ok(settings) => settings,
            Err((key, Missing { what, help })) => {
                let message = format!("connection `{}` has no credentials: {what}", api.name);
                let problem = Diagnostic::warning(codes::MISSING, message).path(format!("{path}/{key}")).help(help);
                self.closed(&api.name, what, problem);
                return None;
            }
        };
        self.secrets.extend(settings.secret_headers.iter().map(|(_, value)| value.clone()));
        self.secrets.extend(settings.credentials.secrets());
        self.secrets.extend(settings.client_certificate.iter().map(|own| own.key.clone()));
        Some(settings)
    }

    fn client(
        &mut self,
        kind: ConnectionKind,
        name: &str,
        settings: Settings,
        schema: Option<&str>,
    ) -> Result<(), connect::Error> {
        let connections = &mut self.connections;
        match kind {
            ConnectionKind::Graphql => {
                let mut client = graphql::Client::open(settings)?;
                if let Some(text) = schema {
                    let schema = graphql::Schema::parse(text);
                    client = client.with_schema(schema.map_err(|why| error(name, why))?);
                }
                connections.graphql.insert(name.to_owned(), Arc::new(client));
            }
            ConnectionKind::Grpc => {
                let mut client = grpc::Client::open(settings, grpc::Limits::default())?;
                if let Some(text) = schema {
                    let schema = grpc::Schema::from_protos(&[("schema.proto", text)]);
                    let schema = schema.map_err(|why| error(name, format!("the schema {why}")))?;
                    client = client.with_schema(schema);
                }
                connections.grpc.insert(name.to_owned(), Arc::new(client));
            }
            _ => drop(connections.apis.insert(name.to_owned(), Arc::new(Api::open(settings)?))),
        }
        Ok(())
    }
}

/// The variable that a connection has its whole URL from, and by which key.
fn named(api: &HttpConnection) -> Option<(&'static str, &str)> {
    if let Some(name) = &api.env_var {
        return Some(("envVar", name));
    }
    let (name, rest) = api.url.as_deref()?.strip_prefix("${env:")?.split_once([':', '}'])?;
    // Behind the variable, or its default, nothing comes.
    (rest.is_empty() || rest.ends_with('}')).then_some(("url", name))
}

/// Why a text is no URL of an API.
fn unusable(text: &str) -> Option<&'static str> {
    match url::Url::parse(text) {
        Err(_) => Some("is set and cannot be read as a URL"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            Some("is set and does not begin with https:// or http://")
        }
        Ok(_) => None,
    }
}

fn error(connection: &str, message: String) -> connect::Error {
    connect::Error {
        kind: connect::ErrorKind::Config,
        connection: connection.to_owned(),
        attempted: "open",
        message,
        code: None,
        position: None,
        hint: None,
    }
}

type Missed = (&'static str, Missing);

/// The settings of an API; without a URL each request names its own.
pub(super) fn settings(api: &HttpConnection, url: Option<Secret>, operator: &Operator<'_>) -> Result<Settings, Missed> {
    let whole = api.env_var.is_some() || api.url.as_deref().is_some_and(|url| is_whole(url, operator.lookup));
    let policy = policy(operator, url.as_ref().filter(|_| whole));
    let policy = api.hosts.iter().fold(policy, |policy, host| policy.allow_host(host));
    let (mut headers, mut secret_headers) = (Vec::new(), Vec::new());
    for (name, written) in &api.headers {
        let value = expand(written, operator.lookup, "a value").map_err(|missing| ("headers", missing))?;
        match written.contains("${") {
            true => secret_headers.push((name.clone(), Secret::new(value))),
            false => headers.push((name.clone(), value)),
        }
    }
    Ok(Settings {
        credentials: credentials(&api.credentials, operator.lookup, operator.users(&api.name))
            .map_err(|missing| ("credentials", missing))?,
        client_certificate: certificate(&api.tls, operator.lookup).map_err(|missing| ("tls", missing))?,
        cache: api
            .cache
            .as_ref()
            .map(|cache| Caching { bytes_max: usize::try_from(cache.bytes).unwrap_or(usize::MAX) }),
        headers,
        secret_headers,
        policy,
        resolver: operator.resolver.clone(),
        rate: api.rate_limit.as_ref().map(|rate| Rate {
            requests: small(rate.requests),
            period: Duration::from_millis(rate.period_ms),
            burst: small(rate.burst),
        }),
        at_once: api.limits.concurrency.map(|requests| AtOnce {
            requests: usize::try_from(requests).unwrap_or(usize::MAX),
            waiting: usize::try_from(api.limits.waiting.unwrap_or(HTTP_WAITING)).unwrap_or(usize::MAX),
        }),
        retries: Retries {
            max: small(api.retries.max),
            backoff: Duration::from_millis(api.retries.backoff_ms),
            wait_max: Duration::from_millis(api.retries.wait_max_ms),
        },
        limits: limits(&api.limits),
        ca_file: api.tls.ca_file.as_deref().map(Into::into),
        anywhere: url.is_none().then_some(Anywhere { plain: api.plain }),
        ..Settings::new(api.name.as_str(), url.unwrap_or_else(|| Secret::new("")))
    })
}

pub(super) fn limits(limits: &HttpLimits) -> Limits {
    Limits {
        connect: Duration::from_millis(limits.connect_timeout_ms),
        request_bytes: usize::try_from(limits.request_bytes).unwrap_or(usize::MAX),
        answer_bytes: usize::try_from(limits.answer_bytes).unwrap_or(usize::MAX),
        redirects: small(limits.redirects),
        ..Limits::default()
    }
}

/// Whether a URL is one reference to a variable that is set: the operator wrote it whole.
fn is_whole(url: &str, lookup: Lookup<'_>) -> bool {
    let inside = url.strip_prefix("${env:").and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| {
        !inside.contains('}') && lookup(model::reference_name(inside)).is_some_and(|value| !value.is_empty())
    })
}

/// Where requests may go. What the operator wrote whole is the operator's decision: its own host may be a private one.
pub(super) fn policy(operator: &Operator<'_>, whole: Option<&Secret>) -> Policy {
    let mut networks = operator.networks.clone();
    for host in whole.map(|url| hosts(url.expose())).unwrap_or_default() {
        networks = networks.with_host(&host);
    }
    Policy::default().allow_networks(networks)
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The certificate of ours, when there is one.
fn certificate(tls: &HttpTls, lookup: Lookup<'_>) -> Result<Option<ClientCertificate>, Missing> {
    let (Some(chain), Some(key)) = (&tls.certificate, &tls.key) else { return Ok(None) };
    Ok(Some(ClientCertificate { chain: secret(chain, lookup)?, key: secret(key, lookup)? }))
}

/// The value of a secret.
pub(super) fn secret(place: &SecretRef, lookup: Lookup<'_>) -> Result<Secret, Missing> {
    let value = match (&place.env, &place.file) {
        (Some(name), _) => variable(name, lookup, "the secret")?,
        (None, Some(path)) => file(path)?,
        (None, None) if place.doppler.is_some() => managed(place.doppler.as_deref().unwrap_or_default(), lookup)?,
        (None, None) => {
            return Err(Missing {
                what: "a secret has no place".to_owned(),
                help: "write `{env: NAME}`, `{file: /path}` or `{doppler: NAME}`".to_owned(),
            });
        }
    };
    Ok(Secret::new(value))
}

/// What is shown to an upstream.
pub(super) fn credentials(
    declared: &Credentials,
    lookup: Lookup<'_>,
    users: Users,
) -> Result<http::Credentials, Missing> {
    let place = |place: &SecretRef| secret(place, lookup);
    let optional = |place: &Option<SecretRef>| place.as_ref().map(|place| secret(place, lookup)).transpose();
    let text = |text: &str| expand(text, lookup, "a value");
    Ok(match declared {
        Credentials::None => http::Credentials::None,
        Credentials::Basic { user, password } => {
            http::Credentials::Basic { user: text(user)?, password: place(password)? }
        }
        Credentials::Bearer { token } => http::Credentials::Bearer(place(token)?),
        Credentials::Header { header, prefix, value } => {
            let value = place(value)?;
            let value = if prefix.is_empty() { value } else { Secret::new(format!("{prefix}{}", value.expose())) };
            http::Credentials::Header { name: header.clone(), value }
        }
        Credentials::Query { parameter, value } => {
            http::Credentials::Query { name: parameter.clone(), value: place(value)? }
        }
        Credentials::Oauth2 { .. } | Credentials::Oauth2User { .. } => {
            http::Credentials::OAuth(oauth(declared, lookup, users)?)
        }
        Credentials::Sigv4 { key_id, secret, session_token, region, service } => http::Credentials::SigV4(SigV4 {
            key_id: text(key_id)?,
            secret: place(secret)?,
            session_token: optional(session_token)?,
            region: text(region)?,
            service: service.clone(),
        }),
        Credentials::Hmac { .. } => http::Credentials::Signing(signing(declared, lookup)?),
    })
}

/// How tokens are fetched.
fn oauth(declared: &Credentials, lookup: Lookup<'_>, users: Users) -> Result<OAuth, Missing> {
    let place = |place: &SecretRef| secret(place, lookup);
    let optional = |place: &Option<SecretRef>| place.as_ref().map(|place| secret(place, lookup)).transpose();
    let text = |text: &str| expand(text, lookup, "a value");
    Ok(match declared {
        Credentials::Oauth2 {
            token_url,
            client_id,
            client_secret,
            refresh_token,
            scopes,
            audience,
            secret_in,
            assertion,
            exchange,
            form,
        } => {
            let token_url = text(token_url)?;
            let assertion = assertion.as_ref().map(|one| {
                Ok::<_, Missing>(Box::new(Assertion {
                    issuer: text(&one.issuer)?,
                    subject: one.subject.clone(),
                    audience: one.audience.clone().unwrap_or_else(|| token_url.clone()),
                    key_id: one.key_id.clone(),
                    key: place(&one.key)?,
                }))
            });
            let kind = |exchange: &OauthExchange| Exchange {
                subject_token_type: exchange
                    .subject_token_type
                    .clone()
                    .unwrap_or_else(|| Exchange::ACCESS_TOKEN.to_owned()),
                requested_token_type: exchange.requested_token_type.clone(),
            };
            let form = form.iter().map(|(name, value)| Ok::<_, Missing>((name.clone(), text(value)?)));
            OAuth {
                client_id: text(client_id)?,
                client_secret: optional(client_secret)?,
                refresh_token: optional(refresh_token)?,
                scopes: scopes.clone(),
                audience: audience.clone(),
                secret_in_form: *secret_in == SecretPlace::Form,
                exchange: exchange.as_ref().map(kind),
                assertion: assertion.transpose()?,
                form: form.collect::<Result<_, _>>()?,
                users: None,
                token_url,
            }
        }
        Credentials::Oauth2User { token_url, client_id, client_secret, scopes, audience, secret_in, .. } => OAuth {
            token_url: text(token_url)?,
            client_id: text(client_id)?,
            client_secret: optional(client_secret)?,
            refresh_token: None,
            scopes: scopes.clone(),
            audience: audience.clone(),
            secret_in_form: *secret_in == SecretPlace::Form,
            exchange: None,
            assertion: None,
            form: Vec::new(),
            users: Some(users),
        },
        _ => return Err(Missing { what: "it has no tokens".to_owned(), help: "report this".to_owned() }),
    })
}

/// How requests are signed.
fn signing(declared: &Credentials, lookup: Lookup<'_>) -> Result<Signing, Missing> {
    Ok(match declared {
        Credentials::Hmac { key, key_form, hash, encoding, canonical, message, headers } => Signing {
            hash: match hash {
                SignatureHash::Sha256 => Hash::Sha256,
                SignatureHash::Sha512 => Hash::Sha512,
            },
            encoding: match encoding {
                SignatureEncoding::Hex => Encoding::Hex,
                SignatureEncoding::Base64 => Encoding::Base64,
                SignatureEncoding::Base64url => Encoding::Base64Url,
            },
            key_form: match key_form {
                model::KeyForm::Text => http::KeyForm::Text,
                model::KeyForm::Base64 => http::KeyForm::Base64,
                model::KeyForm::Hex => http::KeyForm::Hex,
            },
            canonical: canonical.clone(),
            message: message.clone(),
            headers: headers.clone().into_iter().collect(),
            ..Signing::new(secret(key, lookup)?)
        },
        _ => return Err(Missing { what: "it signs nothing".to_owned(), help: "report this".to_owned() }),
    })
}
