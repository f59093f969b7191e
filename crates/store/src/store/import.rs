//! Storing many versions at once.

use std::sync::Arc;

use super::Store;
use super::write::put;
use crate::error::Error;
use crate::model::{By, Outcome, Release};

impl Store {
    /// Stores versions, all of them or none. The last one of each server becomes its current one. Gives what became of each.
    ///
    /// The same name and version with another digest is [`Error::Conflict`], unless `force` says to replace what is stored.
    pub fn import(&self, by: &By, releases: Vec<Release>, force: bool) -> Result<Vec<Outcome>, Error> {
        let (by, releases) = (by.clone(), Arc::new(releases));
        self.db.change("store versions", move |session| {
            releases.iter().map(|release| put(session, &by, release, force)).collect()
        })
    }
}
