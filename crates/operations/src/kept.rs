//! Answers that are kept, so that a request that is sent again is not done again.

use crate::operation::Erased;
use crate::{Code, Context, Error, jobs};

pub use store::Reply;
use store::{Claim, Claimant};

/// Longest key of a request, characters.
pub const KEY_CHARS_MAX: usize = 255;

/// Claims a key of the caller for a request for an operation, whose digest is `request`; or gives the answer that was kept under
/// it. A request whose control plane is gone is run again where twice equals once.
///
/// # Errors
/// The key is no word; its request is still running, was cut off, or was another one; the catalogue cannot be used.
pub async fn claim(
    context: &Context,
    operation: &dyn Erased,
    key: &str,
    request: &str,
) -> Result<Option<Reply>, Error> {
    if !(1..=KEY_CHARS_MAX).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(no_key());
    }
    let by = Claimant {
        lease: jobs::lease(context),
        // A home folder has one control plane at a time.
        alone: !context.is_shared(),
        repeats: jobs::is_repeatable(operation),
    };
    let (owner, key, request) = (context.caller.id().to_owned(), key.to_owned(), request.to_owned());
    match context.store(move |store| store.claim_reply(&owner, &key, &request, &by)).await? {
        Claim::Yours => Ok(None),
        Claim::Answered(reply) => Ok(Some(reply)),
        Claim::Running => {
            Err(Error::new(Code::KeyInUse, "the first request with this Idempotency-Key is still running")
                .hint("wait a moment and send it again: its answer is then given"))
        }
        Claim::CutOff => {
            let what =
                "the control plane that ran the first request with this Idempotency-Key ended before it was done";
            Err(Error::new(Code::CutOff, format!("{what}; how much of it was done is not known"))
                .hint("look what is there, and ask for it again with a new key"))
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
