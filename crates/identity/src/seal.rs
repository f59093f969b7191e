//! Random texts, their keyed hashes, and texts that come back unchanged or not at all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use store::Store;
use store::oauth::Hash;
use subtle::ConstantTimeEq as _;

use crate::Fault;

/// Bytes of a token or secret.
const SECRET_BYTES: usize = 32;

/// Random bytes in base64url.
pub(crate) fn random<const N: usize>() -> Result<String, Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Fault::Random(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A new secret behind a prefix that says what it is.
pub(crate) fn secret(prefix: &str) -> Result<String, Fault> {
    Ok(format!("{prefix}{}", random::<SECRET_BYTES>()?))
}

/// What a secret is for. A hash of one is none of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Client = 1,
    Code = 2,
    Token = 3,
    Consent = 4,
    Passphrase = 5,
    Key = 6,
    Link = 7,
    Session = 8,
    OpenId = 9,
    Nonce = 10,
    Verifier = 11,
}

/// Makes keyed hashes (HMAC-SHA-256) with a key of this installation's file.
#[derive(Clone)]
pub(crate) struct Sealer(Hmac<Sha256>);

impl Sealer {
    pub(crate) fn open(store: &Store) -> Result<Self, Fault> {
        let mut fresh: Hash = [0; 32];
        getrandom::fill(&mut fresh).map_err(|error| Fault::Random(error.to_string()))?;
        let key = store.sealing_key("identity", &fresh)?;
        let keyed = Hmac::new_from_slice(&key).map_err(|error| Fault::Random(error.to_string()))?;
        Ok(Self(keyed))
    }

    pub(crate) fn hash(&self, purpose: Purpose, text: &[u8]) -> Hash {
        let mut keyed = self.0.clone();
        keyed.update(&[purpose as u8]);
        keyed.update(text);
        keyed.finalize().into_bytes().into()
    }

    /// A text with its hash, for a peer that only brings it back.
    pub(crate) fn seal(&self, purpose: Purpose, text: &str) -> String {
        let hash = self.hash(purpose, text.as_bytes());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(hash))
    }

    /// The text of [`Self::seal`]; `None` when it was changed.
    pub(crate) fn unseal(&self, purpose: Purpose, sealed: &str) -> Option<String> {
        let (text, hash) = sealed.split_once('.')?;
        let (text, hash) = (URL_SAFE_NO_PAD.decode(text).ok()?, URL_SAFE_NO_PAD.decode(hash).ok()?);
        let genuine: bool = self.hash(purpose, &text).as_slice().ct_eq(&hash).into();
        genuine.then(|| String::from_utf8(text).ok()).flatten()
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

/// Whether two hashes are equal, in a time that says nothing else.
pub(crate) fn same(a: &Hash, b: &Hash) -> bool {
    a.ct_eq(b).into()
}

/// Whether a verifier belongs to a challenge (RFC 7636, S256).
pub(crate) fn proves(verifier: &str, challenge: &str) -> bool {
    let made = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    made.as_bytes().ct_eq(challenge.as_bytes()).into()
}
