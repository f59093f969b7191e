//! Fakes of APIs, for trying servers without an account and for tests: what they do follows what is documented and was seen of
//! the real ones, not what our clients of them would like.
//!
//! - [`Factory`]: the sessions API of Factory, with computers, sessions that work for a while, messages in pages.
//! - [`Shim`]: a shim that checks signatures and streams chunks in every form that was seen.
//!
//! Each answers `POST /_fake` (orders: failures, delays) and `GET /_fake` (what was asked).

mod factory;
mod orders;
mod shim_fake;
mod trouble;
mod uri;

use std::sync::Arc;

use shim::http::Handler;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use factory::{Factory, FactorySettings, KEY};
pub use shim_fake::{SECRET, Shim, ShimSettings};

/// Serves a fake until it is told to stop.
pub async fn serve<H: Handler>(listener: TcpListener, fake: Arc<H>, stop: CancellationToken) {
    shim::http::serve(listener, fake, stop).await;
}
