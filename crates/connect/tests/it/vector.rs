//! Search by meaning, in SQLite and in PostgreSQL with pgvector.

mod embeddings;
mod stores;
