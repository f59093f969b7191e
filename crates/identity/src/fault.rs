//! What can go wrong on our side.

/// Why a question could not be answered at all. `Display` says what was attempted.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The catalogue.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The operating system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
}
