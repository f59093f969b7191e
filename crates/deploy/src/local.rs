//! Servers in this process.

mod guarded;
mod logged;
mod retired;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use host::Hosted;
use host::timers::Timers;
use http::{Request, Response};
use hyper::body::Incoming;
use parking_lot::{Mutex, RwLock};
use protocol::http::{Authenticator, Body, LegacySessions, Peer};
use protocol::{Changes, Endpoint, EndpointOptions, Runtime, Service};

use crate::access::{Access, Entrance, Place};
use crate::logs::Writer;
use crate::target::{Boxed, Launch, Target};
use guarded::Guarded;
use logged::Logged;

/// Runs servers in this process. Cheap for each: a compiled toolset, and what their open sessions need.
pub struct Local {
    runtime: Arc<Runtime>,
    /// Guard of every server, and who may call one whose spec says nothing of it.
    options: EndpointOptions,
    /// Who of the callers that the platform knows may come to which server; every one where nothing is said.
    access: Option<Arc<dyn Access>>,
    log: Writer,
    servers: RwLock<HashMap<String, Arc<Running>>>,
    /// Told of every change of what runs.
    changes: Changes,
    /// Another number whenever something else runs.
    generation: AtomicU64,
}

/// A server that runs in this process.
pub struct Running {
    name: String,
    owner: String,
    version: String,
    stamp: RwLock<String>,
    /// Whether callers show what the spec asks for.
    own_keys: bool,
    hosted: Arc<Hosted>,
    whole: Door,
    /// Doors of groups that were asked for.
    groups: Mutex<HashMap<String, Arc<Door>>>,
    /// Everything that it offers, with its calls in the log.
    service: Arc<dyn Service>,
    /// Calls what timers are due, while it runs.
    timers: Mutex<Option<Timers>>,
    options: Options,
    runtime: Arc<Runtime>,
    log: Writer,
}

/// What every door of a server is made with.
#[derive(Clone)]
struct Options {
    endpoint: EndpointOptions,
    access: Option<Arc<dyn Access>>,
    own: Option<Arc<dyn Authenticator>>,
}

impl Options {
    /// A service of which every caller sees what they may.
    fn guarded(&self, service: Arc<dyn Service>, server: &str, owner: &str, group: Option<&str>) -> Arc<dyn Service> {
        match &self.access {
            None => service,
            Some(access) => {
                let place = Place { server: server.into(), owner: owner.into(), group: group.map(Into::into) };
                Arc::new(Guarded::new(service, Arc::clone(access), place))
            }
        }
    }

    /// Those of one door.
    fn of(&self, server: &str, owner: &str, group: Option<&str>) -> EndpointOptions {
        let platform = self.endpoint.authenticator.clone();
        let authenticator = match (&self.access, platform) {
            (Some(access), Some(platform)) => {
                let place = Place { server: server.into(), owner: owner.into(), group: group.map(Into::into) };
                let (access, own) = (Arc::clone(access), self.own.clone());
                Some(Arc::new(Entrance { place, access, platform, own }) as Arc<dyn Authenticator>)
            }
            (_, platform) => self.own.clone().or(platform),
        };
        EndpointOptions { guard: Arc::clone(&self.endpoint.guard), authenticator }
    }
}

/// What answers at `/mcp`, and at `/sse` with `/messages`.
struct Door {
    endpoint: Arc<Endpoint>,
    streams: Arc<LegacySessions>,
}

impl Door {
    fn new(service: Arc<dyn Service>, runtime: &Arc<Runtime>, options: EndpointOptions) -> Self {
        let endpoint = Endpoint::with(service, Arc::clone(runtime), options);
        Self { endpoint, streams: LegacySessions::new() }
    }
}

impl Local {
    /// Runs nothing yet.
    pub fn new(runtime: Arc<Runtime>, options: EndpointOptions, log: Writer) -> Self {
        Self {
            runtime,
            options,
            access: None,
            log,
            servers: RwLock::default(),
            changes: Changes::new(),
            generation: AtomicU64::new(0),
        }
    }

    /// The same for a platform that says who may come to which server.
    #[must_use]
    pub fn with_access(mut self, access: Arc<dyn Access>) -> Self {
        self.access = Some(access);
        self
    }

