//! The control plane as its callers see it.

mod agent;
mod bridged;
mod cases;
mod client;
mod deployments;
mod durable;
mod identity;
mod people;
mod policies;
mod remote;

pub(crate) use client::Plane;
