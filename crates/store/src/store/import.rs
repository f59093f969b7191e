//! Storing many versions at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;

use super::write::{current_version, put, touch};
use super::{Store, now};
use crate::db::{Attempted as _, Fault, Session};
use crate::error::Error;
use crate::model::{By, Outcome, Release};

impl Store {
    /// Stores versions, all of them or none. The last one of each server becomes its current one, unless an older one: what was
    /// there goes on then. Gives what became of each.
    ///
    /// The same name and version with another digest is [`Error::Conflict`], unless `force` says to replace what is stored.
    pub fn import(&self, by: &By, releases: Vec<Release>, force: bool) -> Result<Vec<Outcome>, Error> {
        const WHAT: &str = "store versions";
        let (by, releases) = (by.clone(), Arc::new(releases));
        self.db.change(WHAT, move |session| {
            let known = known(session, &releases).attempted(WHAT)?;
            let each = releases.iter().map(|release| put(session, &by, release, force));
            let outcomes = each.collect::<Result<_, Error>>()?;
            let last: BTreeMap<&str, &str> = releases.iter().map(|one| (&*one.name, &*one.version)).collect();
            for (name, current) in &known {
                let newest = last.get(&**name).filter(|last| !is_older(last, current)).map_or(&**current, |last| last);
                if current_version(session, name).attempted(WHAT)?.is_some_and(|(now, _)| now != newest) {
                    touch(session, name, newest, &now()).attempted(WHAT)?;
                }
            }
            Ok(outcomes)
        })
    }
}

/// The servers that are there already, with their current versions.
fn known(session: &Session<'_>, releases: &[Release]) -> Result<BTreeMap<String, String>, Fault> {
    let mut known = BTreeMap::new();
    for Release { name, .. } in releases {
        if let (false, Some((version, _))) = (known.contains_key(name), current_version(session, name)?) {
            known.insert(name.clone(), version);
        }
    }
    Ok(known)
}

/// Whether a version comes before another one (Semantic Versioning 2.0.0, section 11). Specs have no others.
fn is_older(one: &str, other: &str) -> bool {
    match (Version::parse(one), Version::parse(other)) {
        (Ok(one), Ok(other)) => one.cmp_precedence(&other).is_lt(),
        _ => false,
    }
}
