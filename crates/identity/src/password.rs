//! Passwords, kept as Argon2id hashes (RFC 9106).

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use subtle::ConstantTimeEq as _;

use crate::Fault;

/// Shortest password, characters. Length is all that is asked for (NIST SP 800-63B).
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, bytes.
pub const PASSWORD_BYTES_MAX: usize = 1_000;
/// Memory of one hash, KiB; with two passes, as OWASP recommends.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// One at a time: many at once would take the memory of everybody else.
static TURN: Mutex<()> = Mutex::new(());

/// Whether it can be a password.
pub(crate) fn will_do(password: &str) -> bool {
    password.len() <= PASSWORD_BYTES_MAX && password.chars().count() >= PASSWORD_CHARS_MIN
}

/// The hash of a password with all that checking needs. Takes some 20 ms of processor time.
pub(crate) fn hash(password: &str) -> Result<String, Fault> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|error| Fault::Random(error.to_string()))?;
    let made = derive(password, &salt, MEMORY_KIB, PASSES)
        .ok_or_else(|| Fault::Random("a password cannot be hashed".to_owned()))?;
    let (salt, made) = (URL_SAFE_NO_PAD.encode(salt), URL_SAFE_NO_PAD.encode(made));
    Ok(format!("argon2id.{MEMORY_KIB}.{PASSES}.{salt}.{made}"))
}

/// Whether this is the password of a hash. Without a hash the answer is no, after as long a time.
pub(crate) fn is(password: &str, known: Option<&str>) -> bool {
    const NOBODYS: &str = "argon2id.19456.2.AAAAAAAAAAAAAAAAAAAAAA.";
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    let compared = compare(password, known.unwrap_or(NOBODYS)).unwrap_or_default();
    known.is_some() && compared
}

fn compare(password: &str, known: &str) -> Option<bool> {
    let mut parts = known.split('.');
    let ("argon2id", memory, passes) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?) else {
        return None;
    };
    let (salt, wanted) = (URL_SAFE_NO_PAD.decode(parts.next()?).ok()?, URL_SAFE_NO_PAD.decode(parts.next()?).ok()?);
    let made = derive(password, &salt, memory, passes)?;
    Some(made.as_slice().ct_eq(&wanted).into())
}

fn derive(password: &str, salt: &[u8], memory: u32, passes: u32) -> Option<[u8; HASH_BYTES]> {
    let params = Params::new(memory, passes, 1, Some(HASH_BYTES)).ok()?;
    let mut out = [0; HASH_BYTES];
    let _turn = TURN.lock();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut out)
        .ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{hash, is, will_do};

    #[test]
    fn a_hash_knows_its_password_alone() {
        let (one, two) = (hash("correct horse battery").unwrap(), hash("correct horse battery").unwrap());
        assert_ne!(one, two, "each has a salt of its own");
        assert!(is("correct horse battery", Some(&one)) && is("correct horse battery", Some(&two)));
        assert!(!is("correct horse batterz", Some(&one)) && !is("", Some(&one)) && !is("correct horse battery", None));
        for broken in ["", "argon2id", "argon2id.1.1.x.y", "argon2id.19456.2.!.!", &one.replace("argon2id", "plain")] {
            assert!(!is("correct horse battery", Some(broken)), "{broken}");
        }
        assert!(will_do("twelve chars") && !will_do("eleven char") && !will_do(&"x".repeat(1_001)));
    }
}
