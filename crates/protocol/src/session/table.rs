//! All sessions of a process, bounded in number and age.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;

use super::Session;
use crate::clock;
use crate::principal::Principal;

/// Milliseconds between two searches for expired sessions.
const SWEEP_MS: u64 = 30_000;
/// A full table gives up a session only after it was idle this long.
const EVICTABLE_MS: u64 = 60_000;

/// Bounds of the session table.
#[derive(Clone, Debug)]
pub struct SessionLimits {
    /// Sessions altogether.
    pub total: usize,
    /// Sessions of one authenticated caller; its least recently used one makes way.
    pub per_principal: usize,
    /// A session ends when it was not used for so long.
    pub idle: Duration,
    /// A session ends at this age in any case.
    pub lifetime: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            total: 10_000,
            per_principal: 256,
            idle: Duration::from_secs(30 * 60),
            lifetime: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// The table.
#[derive(Debug)]
pub(crate) struct Sessions {
    limits: SessionLimits,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<Box<str>, Arc<Session>>,
    per_principal: HashMap<Arc<str>, usize>,
    swept_ms: u64,
}

impl Sessions {
    pub(crate) fn new(limits: SessionLimits) -> Self {
        Self { limits, table: Mutex::default() }
    }

    /// A new unguessable id: 144 random bits. `None` when the system has no randomness.
    pub(crate) fn new_id() -> Option<Box<str>> {
        let mut bytes = [0u8; 18];
        getrandom::fill(&mut bytes).ok()?;
        Some(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// Adds a session; false when the table is full of sessions in use.
    pub(crate) fn insert(&self, session: Arc<Session>) -> bool {
        let now = clock::uptime_ms();
        let mut ended = Vec::new();
        let fits = {
            let mut table = self.table.lock();
            if now.saturating_sub(table.swept_ms) > SWEEP_MS || table.by_id.len() >= self.limits.total {
                table.swept_ms = now;
                table.remove_where(&mut ended, |session| session.expired(&self.limits, now));
            }
            self.make_room(&mut table, &session, now, &mut ended);
            let fits = table.by_id.len() < self.limits.total;
            if fits {
                if let Some(principal) = &session.principal {
                    *table.per_principal.entry(principal.clone()).or_default() += 1;
                }
                table.by_id.insert(session.id.clone(), session);
            }
            fits
        };
        ended.iter().for_each(|session| session.close());
        fits
    }

    fn make_room(&self, table: &mut Table, newcomer: &Session, now: u64, ended: &mut Vec<Arc<Session>>) {
        if let Some(principal) = &newcomer.principal
            && table.per_principal.get(principal).is_some_and(|count| *count >= self.limits.per_principal)
        {
            let oldest = table.least_recent(|session| session.principal.as_ref() == Some(principal));
            table.remove_ids(oldest, ended);
        }
        if table.by_id.len() >= self.limits.total {
            let idle = |session: &Session| now.saturating_sub(session.used_ms.load(Ordering::Relaxed)) > EVICTABLE_MS;
            let oldest = table.least_recent(idle);
            table.remove_ids(oldest, ended);
        }
    }

    /// Finds a living session of this endpoint and caller, and marks it as used.
    pub(crate) fn find(&self, id: &str, endpoint: u64, principal: Option<&Principal>) -> Option<Arc<Session>> {
        let session = self.table.lock().by_id.get(id).cloned()?;
        if session.endpoint != endpoint || session.principal.as_deref() != principal.map(Principal::id) {
            return None;
        }
        if session.expired(&self.limits, clock::uptime_ms()) {
            self.remove(id);
            return None;
        }
        session.touch();
        Some(session)
    }

    /// Ends a session.
    pub(crate) fn remove(&self, id: &str) {
        let mut ended = Vec::new();
        self.table.lock().remove_ids(Some(id.into()), &mut ended);
        ended.iter().for_each(|session| session.close());
    }

    /// Ends every session of an endpoint.
    pub(crate) fn remove_endpoint(&self, endpoint: u64) {
        let mut ended = Vec::new();
        self.table.lock().remove_where(&mut ended, |session| session.endpoint == endpoint);
        ended.iter().for_each(|session| session.close());
    }

    /// Ends every session of a caller.
    pub(crate) fn remove_principal(&self, principal: &str) {
        let mut ended = Vec::new();
        self.table.lock().remove_where(&mut ended, |session| session.principal.as_deref() == Some(principal));
        ended.iter().for_each(|session| session.close());
    }

    pub(crate) fn count(&self) -> usize {
        self.table.lock().by_id.len()
    }
}

impl Table {
    fn least_recent(&self, among: impl Fn(&Session) -> bool) -> Option<Box<str>> {
        let candidates = self.by_id.values().filter(|session| among(session));
        candidates.min_by_key(|session| session.used_ms.load(Ordering::Relaxed)).map(|session| session.id.clone())
    }

    fn remove_where(&mut self, ended: &mut Vec<Arc<Session>>, which: impl Fn(&Session) -> bool) {
        let ids: Vec<_> = self.by_id.values().filter(|session| which(session)).map(|found| found.id.clone()).collect();
        self.remove_ids(ids, ended);
    }

    fn remove_ids(&mut self, ids: impl IntoIterator<Item = Box<str>>, ended: &mut Vec<Arc<Session>>) {
        for id in ids {
            let Some(session) = self.by_id.remove(&id) else { continue };
            if let Some(principal) = &session.principal
                && let Some(count) = self.per_principal.get_mut(principal)
            {
                *count -= 1;
                if *count == 0 {
                    self.per_principal.remove(principal);
                }
            }
            ended.push(session);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{SessionLimits, Sessions};
    use crate::context::Flags;
    use crate::principal::Principal;
    use crate::revision::Revision;
    use crate::session::{Opening, Session};

    fn session(id: &str, principal: Option<&str>) -> Arc<Session> {
        Arc::new(Session::open(Opening {
            id: id.into(),
            endpoint: 1,
            revision: Revision::V2025_06_18,
            principal: principal.map(Into::into),
            client: None,
            flags: Flags::default(),
        }))
    }

    #[derive(Clone, Debug)]
    enum Step {
        Open(u8, Option<u8>),
        Find(u8, Option<u8>),
        End(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let caller = proptest::option::of(0..3u8);
        prop_oneof![
            (any::<u8>(), caller.clone()).prop_map(|(id, caller)| Step::Open(id, caller)),
            (any::<u8>(), caller).prop_map(|(id, caller)| Step::Find(id, caller)),
            any::<u8>().prop_map(Step::End),
        ]
    }

    proptest! {
        /// Whatever happens: the bounds hold, nobody finds a session of somebody else, and ended sessions stay ended.
        #[test]
        fn bounds_and_ownership_hold(steps in proptest::collection::vec(step(), 1..200)) {
            let limits = SessionLimits { total: 12, per_principal: 4, ..SessionLimits::default() };
            let sessions = Sessions::new(limits);
            let mut owners: HashMap<u8, Option<u8>> = HashMap::new();
            for step in steps {
                match step {
                    Step::Open(id, caller) if !owners.contains_key(&id) => {
                        let name = caller.map(|caller| caller.to_string());
                        if sessions.insert(session(&id.to_string(), name.as_deref())) {
                            owners.insert(id, caller);
                        }
                    }
                    Step::Open(..) => {}
                    Step::Find(id, caller) => {
                        let principal = caller.map(|caller| Principal::new(caller.to_string()));
                        let found = sessions.find(&id.to_string(), 1, principal.as_ref());
                        prop_assert!(found.is_none() || owners.get(&id) == Some(&caller));
                        prop_assert!(sessions.find(&id.to_string(), 2, principal.as_ref()).is_none());
                    }
                    Step::End(id) => {
                        sessions.remove(&id.to_string());
                        owners.remove(&id);
                    }
                }
                let table = sessions.table.lock();
                prop_assert!(table.by_id.len() <= 12);
                for (principal, count) in &table.per_principal {
                    let real = table.by_id.values().filter(|found| found.principal.as_ref() == Some(principal)).count();
                    prop_assert_eq!(real, *count);
                    prop_assert!(real <= 4);
                }
                drop(table);
                owners.retain(|id, _| sessions.table.lock().by_id.contains_key(id.to_string().as_str()));
            }
        }
    }

    #[test]
    fn sessions_end_when_idle() {
        let sessions = Sessions::new(SessionLimits { idle: Duration::ZERO, ..SessionLimits::default() });
        let idle = session("a", None);
        assert!(sessions.insert(idle.clone()));
        while crate::clock::uptime_ms() == idle.created_ms {
            std::hint::spin_loop();
        }
        assert!(sessions.find("a", 1, None).is_none());
        assert!(idle.closed.is_cancelled());
        assert_eq!(sessions.count(), 0);
    }
}
