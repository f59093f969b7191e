//! Answers that are kept, so that a request that is sent again is not done again.

use crate::{Context, Error};

pub use store::{Claim, Reply};

/// Claims a key of the caller for a request, whose digest is `request`; or says what became of the key before.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn claim(context: &Context, key: &str, request: &str) -> Result<Claim, Error> {
    let (owner, key, request) = (context.caller.id().to_owned(), key.to_owned(), request.to_owned());
    context.store(move |store| store.claim_reply(&owner, &key, &request)).await
}

/// Keeps the answer to a request whose key was claimed.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn keep(context: &Context, key: &str, reply: Reply) -> Result<(), Error> {
    let (owner, key) = (context.caller.id().to_owned(), key.to_owned());
    context.store(move |store| store.keep_reply(&owner, &key, &reply)).await
}

/// Gives a key back whose request was not answered.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn drop_claim(context: &Context, key: &str) -> Result<(), Error> {
    let (owner, key) = (context.caller.id().to_owned(), key.to_owned());
    context.store(move |store| store.drop_reply(&owner, &key)).await
}

/// Gives all keys back whose requests were cut off by the end of an earlier process.
///
/// # Errors
/// The catalogue cannot be used.
pub async fn drop_open_claims(context: &Context) -> Result<usize, Error> {
    if !context.has_store() {
        return Ok(0);
    }
    context.store(store::Store::drop_open_replies).await
}
