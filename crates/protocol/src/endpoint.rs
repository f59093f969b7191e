//! One service, ready to be served on any transport.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::http::{Authenticator, Guard};
use crate::revision::Revision;
use crate::runtime::Runtime;
use crate::service::{About, Service};

/// Time between two looks for tasks that nobody runs any more.
const LOOK_FOR_TASKS: Duration = Duration::from_secs(5);

/// A service with everything that serving it needs. Light: a process may have thousands.
pub struct Endpoint {
    pub(crate) number: u64,
    pub(crate) service: Arc<dyn Service>,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) authenticator: Option<Arc<dyn Authenticator>>,
    /// Ends its long streams: when it is closed, or with the process.
    pub(crate) closed: CancellationToken,
    server_info: OnceLock<Bytes>,
}

/// Settings of an [`Endpoint`] that concern HTTP.
#[derive(Clone, Default)]
pub struct EndpointOptions {
    /// Which hosts and origins are let in; loopback alone by default.
    pub guard: Arc<Guard>,
    /// Who is let in; everybody if `None`.
    pub authenticator: Option<Arc<dyn Authenticator>>,
}

impl Endpoint {
    /// Serves loopback hosts without authentication.
    pub fn new(service: Arc<dyn Service>, runtime: Arc<Runtime>) -> Arc<Self> {
        Self::with(service, runtime, EndpointOptions::default())
    }

    /// Serves with the given settings.
    pub fn with(service: Arc<dyn Service>, runtime: Arc<Runtime>, options: EndpointOptions) -> Arc<Self> {
        let EndpointOptions { guard, authenticator } = options;
        let (number, closed) = (runtime.endpoint_number(), runtime.shutdown.child_token());
        Arc::new(Self { number, service, runtime, guard, authenticator, closed, server_info: OnceLock::new() })
    }

    /// Takes the place of another one: its sessions go on here, with the client and the caller that they have, and requests that
    /// run end where they began. The new service must announce changes on the hub of the old one, and its authenticator
    /// must know the callers of the old one by the same ids.
    pub fn succeeding(before: &Self, service: Arc<dyn Service>, options: EndpointOptions) -> Arc<Self> {
        let EndpointOptions { guard, authenticator } = options;
        let (number, closed, runtime) = (before.number, before.closed.clone(), Arc::clone(&before.runtime));
        Arc::new(Self { number, service, runtime, guard, authenticator, closed, server_info: OnceLock::new() })
    }

    /// The service.
    pub fn service(&self) -> &Arc<dyn Service> {
        &self.service
    }

    /// The runtime.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Ends the sessions and the long streams of this endpoint, before it is taken out of service.
    pub fn close(&self) {
        self.closed.cancel();
        self.runtime.sessions.remove_endpoint(self.number);
    }

    /// Goes on with tasks whose process has ended, now and whenever there are some, for as long as the endpoint is there. Has to
    /// be called within the asynchronous runtime.
    pub fn take_up_tasks(self: &Arc<Self>) {
        if !self.about().capabilities.tasks || self.runtime.options.task_store.is_none() {
            return;
        }
        let (endpoint, shutdown) = (Arc::downgrade(self), self.runtime.shutdown.clone());
        tokio::spawn(async move {
            loop {
                let Some(endpoint) = endpoint.upgrade() else { return };
                crate::dispatch::take_up(&endpoint);
                drop(endpoint);
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep(LOOK_FOR_TASKS) => {}
                }
            }
        });
    }

    pub(crate) fn about(&self) -> &About {
        self.service.about()
    }

    /// `"io.modelcontextprotocol/serverInfo":{…}`, a member of `_meta` in results of stateless revisions.
    pub(crate) fn server_info(&self) -> &Bytes {
        self.server_info.get_or_init(|| {
            let info = self.about().implementation(Revision::LATEST);
            Bytes::from(format!("\"io.modelcontextprotocol/serverInfo\":{info}"))
        })
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.about().name).finish_non_exhaustive()
    }
}
