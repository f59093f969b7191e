//! `mcp-factory demo`: the whole job on the example of the design document, with real transports.

mod checks;
mod client;
#[cfg(feature = "fakes")]
pub(crate) mod droids;
mod http;
mod stage;
mod steps;

pub(crate) use steps::show;
