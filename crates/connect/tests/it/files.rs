//! Stores of files: a folder, and buckets of real servers.

mod jail;
mod keys;
mod local;
mod stores;
mod world;
