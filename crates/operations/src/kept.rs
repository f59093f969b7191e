//! Answers that are kept, so that a request that is sent again is not done again.

use crate::{Code, Context, Error};

use store::Claim;
pub use store::Reply;

/// Longest key of a request, characters.
pub const KEY_CHARS_MAX: usize = 255;

/// Claims a key of the caller for a request, whose digest is `request`; or gives the answer that was kept under it.
///
/// # Errors
/// The key is no word; its request is still running, or was another one; the catalogue cannot be used.
pub async fn claim(context: &Context, key: &str, request: &str) -> Result<Option<Reply>, Error> {
    if !(1..=KEY_CHARS_MAX).contains(&key.len()) || !key.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        return Err(no_key());
    }
    let (owner, key, request) = (context.caller.id().to_owned(), key.to_owned(), request.to_owned());
    match context.store(move |store| store.claim_reply(&owner, &key, &request)).await? {
        Claim::Yours => Ok(None),
        Claim::Answered(reply) => Ok(Some(reply)),
        Claim::Running => {
            Err(Error::new(Code::KeyInUse, "the first request with this Idempotency-Key is still running")
                .hint("wait a moment and send it again: its answer is then given"))
        }
        Claim::Other => Err(Error::new(Code::KeyReused, "this Idempotency-Key was used for another request")
            .hint("make a new key for each new request")),
    }
}

/// The refusal of a key that is none.
pub fn no_key() -> Error {
    Error::new(Code::BadRequest, format!("the Idempotency-Key is not one word of at most {KEY_CHARS_MAX} characters"))
        .hint("use a UUID for each new request")
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