    /// Where changes of what runs are announced: as changes of the list of tools.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Another number whenever something else runs.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn changed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.changes.tools_changed();
    }

    /// The server of this name, if it runs.
    pub fn find(&self, name: &str) -> Option<Arc<Running>> {
        self.servers.read().get(name).cloned()
    }

    /// Everything that runs.
    pub fn all(&self) -> Vec<Arc<Running>> {
        let mut all: Vec<_> = self.servers.read().values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

impl Target for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn launch(&self, launch: Launch) -> Boxed<'_, Result<(), String>> {
        let Launch { name, owner, version, stamp, compiled } = launch;
        if let Some(running) = self.find(&name) {
            let same = running.version == version
                && running.owner == owner
                && !running.own_keys
                && compiled.authenticator.is_none();
            if same {
                // The same version with other tools: clients stay connected and are told what changed.
                running.hosted.replace(compiled.toolset);
                running.groups.lock().clear();
                *running.stamp.write() = stamp;
                *running.timers.lock() = Timers::start(&running.hosted);
                self.changed();
                return Box::pin(async { Ok(()) });
            }
        }
        let hosted = Arc::new(Hosted::reloadable(compiled.toolset));
        let own_keys = compiled.authenticator.is_some();
        let (endpoint, access) = (self.options.clone(), self.access.clone());
        let options = Options { endpoint, access, own: compiled.authenticator };
        let service = Logged::new(
            Arc::clone(&hosted) as Arc<dyn Service>,
            Arc::clone(&hosted),
            &name,
            &version,
            self.log.clone(),
        );
        let service = options.guarded(Arc::new(service), &name, &owner, None);
        let whole = Door::new(Arc::clone(&service), &self.runtime, options.of(&name, &owner, None));
        let timers = Mutex::new(Timers::start(&hosted));
        let running = Arc::new(Running {
            name: name.clone(),
            owner,
            version,
            stamp: RwLock::new(stamp),
            own_keys,
            hosted,
            whole,
            groups: Mutex::default(),
            service,
            timers,
            options,
            runtime: Arc::clone(&self.runtime),
            log: self.log.clone(),
        });
        let before = self.servers.write().insert(name, running);
        self.changed();
        if let Some(before) = before {
            retired::retire(before);
        }
        Box::pin(async { Ok(()) })
    }

    fn stop<'a>(&'a self, name: &'a str) -> Boxed<'a, ()> {
        let stopped = self.servers.write().remove(name);
        if let Some(stopped) = stopped {
            self.changed();
            retired::retire(stopped);
        }
        Box::pin(async {})
    }

    fn runs(&self, name: &str) -> Option<(String, String)> {
        let running = self.find(name)?;
        let stamp = running.stamp.read().clone();
        Some((stamp, running.version.clone()))
    }
}

impl Running {
    /// Name of the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version that answers.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What answers.
    pub fn hosted(&self) -> &Arc<Hosted> {
        &self.hosted
    }

    /// Whose it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Everything that it offers, with its calls in the log.
    pub fn service(&self) -> &Arc<dyn Service> {
        &self.service
    }

    /// Answers a request for a path below `/servers/NAME/`; the request itself when nothing is there.
    ///
    /// # Errors
    /// The request, untouched: the path is none of this server.
    pub async fn answer(
        &self,
        rest: &str,
        request: Request<Incoming>,
        peer: &Peer,
    ) -> Result<Response<Body>, Box<Request<Incoming>>> {
        let (group, last) = match rest.strip_prefix("groups/").and_then(|rest| rest.split_once('/')) {
            Some((group, last)) => (Some(group), last),
            None => (None, rest),
        };
        if !matches!(last, "mcp" | "sse" | "messages") {
            return Err(Box::new(request));
        }
        let door = match group {
            None => None,
            Some(group) => match self.group(group) {
                Some(door) => Some(door),
                None => return Err(Box::new(request)),
            },
        };
        let door = door.as_deref().unwrap_or(&self.whole);
        Ok(match last {
            "mcp" => door.endpoint.http(request, peer).await,
            "sse" => {
                let below = group.map(|group| format!("groups/{group}/")).unwrap_or_default();
                let messages = format!("/servers/{}/{below}messages", self.name);
                door.streams.open(&door.endpoint, request, peer, &messages).await
            }
            _ => door.streams.message(&door.endpoint, request, peer).await,
        })
    }

    fn group(&self, name: &str) -> Option<Arc<Door>> {
        if let Some(door) = self.groups.lock().get(name) {
            return Some(Arc::clone(door));
        }
        let service: Arc<dyn Service> = Arc::new(self.hosted.group(name)?);
        let logged = Logged::new(service, Arc::clone(&self.hosted), &self.name, &self.version, self.log.clone());
        let options = self.options.of(&self.name, &self.owner, Some(name));
        let guarded = self.options.guarded(Arc::new(logged), &self.name, &self.owner, Some(name));
        let door = Arc::new(Door::new(guarded, &self.runtime, options));
        self.groups.lock().insert(name.to_owned(), Arc::clone(&door));
        Some(door)
    }

    /// Ends the sessions: their clients connect again, to what runs then.
    fn close(&self) {
        self.whole.endpoint.close();
        for door in self.groups.lock().values() {
            door.endpoint.close();
        }
    }
}
