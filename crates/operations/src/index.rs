//! What all servers of the catalogue offer and use, held in memory and brought up to date when it is asked.

pub(crate) mod capability;
mod inverted;
#[cfg(test)]
mod tests;
pub(crate) mod uses;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use ::plan::Plan;
use parking_lot::{Mutex, RwLock};
use spec::Spec;
use store::{Documents, Store};

use capability::{Capability, FIELDS, Field};
use inverted::Inverted;
use uses::Use;

/// Servers that are read at once.
const READ_AT_ONCE: usize = 500;
/// Documents that are read without the help of other threads.
const READ_ALONE: usize = 50;
/// Threads that read at once.
const THREADS_MAX: usize = 4;
/// For how long after a change another one may have the same stamp: clocks tick in milliseconds, and those of other
/// processes are not quite the same.
const UNSETTLED: chrono::Duration = chrono::Duration::seconds(1);
/// After how long servers are compared one by one although the stamp says that nothing changed.
const TRUSTED: Duration = Duration::from_secs(10);

/// The index of a catalogue.
#[derive(Debug, Default)]
pub(crate) struct Index {
    state: RwLock<State>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    stamp: String,
    settled: bool,
    compared: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    inverted: Inverted,
    /// By the numbers of the inverted index; `None` for what is gone.
    capabilities: Vec<Option<Capability>>,
    servers: BTreeMap<String, Indexed>,
}

/// What the index knows of a server.
#[derive(Clone, Debug)]
pub(crate) struct Indexed {
    updated_at: String,
    /// Whose it is.
    pub(crate) owner: String,
    pub(crate) version: String,
    /// The template that it was made from.
    pub(crate) template: Option<String>,
    pub(crate) uses: Vec<Use>,
    entries: Vec<u32>,
    /// Why its documents cannot be read.
    pub(crate) damage: Option<String>,
}

impl Indexed {
    /// What is known of a version that is not in the index.
    fn beside(owner: String, version: String, uses: Vec<Use>) -> Self {
        let (updated_at, template, entries, damage) = Default::default();
        Self { updated_at, owner, version, template, uses, entries, damage }
    }
}

/// A capability that was found, and why.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) capability: Capability,
    pub(crate) score: f32,
    /// Words of the question, each with the fields that hold it.
    pub(crate) matched: Vec<(String, Vec<&'static str>)>,
}

impl Index {
    /// Reads what changed since it was read last. Blocks.
    pub(crate) fn refresh(&self, store: &Store) -> Result<(), store::Error> {
        let mut seen = self.seen.lock();
        let now = chrono::Utc::now();
        let stamp = store.servers_stamp()?;
        let fresh = seen.compared.is_some_and(|at| at.elapsed() < TRUSTED);
        if seen.settled && fresh && seen.stamp == stamp {
            return Ok(());
        }
        let heads = store.heads()?;
        let newest = heads.iter().map(|head| head.updated_at.as_str()).max().unwrap_or_default();
        let newest = chrono::DateTime::parse_from_rfc3339(newest).ok();
        let (gone, changed) = {
            let state = self.state.read();
            let known: HashMap<&str, &str> =
                heads.iter().map(|one| (one.name.as_str(), one.updated_at.as_str())).collect();
            let gone: Vec<String> =
                state.servers.keys().filter(|name| !known.contains_key(name.as_str())).cloned().collect();
            let is_new = |name: &str, at: &str| state.servers.get(name).is_none_or(|indexed| indexed.updated_at != at);
            let changed = heads.iter().filter(|head| is_new(&head.name, &head.updated_at));
            (gone, changed.map(|head| head.name.clone()).collect::<Vec<_>>())
        };
        for name in &gone {
            self.state.write().remove(name);
        }
        for names in changed.chunks(READ_AT_ONCE) {
            let read = Read::all(store.documents(names)?);
            let mut state = self.state.write();
            for one in read {
                state.put(one);
            }
        }
        if self.state.read().inverted.is_worn() {
            self.state.write().renew();
        }
        *seen = Seen {
            settled: newest.is_none_or(|at| now.signed_duration_since(at) > UNSETTLED),
            stamp,
            compared: Some(Instant::now()),
        };
        Ok(())
    }

    /// The best capabilities for a question among those that are seen and wanted, best first, with how many there are. Without a
    /// question all of them, by server and name. What is not seen plays no part.
    pub(crate) fn find(
        &self,
        question: &str,
        seen: impl Fn(&Capability) -> bool,
        wanted: impl Fn(&Capability) -> bool,
        limit: usize,
    ) -> (Vec<Hit>, usize) {
        self.state.read().find(question, seen, wanted, limit)
    }

    /// Whether a field of what is seen is as `fits` says.
    pub(crate) fn has_field(&self, seen: impl Fn(&Capability) -> bool, fits: impl Fn(&Field) -> bool) -> bool {
        let state = self.state.read();
        let mut all = state.capabilities.iter().flatten().filter(|one| seen(one));
        all.any(|one| one.takes.iter().chain(&one.gives).any(&fits))
    }

    /// What the versions use that answer, or are to answer, without being current: by the servers that they are of. Blocks.
    pub(crate) fn beside(&self, store: &Store) -> Result<BTreeMap<String, Indexed>, store::Error> {
        let mut found = BTreeMap::new();
        for deployment in store.deployments()? {
            let Some(version) = deployment.version.or(deployment.serves) else { continue };
            let name = deployment.name;
            let is_current = |indexed: &Indexed| indexed.version == version;
            if self.state.read().servers.get(&name).is_none_or(is_current) {
                continue;
            }
            let Some(known) = store.find_version(&name, Some(&version))? else { continue };
            let spec = serde_json::from_str::<Spec>(&known.release.canonical);
            let uses = spec.map(|spec| uses::of(&spec)).unwrap_or_default();
            found.insert(name, Indexed::beside(deployment.owner, version, uses));
        }
        Ok(found)
    }

