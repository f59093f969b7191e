//! Search by meaning: texts become vectors, are stored with what belongs to them, and are found by nearness.
//!
//! Vectors are made by an API ([`Embedder::Api`]) or by [`Embedder::Hash`], which needs nothing and knows nothing of meaning. They are kept
//! in PostgreSQL with the extension pgvector, or in SQLite, where a search looks at every vector.

mod embed;
pub mod hash;
mod sql;
mod store;

pub use embed::{ApiEmbedder, Embedder};
pub use store::{Found, Item, Search, Store};

/// Most texts that are embedded or stored at once.
pub const ITEMS_MAX: usize = 500;
/// Longest text, bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Most numbers of a vector.
pub const DIMENSIONS_MAX: usize = 8192;
/// Most results of a search.
pub const RESULTS_MAX: usize = 1000;
/// Most fields of a filter.
pub const FILTERS_MAX: usize = 16;

/// How near two vectors are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// The angle between them: 1 - cosine, from 0 to 2.
    #[default]
    Cosine,
    /// The straight line between them.
    L2,
    /// Their inner product, negated so that less is nearer.
    InnerProduct,
}

impl Metric {
    /// How alike they are, from how far apart they are: more is more alike.
    pub fn score(self, distance: f64) -> f64 {
        match self {
            Self::Cosine => 1.0 - distance,
            Self::L2 => 1.0 / (1.0 + distance),
            Self::InnerProduct => -distance,
        }
    }
}

/// Where vectors are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The table: `notes`, or with its schema `app.notes`. Its columns are `id`, `content`, `metadata` and `embedding`.
    pub table: String,
    /// Numbers of each vector.
    pub dimensions: usize,
    /// How nearness is measured.
    pub metric: Metric,
    /// Whether the table is made when it is not there.
    pub create: bool,
    /// Most rows that a search in SQLite looks at; it is refused when there are more.
    pub scan_rows: usize,
}

impl Settings {
    /// A table for vectors of so many numbers, made when it is not there.
    pub fn new(table: impl Into<String>, dimensions: usize) -> Self {
        Self { table: table.into(), dimensions, metric: Metric::default(), create: true, scan_rows: 100_000 }
    }
}
