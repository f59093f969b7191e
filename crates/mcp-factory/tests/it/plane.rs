//! The control plane as its callers see it.

mod agent;
mod cases;
mod client;
mod deployments;
mod durable;
mod remote;

pub(crate) use client::Plane;
