//! Opens the authorization server that stands beside a served server.

use std::sync::Arc;

use identity::oauth::{Authority, Documents, Settings};
use identity::{Clock, Fault};

use crate::context::blocking;
use crate::{Code, Context, Error};

/// Opens the authorization server. What it knows is kept in the catalogue.
///
/// # Errors
/// The catalogue cannot be used; the list of private networks cannot be read.
pub async fn open(context: &Context, settings: Settings) -> Result<Arc<Authority>, Error> {
    let networks = crate::openid::networks(context)?;
    let store = context.shared_store().await?;
    let documents = Documents::new(networks, None);
    let open = move || Authority::open(settings, store, Clock::system(), documents).map(Arc::new).map_err(Error::from);
    blocking(open).await
}

/// Looks whether the file that says what names of hosts stand for can be read, where one is named.
///
/// # Errors
/// It cannot.
pub async fn check_host_names(context: &Context) -> Result<(), Error> {
    let Some(path) = context.environment.get(::host::HOSTS_FILE) else { return Ok(()) };
    blocking(move || {
        std::fs::read(&path).map(drop).map_err(|error| {
            let code = match error.kind() {
                std::io::ErrorKind::NotFound => Code::FileNotFound,
                _ => Code::FileUnreadable,
            };
            Error::new(code, format!("the file of host names {path} cannot be read: {error}"))
                .hint(format!("name one that is written as /etc/hosts is, or unset {}", ::host::HOSTS_FILE))
        })
    })
    .await
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error.into(),
            Fault::Random(_) => Self::new(Code::Internal, fault.to_string()),
        }
    }
}
