//! Signatures of requests: `t=<unix seconds>,v1=<hex HMAC-SHA256(key, "<t>.<body>")>`.

use std::collections::HashMap;
use std::fmt;

use base::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use sha2::Sha256;

use crate::limits::{CLOCK_WINDOW, SIGNATURES_MAX};

/// The header that shows the signature.
pub const HEADER: &str = "x-signature";

type Tag = [u8; 32];

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no signature, or it cannot be read.
    Malformed,
    /// Its time is too far from this machine's clock.
    Clock,
    /// It is not the signature of this body with this key.
    Wrong,
    /// It was shown before.
    Replayed,
    /// It was made before this shim began, which cannot know whether it was shown before.
    Early,
    /// Too many signatures are remembered.
    Full,
}

impl Refusal {
    /// A word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "missing_signature",
            Self::Clock => "clock_out_of_window",
            Self::Wrong => "bad_signature",
            Self::Replayed => "replayed",
            Self::Early => "too_early",
            Self::Full => "busy",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => {
                "the request shows no signature that can be read: x-signature: t=<unix seconds>,v1=<hex>"
            }
            Self::Clock => "the time of the signature is more than 300 seconds from this machine's clock",
            Self::Wrong => "the signature is not that of this body with the shared secret",
            Self::Replayed => "this signature was used before; sign again in the next second",
            Self::Early => {
                "this signature is older than this shim, which was just started; sign again in the next second"
            }
            Self::Full => "too many requests were made within the last minutes",
        })
    }
}

/// The header of a body, as a caller signs it.
pub fn sign(key: &Secret, seconds: i64, body: &[u8]) -> String {
    let tag = mac(key, seconds, body).finalize().into_bytes();
    let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

fn mac(key: &Secret, seconds: i64, body: &[u8]) -> Hmac<Sha256> {
    // A key of HMAC may have any length.
    let mut mac = <Hmac<Sha256>>::new_from_slice(key.expose().as_bytes())
        .unwrap_or_else(|_| <Hmac<Sha256>>::new(&Default::default()));
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// A signature that is good.
#[derive(Clone, Copy, Debug)]
pub struct Good {
    tag: Tag,
    until: i64,
}

/// Checks signatures, and remembers those that were used for as long as they could be shown again.
#[derive(Debug)]
pub struct Verifier {
    key: Secret,
    /// Signatures of this second and of those before it may have been shown to the shim that was here before.
    began: i64,
    /// Signatures with the second after which their time is out of the window.
    seen: Mutex<HashMap<Tag, i64>>,
}

impl Verifier {
    /// A verifier with a shared key.
    pub fn new(key: Secret) -> Self {
        Self { key, began: i64::MIN, seen: Mutex::default() }
    }

    /// The same, which takes no signature of this second or an earlier one.
    pub fn since(key: Secret, began: i64) -> Self {
        Self { began, ..Self::new(key) }
    }

    /// Checks the signature of a body at a time, and uses it up.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&self, header: Option<&str>, body: &[u8], now: i64) -> Result<(), Refusal> {
        self.take(self.verify(header, body, now)?, now)
    }

    /// Checks the signature of a body at a time. It may be shown again until it is taken.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(&self, header: Option<&str>, body: &[u8], now: i64) -> Result<Good, Refusal> {
        let (seconds, tags) = header.and_then(parse).ok_or(Refusal::Malformed)?;
        let window = i64::try_from(CLOCK_WINDOW.as_secs()).unwrap_or(i64::MAX);
        if now.saturating_sub(seconds).saturating_abs() > window {
            return Err(Refusal::Clock);
        }
        let mac = mac(&self.key, seconds, body);
        // Compared in constant time.
        let good = tags.into_iter().find(|tag| mac.clone().verify_slice(tag).is_ok()).ok_or(Refusal::Wrong)?;
        if seconds <= self.began {
            return Err(Refusal::Early);
        }
        if self.seen.lock().contains_key(&good) {
            return Err(Refusal::Replayed);
        }
        Ok(Good { tag: good, until: seconds.saturating_add(window) })
    }

    /// Uses a signature up: it is good once.
    ///
    /// # Errors
    /// Somebody else used it meanwhile, or too many are remembered.
    pub fn take(&self, Good { tag, until }: Good, now: i64) -> Result<(), Refusal> {
        let mut seen = self.seen.lock();
        if seen.len() >= SIGNATURES_MAX {
            seen.retain(|_, until| *until >= now);
        }
        if seen.contains_key(&tag) {
            return Err(Refusal::Replayed);
        }
        if seen.len() >= SIGNATURES_MAX {
            return Err(Refusal::Full);
        }
        seen.insert(tag, until);
        Ok(())
    }

    /// Gives a signature back: nothing came of it.
    pub fn give_back(&self, Good { tag, .. }: Good) {
        self.seen.lock().remove(&tag);
    }
}

