//! Tables of texts with vectors.

use std::sync::Arc;

use base::{Diagnostic, Secret};
use connect::Database;
use connect::http::Settings as ApiSettings;
use connect::vector::{ApiEmbedder, Embedder, Metric, Settings, Store, hash};
use spec::model::{self, Embedding, VectorStore};

use super::database::{config, gate, password};
use super::http::{credentials, policy};
use super::{Opened, Operator, Tried};
use crate::codes;
use crate::resolve::{Missing, expand, variable};

/// Where the API of an embedding is when nothing else is said.
const OPENAI: &str = "https://api.openai.com/v1";

impl Opened {
    pub(super) fn vector(&mut self, store: &VectorStore, url: Secret, path: &str, operator: &Operator<'_>) {
        let name = &store.name;
        self.secrets.extend(password(url.expose()));
        let embedder = match embedder(store, operator, &mut self.secrets) {
            Ok(embedder) => embedder,
            Err(Missing { what, help }) => {
                let message = format!("connection `{name}` has no embedding: {what}");
                let problem = Diagnostic::warning(codes::MISSING, message).path(format!("{path}/embedding")).help(help);
                return self.closed(name, what, problem);
            }
        };
        let gate = gate(operator, &url, store.env_var.is_some());
        let opened = embedder.and_then(|embedder| {
            let database = Database::open(config(name, None, &store.pool, &store.tls, url, gate))?;
            Store::open(name, Arc::new(database), embedder, settings(store))
        });
        match opened {
            Ok(opened) => drop(self.connections.vectors.insert(name.clone(), Arc::new(opened))),
            Err(error) => self.refused(name, path, error),
        }
    }
}

fn embedder(store: &VectorStore, operator: &Operator<'_>, secrets: &mut Vec<Secret>) -> Tried<Embedder> {
    let Embedding { model, shortened, env_var, url, credentials: declared, .. } = &store.embedding;
    let Some(model) = model else { return Ok(Ok(Embedder::Hash(dimensions(store)))) };
    let base = match (env_var, url) {
        (Some(name), _) => variable(name, operator.lookup, OPENAI)?,
        (None, Some(url)) => expand(url, operator.lookup, OPENAI)?,
        (None, None) => OPENAI.to_owned(),
    };
    let base = Secret::new(base);
    let credentials = credentials(declared, operator.lookup, operator.users(&store.name))?;
    secrets.extend(credentials.secrets());
    let settings = ApiSettings {
        credentials,
        policy: policy(operator, env_var.is_some().then_some(&base)),
        resolver: operator.resolver.clone(),
        ..ApiSettings::new(store.name.as_str(), base)
    };
    let asked = shortened.then(|| dimensions(store));
    Ok(ApiEmbedder::open(settings, model.as_str(), asked).map(|api| Embedder::Api(Box::new(api))))
}

fn dimensions(store: &VectorStore) -> usize {
    store.embedding.dimensions.map_or(hash::DIMENSIONS, |count| usize::try_from(count).unwrap_or(usize::MAX))
}

fn settings(store: &VectorStore) -> Settings {
    Settings {
        metric: match store.metric {
            model::Metric::Cosine => Metric::Cosine,
            model::Metric::L2 => Metric::L2,
            model::Metric::InnerProduct => Metric::InnerProduct,
        },
        create: store.create,
        scan_rows: usize::try_from(store.scan_rows).unwrap_or(usize::MAX),
        ..Settings::new(store.table.as_str(), dimensions(store))
    }
}
