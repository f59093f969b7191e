//! Why somebody did not come in.

use std::time::Duration;

use crate::Fault;

/// What kind of failure it is: a page tells people what to do about each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The provider cannot be asked, or describes itself in a way that cannot be used.
    Provider,
    /// What came back belongs to no sign-in that this browser began.
    Answer,
    /// The provider, or the person there, said no.
    Declined,
    /// The code was not redeemed.
    Code,
    /// The ID token, or what the provider says of the person, is not to be believed.
    Token,
    /// Nobody let this person in.
    Stranger,
    /// There is another account of the name.
    Taken,
    /// There were too many from this address.
    Slow(Duration),
    /// Our side.
    Fault,
}

/// Why somebody did not come in: for the log. It holds no token, no code and no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: Kind,
    /// What went wrong.
    pub why: String,
}

impl Failure {
    pub(crate) fn new(kind: Kind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::new(Kind::Fault, fault.to_string())
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Fault::from(error).into()
    }
}

/// A text of somebody else's for the log: short, and without what a terminal would obey.
pub(super) fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    text.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect()
}
