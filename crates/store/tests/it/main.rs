//! The catalogue as its callers see it.

mod catalogue;
mod file;
mod load;
mod plane;
mod shared;
mod world;
