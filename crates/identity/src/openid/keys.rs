//! The keys of an issuer (RFC 7517), and whether one of them signed a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde_json::Value;

use super::jwt::{Algorithm, Jwt};

/// Keys of an issuer that are looked at.
const KEYS_MAX: usize = 100;
/// Bytes of a number of the curve P-256, and of a key of Ed25519.
const NUMBER_BYTES: usize = 32;

/// The keys of an issuer that can sign ID tokens.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    name: Option<String>,
    /// The only algorithm that it is for, if it says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// Both numbers, after the byte that says so (SEC 1, section 2.3.3).
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// What keys say of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One of them signed it.
    Signed,
    /// The key that it names, or every key that could have, did not.
    Forged,
    /// None of them could have.
    UnknownKey,
}

impl Keys {
    /// Reads a set. Keys that are for something else, or of a kind that is not known, are left out.
    pub(super) fn read(set: &Value) -> Option<Self> {
        let all = set.get("keys")?.as_array()?;
        Some(Self(all.iter().take(KEYS_MAX).filter_map(key).collect()))
    }

    /// Whether one of them signed a token.
    pub(super) fn verify(&self, jwt: &Jwt<'_>) -> Verdict {
        let named = |key: &&Key| jwt.key.is_none() || jwt.key == key.name;
        let mut fitting = self.0.iter().filter(named).filter(|key| key.is_for(jwt.algorithm)).peekable();
        if fitting.peek().is_none() {
            return Verdict::UnknownKey;
        }
        if fitting.any(|key| key.material.signed(jwt)) { Verdict::Signed } else { Verdict::Forged }
    }
}

impl Key {
    fn is_for(&self, algorithm: Algorithm) -> bool {
        let of_kind = match &self.material {
            Material::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::Ed25519(_) => algorithm == Algorithm::Ed25519,
        };
        of_kind && self.algorithm.is_none_or(|only| only == algorithm)
    }
}

impl Material {
    fn signed(&self, jwt: &Jwt<'_>) -> bool {
        let Jwt { algorithm, signed, signature, .. } = jwt;
        let done = match self {
            Self::Rsa { n, e } => {
                let how = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }.verify(how, signed, signature)
            }
            Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature),
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(signed, signature),
        };
        done.is_ok()
    }
}

fn key(value: &Value) -> Option<Key> {
    let text = |name: &str| value[name].as_str();
    let is_for_signing = text("use").is_none_or(|word| word == "sig");
    let verifies = value
        .get("key_ops")
        .is_none_or(|all| all.as_array().is_some_and(|all| all.iter().any(|one| one.as_str() == Some("verify"))));
    if !is_for_signing || !verifies {
        return None;
    }
    let algorithm = match text("alg") {
        Some(word) => Some(Algorithm::of_word(word)?),
        None => None,
    };
    let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let of_curve = |name: &str| number(name).filter(|bytes| bytes.len() == NUMBER_BYTES);
    let material = match (text("kty")?, text("crv")) {
        ("RSA", _) => Material::Rsa { n: positive(number("n")?), e: positive(number("e")?) },
        ("EC", Some("P-256")) => Material::P256([&[4], &*of_curve("x")?, &*of_curve("y")?].concat()),
        ("OKP", Some("Ed25519")) => Material::Ed25519(of_curve("x")?),
        _ => return None,
    };
    Some(Key { name: text("kid").map(str::to_owned), algorithm, material })
}

/// A number without zeros before it, which some providers write.
fn positive(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::jwt::Jwt;
    use super::{Keys, Verdict};

    /// RFC 7515, appendix A.2: RS256.
    const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const RS256_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    /// RFC 7515, appendix A.3: ES256.
    const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const ES256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const ES256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn verdict(keys: &serde_json::Value, text: &str) -> Verdict {
        Keys::read(&json!({ "keys": keys })).unwrap().verify(&Jwt::parse(text).unwrap())
    }

    #[test]
    fn the_examples_of_the_standards_are_signed_and_with_one_letter_changed_are_not() {
        let rsa = json!({"kty": "RSA", "n": RS256_N, "e": "AQAB"});
        let p256 = json!({"kty": "EC", "crv": "P-256", "x": ES256_X, "y": ES256_Y});
        for (text, key) in [(RS256, &rsa), (ES256, &p256)] {
            assert_eq!(verdict(&json!([key]), text), Verdict::Signed);
            let (signed, signature) = text.rsplit_once('.').unwrap();
            for at in [0, signature.len() / 2, signature.len() - 3] {
                let letter = if &signature[at..=at] == "A" { "B" } else { "A" };
                let changed = format!("{signed}.{}{letter}{}", &signature[..at], &signature[at + 1..]);
                assert_eq!(verdict(&json!([key]), &changed), Verdict::Forged);
            }
            let other = text.replacen("Jqb2Ui", "Jqb2Yi", 1);
            assert_eq!(verdict(&json!([key]), &other), Verdict::Forged, "another claim");
            assert_eq!(verdict(&json!([rsa, p256]), text), Verdict::Signed, "one of several");
        }
        assert_eq!(verdict(&json!([p256]), RS256), Verdict::UnknownKey);
        assert_eq!(verdict(&json!([]), RS256), Verdict::UnknownKey);
    }

    #[test]
    fn a_key_signs_only_what_it_is_for() {
        let key = |more: serde_json::Value| {
            let mut key = json!({"kty": "RSA", "n": RS256_N, "e": "AQAB"});
            key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!([key])
        };
        for good in
            [json!({"use": "sig"}), json!({"alg": "RS256"}), json!({"key_ops": ["verify"]}), json!({"kid": "a"})]
        {
            assert_eq!(verdict(&key(good.clone()), RS256), Verdict::Signed, "{good}");
        }
        for other in [
            json!({"use": "enc"}),
            json!({"alg": "PS256"}),
            json!({"alg": "RSA-OAEP"}),
            json!({"key_ops": ["wrapKey"]}),
        ] {
            assert_eq!(verdict(&key(other.clone()), RS256), Verdict::UnknownKey, "{other}");
        }
        assert_eq!(
            verdict(
                &json!([{"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, 7]),
                ES256
            ),
            Verdict::UnknownKey
        );
        assert!(Keys::read(&json!({"keys": {}})).is_none() && Keys::read(&json!([])).is_none());
    }
}
