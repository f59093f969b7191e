//! The droid swarm server against the fakes, and against a real shim.

mod exec;
mod failures;
mod sdk;
mod swarm;
mod watching;
mod world;
