//! The shim: `POST /factory/exec` runs an agent's program for callers who sign their requests, and streams what it says;
//! `GET /healthz` tells whether it is well.
//!
//! A request shows `x-signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">` ([`signature`]). It is refused when the
//! signature is wrong, when its time is more than 300 seconds away, and when it was shown before. The program is started
//! without a shell, in a folder below the operator's root, in a process group of its own that ends when the caller goes away.
//!
//! Never: a shell, a folder outside of the root, a program that the operator did not name.

mod agent;
mod dialogue;
pub mod http;
pub mod limits;
mod output;
mod paper;
mod request;
mod run;
mod service;
mod settings;
pub mod signature;

pub use service::Shim;
pub use settings::{Problem, Settings};
