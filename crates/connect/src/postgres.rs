//! PostgreSQL.

use crate::{Answer, Catalogue, Config, Described, Error, Query, Statement};

/// A pool of connections to one PostgreSQL database.
#[derive(Debug)]
pub(crate) struct Postgres {
    config: Config,
}

impl Postgres {
    pub(crate) fn open(config: Config) -> Result<Self, Error> {
        Ok(Self { config })
    }

    pub(crate) async fn ping(&self) -> Result<String, Error> {
        Err(self.unbuilt())
    }

    pub(crate) async fn catalogue(&self) -> Result<Catalogue, Error> {
        Err(self.unbuilt())
    }

    pub(crate) async fn describe(&self, _statement: &Statement) -> Result<Described, Error> {
        Err(self.unbuilt())
    }

    pub(crate) async fn run(&self, _query: &Query<'_>, _out: &mut Vec<u8>) -> Result<Answer, Error> {
        Err(self.unbuilt())
    }

    pub(crate) async fn close(&self) {}

    fn unbuilt(&self) -> Error {
        Error {
            kind: crate::ErrorKind::Other,
            connection: self.config.name.clone(),
            attempted: "connect",
            message: "skeleton".to_owned(),
            code: None,
            position: None,
            hint: None,
        }
    }
}
