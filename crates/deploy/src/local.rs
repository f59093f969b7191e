//! Servers in this process.

mod guarded;
mod logged;
mod retired;
mod unsaid;
mod versions;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::HashMap;
use host::timers::Timers;
use host::{Hosted, Keys};
use http::Response;
use http::request::Parts;
use hyper::body::Incoming;
use parking_lot::{Mutex, RwLock};
use protocol::http::{AuthOutcome, Authenticator, Body, Challenge, LegacySessions, Peer};
use protocol::{Changes, Endpoint, EndpointOptions, Runtime, Service};

use crate::access::{Access, Entrance, Place};
use crate::logs::Writer;
use crate::target::{Boxed, Launch, Target};
use guarded::Guarded;
use logged::{Logged, UnderWay};
use versions::Versions;

/// Runs servers in this process. Cheap for each: a compiled toolset, and what their open sessions need.
pub struct Local {
    runtime: Arc<Runtime>,
    /// Guard of every server, and who may call one whose spec says nothing of it.
    options: EndpointOptions,
    /// Who of the callers that the platform knows may come to which server; every one where nothing is said.
    access: Option<Arc<dyn Access>>,
    log: Writer,
    servers: RwLock<HashMap<String, Arc<Running>>>,
    versions: Versions,
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
    stamp: String,
    /// What callers show, where the spec asks for something.
    keys: Option<Arc<Keys>>,
    hosted: Arc<Hosted>,
    whole: Door,
    /// Doors of groups that were asked for.
    groups: Mutex<HashMap<String, Arc<Door>>>,
    /// Everything that it offers, with its calls in the log.
    service: Arc<dyn Service>,
    /// Requests under way, also of those whose place it took.
    under_way: UnderWay,
    /// Calls what timers are due, while it runs.
    timers: Mutex<Option<Timers>>,
    options: Options,
    runtime: Arc<Runtime>,
    log: Writer,
}

/// A server that was made, and whether clients of the one before go on with it.
struct Made {
    running: Arc<Running>,
    succeeds: bool,
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