/// The time, and every `v1` signature.
fn parse(header: &str) -> Option<(i64, Vec<Tag>)> {
    let mut seconds = None;
    let mut tags = Vec::new();
    for part in header.split(',').take(8) {
        match part.trim().split_once('=')? {
            ("t", value) => seconds = Some(value.parse().ok()?),
            ("v1", value) => tags.push(tag(value)?),
            _ => {}
        }
    }
    Some((seconds?, tags)).filter(|(_, tags)| !tags.is_empty())
}

fn tag(hex: &str) -> Option<Tag> {
    let mut tag = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in tag.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(tag)
}

/// This machine's clock, seconds since 1970.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_the_recorded_one() {
        // Computed with `openssl dgst -sha256 -hmac secret` over `1700000000.{"prompt":"hi"}`.
        let header = sign(&Secret::new("secret"), 1_700_000_000, br#"{"prompt":"hi"}"#);
        assert_eq!(header, "t=1700000000,v1=daad25e43cbeb0a062ea919fab5bad79585fba5fa7f94549a932da6942a971e3");
    }

    #[test]
    fn what_is_not_exactly_right_is_refused() {
        let verifier = Verifier::new(Secret::new("secret"));
        let good = sign(&Secret::new("secret"), 1_000, b"body");
        let check = |header: &str, body: &[u8], now| verifier.check(Some(header), body, now);
        assert_eq!(verifier.check(None, b"body", 1_000), Err(Refusal::Malformed));
        for header in ["", "t=1000", "v1=00", "t=x,v1=00", "t=1000,v1=zz", &good[..good.len() - 1]] {
            assert_eq!(check(header, b"body", 1_000), Err(Refusal::Malformed), "{header}");
        }
        assert_eq!(check(&good, b"other", 1_000), Err(Refusal::Wrong));
        assert_eq!(check(&good.replace("t=1000", "t=1001"), b"body", 1_000), Err(Refusal::Wrong));
        assert_eq!(check(&sign(&Secret::new("other"), 1_000, b"body"), b"body", 1_000), Err(Refusal::Wrong));
        assert_eq!(check(&good, b"body", 1_301), Err(Refusal::Clock));
        assert_eq!(check(&good, b"body", 699), Err(Refusal::Clock));
        assert_eq!(check(&good, b"body", 1_300), Ok(()), "the window is 300 seconds");
        assert_eq!(check(&good, b"body", 1_000), Err(Refusal::Replayed));
        assert_eq!(
            check(&good.to_uppercase().replace("T=", "t=").replace("V1=", "v1="), b"body", 1_000),
            Err(Refusal::Replayed)
        );
    }

    #[test]
    fn a_signature_is_good_until_it_is_taken_and_never_from_before_the_beginning() {
        let verifier = Verifier::since(Secret::new("secret"), 1_000);
        let sign = |seconds| sign(&Secret::new("secret"), seconds, b"body");
        let verify = |header: &str| verifier.verify(Some(header), b"body", 1_001);
        assert_eq!(verify(&sign(1_000)).unwrap_err(), Refusal::Early, "it may have been shown before");
        let header = sign(1_001);
        let (one, other) = (verify(&header).unwrap(), verify(&header).unwrap());
        assert_eq!(verifier.take(one, 1_001), Ok(()));
        assert_eq!(verifier.take(other, 1_001), Err(Refusal::Replayed), "only one of them");
        assert_eq!(verify(&header).unwrap_err(), Refusal::Replayed);
        verifier.give_back(one);
        assert!(verify(&header).is_ok());
    }
}
