//! State that travels through the client and must come back unchanged (2026-07-28, multi round-trip requests).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use crate::clock;

/// Seconds for which sealed state is accepted.
pub const STATE_LIFETIME_S: u64 = 15 * 60;
/// Longest state that is accepted back, in bytes of its written form.
pub const MAX_STATE: usize = 64 * 1024;

const TAG: usize = 32;
const EXPIRY: usize = 8;

/// Seals and opens request state with a key of this process or a key shared by several.
#[derive(Clone)]
pub(crate) struct Sealer(Hmac<Sha256>);

/// What a state is bound to besides its content.
pub(crate) struct Binding<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) principal: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) name: &'a str,
    pub(crate) arguments: &'a str,
}

impl Sealer {
    /// A key that lives as long as the process.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut key = [0u8; 32];
        getrandom::fill(&mut key)?;
        Ok(Self::with_key(&key))
    }

    /// A given key, so that several processes can open each other's state. At least 32 random bytes.
    pub(crate) fn with_key(key: &[u8]) -> Self {
        // Hashed to one length; HMAC itself pads with zeros to the block size.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..TAG].copy_from_slice(&Sha256::digest(key));
        Self(Hmac::new(&block))
    }

    /// The written form: base64url of expiry, content and tag.
    pub(crate) fn seal(&self, binding: &Binding<'_>, content: &[u8]) -> String {
        let expiry = (clock::unix_seconds() + STATE_LIFETIME_S).to_be_bytes();
        let mut bytes = Vec::with_capacity(EXPIRY + content.len() + TAG);
        bytes.extend_from_slice(&expiry);
        bytes.extend_from_slice(content);
        let tag = self.mac(binding, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The content, if the state is ours, unexpired, and of this caller and this very request.
    pub(crate) fn open(&self, binding: &Binding<'_>, sealed: &str) -> Option<Bytes> {
        if sealed.len() > MAX_STATE {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        self.mac(binding, signed).verify_slice(tag).ok()?;
        let (expiry, content) = signed.split_first_chunk::<EXPIRY>()?;
        (u64::from_be_bytes(*expiry) >= clock::unix_seconds()).then(|| Bytes::copy_from_slice(content))
    }

    fn mac(&self, binding: &Binding<'_>, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        let parts = [
            binding.endpoint.as_bytes(),
            binding.principal.unwrap_or_default().as_bytes(),
            &[u8::from(binding.principal.is_some())],
            binding.method.as_bytes(),
            binding.name.as_bytes(),
            binding.arguments.as_bytes(),
            signed,
        ];
        for part in parts {
            // Lengths first, so that no two bindings share a serialisation.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::{Binding, Sealer};

    const BINDING: Binding<'_> =
        Binding { endpoint: "e", principal: Some("p"), method: "tools/call", name: "t", arguments: "{}" };

    #[test]
    fn state_comes_back_and_only_to_where_it_belongs() {
        let sealer = Sealer::with_key(b"key");
        let sealed = sealer.seal(&BINDING, b"round 1");
        assert_eq!(sealer.open(&BINDING, &sealed).as_deref(), Some(b"round 1".as_slice()));
        for other in [
            Binding { endpoint: "f", ..BINDING },
            Binding { principal: Some("q"), ..BINDING },
            Binding { principal: None, ..BINDING },
            Binding { name: "u", ..BINDING },
            Binding { arguments: "{ }", ..BINDING },
        ] {
            assert!(sealer.open(&other, &sealed).is_none());
        }
        assert!(Sealer::with_key(b"other").open(&BINDING, &sealed).is_none());
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let sealer = Sealer::with_key(b"key");
        let sealed = sealer.seal(&BINDING, b"x");
        for index in 0..sealed.len() - 1 {
            let mut changed = sealed.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            assert!(sealer.open(&BINDING, &String::from_utf8(changed).unwrap()).is_none(), "at {index}");
        }
        assert!(sealer.open(&BINDING, "").is_none());
    }
}
