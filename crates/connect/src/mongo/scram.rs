//! Shows that a password is known without sending it: SCRAM (RFC 5802, RFC 7677) as MongoDB uses it.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use ring::{digest, hmac, pbkdf2};

use super::url::{Login, Mechanism};

/// Fewest rounds that a server may ask for; fewer would make the password easy to guess.
const ROUNDS_MIN: u32 = 4096;
/// Most rounds that a server may ask for; more would only keep us busy.
const ROUNDS_MAX: u32 = 200_000;
/// Random bytes of our part.
const NONCE_BYTES: usize = 24;

impl Mechanism {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
        }
    }

    fn hmac(self, key: &[u8], text: &[u8]) -> hmac::Tag {
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), text)
    }

    fn digest(self, bytes: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
        };
        digest::digest(algorithm, bytes)
    }

    /// What stands for the password.
    fn secret(self, login: &Login) -> Result<Vec<u8>, String> {
        let (user, password) = (&login.user, login.password.expose());
        match self {
            Self::Sha1 => {
                let digest = Md5::digest(format!("{user}:mongo:{password}"));
                Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes())
            }
            Self::Sha256 => stringprep::saslprep(password)
                .map(|text| text.as_bytes().to_vec())
                .map_err(|_| "the password holds characters that SASLprep (RFC 4013) does not allow".to_owned()),
        }
    }

    fn salted(self, secret: &[u8], salt: &[u8], rounds: NonZeroU32) -> Vec<u8> {
        let (algorithm, length) = match self {
            Self::Sha1 => (pbkdf2::PBKDF2_HMAC_SHA1, digest::SHA1_OUTPUT_LEN),
            Self::Sha256 => (pbkdf2::PBKDF2_HMAC_SHA256, digest::SHA256_OUTPUT_LEN),
        };
        let mut salted = vec![0; length];
        pbkdf2::derive(algorithm, rounds, salt, secret, &mut salted);
        salted
    }
}

/// A login under way.
pub(super) struct Scram {
    mechanism: Mechanism,
    nonce: String,
    first: String,
}

impl Scram {
    /// Begins with random bytes of the system.
    pub(super) fn new(mechanism: Mechanism, login: &Login) -> Result<Self, String> {
        let mut random = [0; NONCE_BYTES];
        getrandom::fill(&mut random).map_err(|error| format!("the system gives no random numbers: {error}"))?;
        Ok(Self::with_nonce(mechanism, login, STANDARD.encode(random)))
    }

    fn with_nonce(mechanism: Mechanism, login: &Login, nonce: String) -> Self {
        let user = login.user.replace('=', "=3D").replace(',', "=2C");
        let first = format!("n={user},r={nonce}");
        Self { mechanism, nonce, first }
    }

    /// What is sent first.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.first)
    }

    /// What is sent after the server's first words, and what the server must say to that.
    pub(super) fn last(&self, said: &str, login: &Login) -> Result<(String, String), String> {
        let field = |name: &str| {
            let found = said.split(',').find_map(|part| part.strip_prefix(name));
            found.ok_or_else(|| "the server's part of the login cannot be read".to_owned())
        };
        let nonce = field("r=")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the server's part of the login does not belong to ours".to_owned());
        }
        let salt = STANDARD.decode(field("s=")?).map_err(|_| "the server's salt cannot be read".to_owned())?;
        let rounds = field("i=")?.parse().ok().filter(|rounds| (ROUNDS_MIN..=ROUNDS_MAX).contains(rounds));
        let rounds = rounds
            .and_then(NonZeroU32::new)
            .ok_or_else(|| format!("the server asks for fewer than {ROUNDS_MIN} or more than {ROUNDS_MAX} rounds"))?;
        let salted = self.mechanism.salted(&self.mechanism.secret(login)?, &salt, rounds);
        let without_proof = format!("c=biws,r={nonce}");
        let all = format!("{},{said},{without_proof}", self.first);
        let client = self.mechanism.hmac(&salted, b"Client Key");
        let stored = self.mechanism.digest(client.as_ref());
        let signature = self.mechanism.hmac(stored.as_ref(), all.as_bytes());
        let proof: Vec<u8> = client.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        let server = self.mechanism.hmac(&salted, b"Server Key");
        let expected = self.mechanism.hmac(server.as_ref(), all.as_bytes());
        Ok((format!("{without_proof},p={}", STANDARD.encode(proof)), format!("v={}", STANDARD.encode(expected))))
    }
}

#[cfg(test)]
mod tests {
    use base::Secret;

    use super::{Login, Mechanism, Scram};

    fn login(user: &str, password: &str) -> Login {
        Login { user: user.to_owned(), password: Secret::new(password), source: "admin".to_owned(), mechanism: None }
    }

    /// Of the specification of MongoDB's drivers.
    #[test]
    fn the_published_examples_come_out() {
        let login = login("user", "pencil");
        let scram = Scram::with_nonce(Mechanism::Sha1, &login, "fyko+d2lbbFgONRv9qkxdawL".to_owned());
        assert_eq!(scram.first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        let said = "r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,s=rQ9ZY3MntBeuP3E1TDVC4w==,i=10000";
        let (last, expected) = scram.last(said, &login).unwrap();
        assert!(last.ends_with(",p=MC2T8BvbmWRckDw8oWl5IVghwCY="), "{last}");
        assert_eq!(expected, "v=UMWeI25JD1yNYZRMpZ4VHvhZ9e0=");

        let scram = Scram::with_nonce(Mechanism::Sha256, &login, "rOprNGfwEbeRWgbNEkqO".to_owned());
        let said = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let (last, expected) = scram.last(said, &login).unwrap();
        assert!(last.ends_with(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), "{last}");
        assert_eq!(expected, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn a_server_cannot_ask_for_anything() {
        let login = login("a=b,c", "pencil");
        let scram = Scram::with_nonce(Mechanism::Sha256, &login, "abc".to_owned());
        assert_eq!(scram.first(), "n,,n=a=3Db=2Cc,r=abc");
        for said in
            ["", "r=abc,s=AA==,i=4096", "r=xbcd,s=AA==,i=4096", "r=abcd,s=AA==,i=1", "r=abcd,s=AA==,i=999999999"]
        {
            assert!(scram.last(said, &login).is_err(), "{said}");
        }
    }
}
