//! Folders and buckets.

use std::sync::Arc;

use base::Secret;
use connect::files::{Gcs, Limits, Local, S3, Store};
use spec::model::{Connection, FileLimits, SecretRef};

use super::http::{policy, secret};
use super::{Opened, Operator, Tried};
use crate::resolve::{Missing, expand};

impl Opened {
    pub(super) fn store(&mut self, connection: &Connection, url: Option<Secret>, path: &str, operator: &Operator<'_>) {
        let name = connection.name();
        let opened = open(connection, url, operator, &mut self.secrets);
        if let Some(store) = self.complete(name, path, opened) {
            self.connections.stores.insert(name.to_owned(), Arc::new(store));
        }
    }
}

fn open(
    connection: &Connection,
    url: Option<Secret>,
    operator: &Operator<'_>,
    secrets: &mut Vec<Secret>,
) -> Tried<Store> {
    let name = connection.name();
    let policy = policy(operator, url.as_ref().filter(|_| connection.env_var().is_some()));
    let resolver = operator.resolver.clone();
    let text = |text: &str| expand(text, operator.lookup, "a value");
    let mut place = |place: &Option<SecretRef>| -> Result<Option<Secret>, Missing> {
        let found = place.as_ref().map(|place| secret(place, operator.lookup)).transpose()?;
        secrets.extend(found.clone());
        Ok(found)
    };
    Ok(match connection {
        Connection::Files(folder) => {
            let root = url.map(|url| url.expose().to_owned()).unwrap_or_default();
            let settings = Local { root: root.into(), hidden: folder.hidden, absolute: folder.absolute };
            Store::local(name, settings, limits(&folder.limits))
        }
        Connection::S3(of) => {
            let key_id = of.access_key_id.as_ref().map(|place| secret(place, operator.lookup)).transpose()?;
            let key = place(&of.secret_access_key)?;
            let settings = S3 {
                path_style: of.path_style.unwrap_or(url.is_some()),
                endpoint: url,
                prefix: of.prefix.clone(),
                keys: key_id.map(|id| id.expose().to_owned()).zip(key),
                session_token: place(&of.session_token)?,
                policy,
                resolver,
                ..S3::new(text(&of.bucket)?, of.region.clone())
            };
            Store::s3(name, settings, limits(&of.limits))
        }
        Connection::Gcs(of) => {
            let service_account = place(&of.service_account)?;
            let settings = Gcs {
                endpoint: url,
                prefix: of.prefix.clone(),
                service_account,
                policy,
                resolver,
                ..Gcs::new(text(&of.bucket)?)
            };
            Store::gcs(name, settings, limits(&of.limits))
        }
        _ => Err(wrong(name)),
    })
}

fn wrong(name: &str) -> connect::Error {
    connect::Error {
        kind: connect::ErrorKind::Config,
        connection: name.to_owned(),
        attempted: "open",
        message: "it holds no files".to_owned(),
        code: None,
        position: None,
        hint: None,
    }
}

fn limits(declared: &FileLimits) -> Limits {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Limits {
        read_bytes: declared.read_bytes,
        write_bytes: declared.write_bytes,
        entries: count(declared.entries),
        matches: count(declared.matches),
        search_bytes: declared.search_bytes,
        ..Limits::default()
    }
}
