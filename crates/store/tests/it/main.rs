//! The catalogue as its callers see it.

mod audit;
mod catalogue;
mod dump;
mod file;
mod load;
mod plane;
mod shared;
mod usage;
mod world;
