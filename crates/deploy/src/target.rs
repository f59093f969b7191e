//! What a place is that servers run in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use engine::Toolset;
use host::Keys;

/// A future behind a pointer.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A server that is ready to answer.
pub struct Compiled {
    /// Its tools.
    pub toolset: Arc<Toolset>,
    /// Who may call it, where its spec says so.
    pub keys: Option<Arc<Keys>>,
}

/// A version of a server that is to run.
pub struct Launch {
    /// Name of the server.
    pub name: String,
    /// Whose the server is.
    pub owner: String,
    /// The version.
    pub version: String,
    /// Another text whenever what is to run is another thing.
    pub stamp: String,
    /// What answers.
    pub compiled: Compiled,
}

/// A place that servers run in.
pub trait Target: Send + Sync {
    /// Its word, such as `local`.
    fn name(&self) -> &'static str;

    /// Runs a version of a server. One that runs already goes on until this one is ready, and its running calls end. Clients stay
    /// connected, unless others may call it than before.
    ///
    /// # Errors
    /// Why it does not run.
    fn launch(&self, launch: Launch) -> Boxed<'_, Result<(), String>>;

    /// Stops a server. One that does not run stays as it is.
    fn stop<'a>(&'a self, name: &'a str) -> Boxed<'a, ()>;

    /// What runs: the stamp of the launch, with the version.
    fn runs(&self, name: &str) -> Option<(String, String)>;
}
