//! The droid swarm server against the fakes, and against a real shim.

mod contract;
mod exec;
mod failures;
mod sdk;
mod starting;
mod swarm;
mod trouble;
mod watching;
mod webhook;
mod world;