    /// One that those who came by another one go on with.
    fn succeeding(before: &Self, service: Arc<dyn Service>, options: EndpointOptions) -> Self {
        let endpoint = Endpoint::succeeding(&before.endpoint, service, options);
        Self { endpoint, streams: Arc::clone(&before.streams) }
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
            versions: Versions::default(),
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

    /// Where calls are told.
    pub fn log(&self) -> &Writer {
        &self.log
    }

    /// A server that is ready to answer; with `rings` it calls its timers and goes on with tasks that were cut off. What clients
    /// of the one before have open goes on with it, if the same callers may call it: then the one before is done with. Otherwise
    /// that one is to be retired.
    fn made(&self, launch: Launch, before: Option<&Running>, rings: bool) -> Made {
        let before = before.filter(|before| before.lets_in_the_same(&launch));
        let Launch { name, owner, version, stamp, compiled } = launch;
        let (hosted, under_way) = match before {
            Some(before) => (before.hosted.succeeded_by(compiled.toolset), before.under_way.clone()),
            None => (Hosted::reloadable(compiled.toolset), UnderWay::default()),
        };
        let hosted = Arc::new(hosted);
        let own = compiled.keys.clone().map(|keys| keys as Arc<dyn Authenticator>);
        let options = Options { endpoint: self.options.clone(), access: self.access.clone(), own };
        // Calls that are refused are in the log too.
        let guarded = options.guarded(Arc::clone(&hosted) as Arc<dyn Service>, &name, &owner, None);
        let logged = Logged::new(guarded, Arc::clone(&hosted), (&name, &version), under_way.clone(), self.log.clone());
        let service: Arc<dyn Service> = Arc::new(logged);
        let (shown, of_door) = (Arc::clone(&service), options.of(&name, &owner, None));
        let whole = match before {
            Some(before) => Door::succeeding(&before.whole, shown, of_door),
            None => Door::new(shown, &self.runtime, of_door),
        };
        if let Some(timers) = before.and_then(|before| before.timers.lock().take()) {
            timers.let_end();
        }
        if rings {
            whole.endpoint.take_up_tasks();
        }
        let timers = Mutex::new(if rings { Timers::start(&hosted) } else { None });
        let running = Running {
            name,
            owner,
            version,
            stamp,
            keys: compiled.keys,
            hosted,
            whole,
            groups: Mutex::default(),
            service,
            under_way,
            timers,
            options,
            runtime: Arc::clone(&self.runtime),
            log: self.log.clone(),
        };
        if let Some(before) = before {
            running.take_over_groups(before);
        }
        Made { running: Arc::new(running), succeeds: before.is_some() }
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
        let before = self.find(&launch.name);
        let Made { running, succeeds } = self.made(launch, before.as_deref(), true);
        self.servers.write().insert(running.name.clone(), running);
        self.changed();
        if let Some(before) = before.filter(|_| !succeeds) {
            retired::retire(before);
        }
        Box::pin(async { Ok(()) })
    }

    fn stop<'a>(&'a self, name: &'a str) -> Boxed<'a, ()> {
        let stopped = self.servers.write().remove(name);
        self.forget(|beside| beside.name == name);
        if let Some(stopped) = stopped {
            self.changed();
            retired::retire(stopped);
        }
        Box::pin(async {})
    }

    fn runs(&self, name: &str) -> Option<(String, String)> {
        let running = self.find(name)?;
        Some((running.stamp.clone(), running.version.clone()))
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

    /// What one of its groups offers, with its calls in the log; nothing when there is no such group.
    pub fn service_of(&self, group: &str) -> Option<Arc<dyn Service>> {
        Some(Arc::clone(self.group(group)?.endpoint.service()))
    }

    /// Another text whenever what runs is another thing.
    pub fn stamp(&self) -> &str {
        &self.stamp
    }

    /// Whether its door, or that of one of its groups, lets a caller in, by the head of a request.
    ///
    /// # Errors
    /// How the caller is turned away.
    pub async fn admits(&self, group: Option<&str>, head: &Parts, peer: &Peer) -> Result<(), Challenge> {
        let Some(authenticator) = self.options.of(&self.name, &self.owner, group).authenticator else { return Ok(()) };
        let outcome = match authenticator.authenticate(head, peer) {
            AuthOutcome::Ready(outcome) => outcome,
            AuthOutcome::Later(outcome) => outcome.await,
        };
        outcome.map(drop)
    }

    /// Answers a request for a path whose last part is `rest`, below `/servers/NAME/` or `/servers/NAME/versions/VERSION/`;
    /// nothing, with the request untouched, when the path is none of this server.
    pub async fn answer(
        &self,
        rest: &str,
        head: &mut Parts,
        body: &mut Incoming,
        peer: &Peer,
    ) -> Option<Response<Body>> {
        let (group, last) = match rest.strip_prefix("groups/").and_then(|rest| rest.split_once('/')) {
            Some((group, last)) => (Some(group), last),
            None => (None, rest),
        };
        if !matches!(last, "mcp" | "sse" | "messages") {
            return None;
        }
        let door = match group {
            None => None,
            Some(group) => Some(self.group(group)?),
        };
        let door = door.as_deref().unwrap_or(&self.whole);
        Some(match last {
            "mcp" => door.endpoint.http(head, body, peer).await,
            // What is rare is behind a pointer: each call has room for what is not.
            "sse" => {
                let path = head.uri.path();
                let messages = format!("{}messages", path.trim_end_matches('/').trim_end_matches("sse"));
                Box::pin(door.streams.open(&door.endpoint, head, peer, &messages)).await
            }
            _ => Box::pin(door.streams.message(&door.endpoint, head, body, peer)).await,
        })
    }

    fn group(&self, name: &str) -> Option<Arc<Door>> {
        if let Some(door) = self.groups.lock().get(name) {
            return Some(Arc::clone(door));
        }
        let door = Arc::new(self.door(name, None)?);
        Some(Arc::clone(self.groups.lock().entry(name.to_owned()).or_insert(door)))
    }

    /// The door of a group, for those too who came by another one.
    fn door(&self, group: &str, before: Option<&Door>) -> Option<Door> {
        let service: Arc<dyn Service> = Arc::new(self.hosted.group(group)?);
        let (named, hosted) = ((self.name.as_str(), self.version.as_str()), Arc::clone(&self.hosted));
        let guarded = self.options.guarded(service, &self.name, &self.owner, Some(group));
        let logged = Arc::new(Logged::new(guarded, hosted, named, self.under_way.clone(), self.log.clone()));
        let options = self.options.of(&self.name, &self.owner, Some(group));
        Some(match before {
            Some(before) => Door::succeeding(before, logged, options),
            None => Door::new(logged, &self.runtime, options),
        })
    }

    /// Opens the doors of groups that another one had open. A group that is gone has no sessions any more.
    fn take_over_groups(&self, before: &Self) {
        // Requests that have found the one before still come by its doors.
        let open: Vec<_> = before.groups.lock().iter().map(|(name, door)| (name.clone(), Arc::clone(door))).collect();
        for (name, door) in open {
            match self.door(&name, Some(&door)) {
                Some(next) => drop(self.groups.lock().insert(name, Arc::new(next))),
                None => door.endpoint.close(),
            }
        }
    }

    /// Whether those who may call it may call another one, and are known there by the same names.
    fn lets_in_the_same(&self, other: &Launch) -> bool {
        let same_keys = match (&self.keys, &other.compiled.keys) {
            (None, None) => true,
            (Some(keys), Some(others)) => keys.is_same(others),
            _ => false,
        };
        same_keys && self.owner == other.owner
    }

    /// Ends the sessions: their clients connect again, to what runs then.
    fn close(&self) {
        self.whole.endpoint.close();
        for door in self.groups.lock().values() {
            door.endpoint.close();
        }
    }
}
