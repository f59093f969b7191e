//! Redis and MongoDB.

use std::sync::Arc;
use std::time::Duration;

use base::Secret;
use connect::{Tls, mongo, redis};
use spec::model::{MongoStore, Pool, RedisStore, StoreTls, TlsMode};

use super::database::password;
use super::http::policy;
use super::{Opened, Operator};

impl Opened {
    pub(super) fn redis(&mut self, store: &RedisStore, url: Secret, path: &str, operator: &Operator<'_>) {
        self.secrets.extend(password(url.expose()));
        let defaults = redis::Limits::default();
        let (pool_max, acquire, idle) = pool(&store.pool);
        let settings = redis::Settings {
            name: store.name.clone(),
            policy: policy(operator, store.env_var.is_some().then_some(&url)),
            url,
            resolver: operator.resolver.clone(),
            tls: tls(&store.tls),
            ca_file: store.tls.ca_file.as_deref().map(Into::into),
            limits: redis::Limits { pool_max, acquire, idle, ..defaults },
        };
        match redis::Redis::open(settings) {
            Ok(opened) => drop(self.connections.redis.insert(store.name.clone(), Arc::new(opened))),
            Err(error) => self.refused(&store.name, path, error),
        }
    }

    pub(super) fn mongo(&mut self, store: &MongoStore, url: Secret, path: &str, operator: &Operator<'_>) {
        self.secrets.extend(password(url.expose()));
        let defaults = mongo::Limits::default();
        let (pool_max, acquire, idle) = pool(&store.pool);
        let settings = mongo::Settings {
            name: store.name.clone(),
            policy: policy(operator, store.env_var.is_some().then_some(&url)),
            url,
            database: store.database.clone(),
            resolver: operator.resolver.clone(),
            tls: tls(&store.tls),
            ca_file: store.tls.ca_file.as_deref().map(Into::into),
            limits: mongo::Limits { pool_max, acquire, idle, ..defaults },
        };
        match mongo::Mongo::open(settings) {
            Ok(opened) => drop(self.connections.mongo.insert(store.name.clone(), Arc::new(opened))),
            Err(error) => self.refused(&store.name, path, error),
        }
    }
}

/// The hosts of a URL, which may name several.
pub(super) fn hosts(url: &str) -> Vec<String> {
    let Some((_, rest)) = url.split_once("://") else { return Vec::new() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let hosts = authority.rsplit('@').next().unwrap_or_default();
    let bare = |host: &str| match host.rfind(':') {
        Some(at) if !host[at..].contains(']') => host[..at].to_ascii_lowercase(),
        _ => host.to_ascii_lowercase(),
    };
    hosts.split(',').map(bare).filter(|host| !host.is_empty()).collect()
}

fn pool(pool: &Pool) -> (usize, Duration, Duration) {
    let max = usize::try_from(pool.max).unwrap_or(usize::MAX);
    (max, Duration::from_millis(pool.acquire_timeout_ms), Duration::from_millis(pool.idle_timeout_ms))
}

fn tls(tls: &StoreTls) -> Option<Tls> {
    tls.mode.map(|mode| match mode {
        TlsMode::Disable => Tls::Disable,
        TlsMode::Prefer => Tls::Prefer,
        TlsMode::Require => Tls::Require,
        TlsMode::VerifyFull => Tls::VerifyFull,
    })
}
