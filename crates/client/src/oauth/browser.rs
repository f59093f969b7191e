//! The person who agrees, and the browser in which they do.

use std::pin::Pin;

use base::Secret;

/// A future on the heap.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way to have a person agree.
pub trait Browser: Send + Sync {
    /// Begins to wait for an answer: at the address of an earlier time if that can be had, else at another one.
    fn listen(&self, earlier: Option<String>) -> Boxed<'_, Result<Box<dyn Listening>, String>>;
}

/// A place on this machine to which a browser is sent back (RFC 8252, section 7.3).
pub trait Listening: Send {
    /// Its address.
    fn redirect(&self) -> String;

    /// Shows a page to the person and waits for the answer with this state.
    ///
    /// # Errors
    /// Nobody answered, or the answer is no.
    fn answer<'a>(self: Box<Self>, page: &'a str, state: &'a str) -> Boxed<'a, Result<Answer, String>>;
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The code.
    pub code: Secret,
    /// Who says to have given it (RFC 9207).
    pub issuer: Option<String>,
}