    /// What is known of each server.
    pub(crate) fn servers<T>(&self, read: impl FnOnce(&BTreeMap<String, Indexed>) -> T) -> T {
        read(&self.state.read().servers)
    }
}

/// Whether a question has a word that says something.
pub(crate) fn has_words(question: &str) -> bool {
    !words::words(question).is_empty()
}

/// The documents of a server, read.
struct Read {
    documents: Documents,
    spec: Result<Spec, String>,
    plan: Option<Plan>,
}

impl Read {
    /// Reads documents on all processors: a catalogue of thousands is read while a control plane starts.
    fn all(documents: Vec<Documents>) -> Vec<Self> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
        let each = documents.len().div_ceil(threads).max(READ_ALONE);
        let mut rest = documents.into_iter();
        let mut parts: Vec<Vec<Documents>> = Vec::new();
        while rest.len() > 0 {
            parts.push(rest.by_ref().take(each).collect());
        }
        let Some(own) = parts.pop() else { return Vec::new() };
        std::thread::scope(|scope| {
            let work = |part: Vec<Documents>| part.into_iter().map(Self::of).collect::<Vec<_>>();
            let others: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || work(part))).collect();
            let mut read = work(own);
            // A panic of one is a panic of all: nothing is indexed by half.
            others.into_iter().for_each(|other| match other.join() {
                Ok(part) => read.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            });
            read
        })
    }

    fn of(documents: Documents) -> Self {
        let spec = serde_json::from_str(&documents.canonical).map_err(|error| error.to_string());
        let plan = serde_json::from_str(&documents.plan).ok();
        Self { documents, spec, plan }
    }
}

impl State {
    fn put(&mut self, read: Read) {
        let Read { documents, spec, plan } = read;
        self.remove(&documents.name);
        let mut indexed = Indexed {
            updated_at: documents.updated_at,
            owner: documents.owner,
            version: documents.version,
            template: documents.template,
            uses: Vec::new(),
            entries: Vec::new(),
            damage: None,
        };
        match spec {
            Ok(spec) => {
                indexed.uses = uses::of(&spec);
                for (mut capability, words) in capability::all(&spec, plan.as_ref()) {
                    capability.owner.clone_from(&indexed.owner);
                    indexed.entries.push(self.inverted.add(words));
                    self.capabilities.push(Some(capability));
                }
            }
            Err(damage) => indexed.damage = Some(damage),
        }
        self.servers.insert(documents.name, indexed);
    }

    fn remove(&mut self, name: &str) {
        let Some(gone) = self.servers.remove(name) else { return };
        for entry in gone.entries {
            self.inverted.remove(entry);
            self.capabilities[entry as usize] = None;
        }
    }

    /// Makes the index anew, without what is gone.
    fn renew(&mut self) {
        let mut inverted = std::mem::take(&mut self.inverted).renewed();
        let old = std::mem::take(&mut self.capabilities);
        let mut moved = HashMap::new();
        for (number, capability) in old.into_iter().enumerate() {
            if capability.is_some() {
                moved.insert(index_of(number), index_of(self.capabilities.len()));
                self.capabilities.push(capability);
            }
        }
        std::mem::swap(&mut self.inverted, &mut inverted);
        for server in self.servers.values_mut() {
            server.entries.iter_mut().for_each(|entry| *entry = moved.get(entry).copied().unwrap_or(*entry));
        }
    }

    fn find(
        &self,
        question: &str,
        seen: impl Fn(&Capability) -> bool,
        wanted: impl Fn(&Capability) -> bool,
        limit: usize,
    ) -> (Vec<Hit>, usize) {
        let mut asked = words::words(question);
        asked.truncate(inverted::WORDS_MAX);
        let among = self.inverted.among(|number| self.capabilities[number].as_ref().is_some_and(&seen));
        let asked = self.inverted.asked(&asked, &among);
        let scores = self.inverted.score(&asked, &among);
        let mut ranked: Vec<(f32, &Capability, u32)> = Vec::new();
        for (number, capability) in self.capabilities.iter().enumerate() {
            let Some(capability) = capability.as_ref().filter(|_| among.has(number)) else { continue };
            if (!asked.is_empty() && scores.words[number] == 0) || !wanted(capability) {
                continue;
            }
            // What holds all of the words comes before what holds one of them often.
            let share = scores.words[number].count_ones() as f32 / asked.len().max(1) as f32;
            ranked.push((scores.score[number] * share, capability, index_of(number)));
        }
        let total = ranked.len();
        let order = |a: &(f32, &Capability, u32), b: &(f32, &Capability, u32)| {
            b.0.total_cmp(&a.0).then_with(|| a.1.key().cmp(&b.1.key()))
        };
        if total > limit && limit > 0 {
            ranked.select_nth_unstable_by(limit - 1, order);
        }
        ranked.truncate(limit);
        ranked.sort_by(order);
        let hits = ranked.into_iter().map(|(score, capability, number)| {
            let matched = asked.iter().filter_map(|word| {
                let fields = self.inverted.fields(word, number);
                let names = FIELDS.iter().enumerate().filter(|(bit, _)| fields & (1 << bit) != 0);
                (fields != 0).then(|| (word.word.clone(), names.map(|(_, (name, _))| *name).collect()))
            });
            Hit { capability: capability.clone(), score, matched: matched.collect() }
        });
        (hits.collect(), total)
    }
}

/// A number of the inverted index. More entries than it can count do not fit into the memory of a machine.
fn index_of(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
