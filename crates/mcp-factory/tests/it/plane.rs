//! The control plane as its callers see it.

mod agent;
mod bridged;
mod cases;
mod client;
mod deployments;
mod durable;
mod ending;
mod identity;
mod jobs;
mod machine;
mod moving;
mod names;
mod openid;
mod people;
mod policies;
mod programs;
mod records;
mod remote;
mod sessions;
mod tasks;

pub(crate) use client::Plane;
