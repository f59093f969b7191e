//! What a provider says of a person.

use serde_json::{Map, Value};

/// Longest name of an issuer for a person, bytes (OpenID Connect Core, section 2).
const SUBJECT_BYTES_MAX: usize = 255;
/// Longest address of mail, bytes (RFC 5321).
const EMAIL_BYTES_MAX: usize = 254;
/// Characters of what a person is called that are kept.
const CALLED_CHARS_MAX: usize = 200;
/// Groups of a person that are looked at.
const GROUPS_MAX: usize = 1_000;
/// Claims that the ID token may leave to the endpoint for them.
const MORE: [&str; 4] = ["email", "email_verified", "preferred_username", "groups"];

/// What a provider says of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The issuer's name for the person, which it gives to nobody else.
    pub subject: String,
    /// Their address of mail, in small letters.
    pub email: Option<String>,
    /// Whether the issuer has seen that it is theirs.
    pub is_verified: bool,
    /// What they like to be called.
    pub name: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
}

impl Person {
    /// Reads the claims of an ID token that was checked.
    pub(super) fn read(claims: &Map<String, Value>) -> Result<Self, String> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let subject = subject(claims)?.to_owned();
        let email = text("email").map(str::to_ascii_lowercase).filter(|email| is_address(email));
        // Some providers write the word in place of the value.
        let is_verified = match claims.get("email_verified") {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::String(word)) => word == "true",
            _ => false,
        };
        let groups = match claims.get("groups") {
            Some(Value::Array(all)) => {
                all.iter().filter_map(Value::as_str).take(GROUPS_MAX).map(str::to_owned).collect()
            }
            Some(Value::String(one)) => vec![one.clone()],
            _ => Vec::new(),
        };
        Ok(Self {
            subject,
            is_verified: is_verified && email.is_some(),
            email,
            name: text("preferred_username").map(str::to_owned),
            groups,
        })
    }

    /// What the issuer calls them, for people to read: their address, or the name that they like. Nobody has to have verified it.
    pub fn called(&self) -> Option<String> {
        let called = self.email.as_deref().or(self.name.as_deref())?.trim();
        let plain: String = called.chars().filter(|c| !c.is_control()).take(CALLED_CHARS_MAX).collect();
        Some(plain).filter(|called| !called.is_empty())
    }

    /// The address of mail that the issuer vouches for.
    pub fn verified(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.is_verified)
    }
}

/// The issuer's name for the person of some claims.
pub(super) fn subject(claims: &Map<String, Value>) -> Result<&str, String> {
    let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    let plain = subject.len() <= SUBJECT_BYTES_MAX && subject.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if subject.is_empty() || !plain {
        return Err("`sub` is missing, or no ASCII text of at most 255 bytes".to_owned());
    }
    Ok(subject)
}

/// Whether an ID token leaves something to the endpoint for claims that decides who is let in, and that [`add`] takes.
pub(super) fn lacks(claims: &Map<String, Value>, asks_groups: bool) -> bool {
    !has_email(claims) || (asks_groups && !claims.contains_key("groups"))
}

fn has_email(claims: &Map<String, Value>) -> bool {
    claims.contains_key("email") || claims.contains_key("email_verified")
}

/// Adds what the endpoint for claims says. What the token says stays: an address and whether it was verified are of one source.
pub(super) fn add(claims: &mut Map<String, Value>, said: Map<String, Value>) {
    let has_email = has_email(claims);
    for (name, value) in said {
        let is_of_mail = name.starts_with("email");
        if MORE.contains(&name.as_str()) && !(is_of_mail && has_email) {
            claims.entry(name).or_insert(value);
        }
    }
}

fn is_address(text: &str) -> bool {
    let graphic = text.len() <= EMAIL_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let parts = text.split_once('@').is_some_and(|(one, two)| !one.is_empty() && !two.is_empty() && !two.contains('@'));
    graphic && parts && !text.contains([',', '<', '>', '"'])
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Person, add, lacks};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn only_an_address_that_the_issuer_vouches_for_counts() {
        let read = |claims: Value| Person::read(&map(claims)).unwrap();
        assert_eq!(
            read(json!({"sub": "1", "email": "Ann@Example.com", "email_verified": true})).verified(),
            Some("ann@example.com")
        );
        assert_eq!(read(json!({"sub": "1", "email": "a@b", "email_verified": "true"})).verified(), Some("a@b"));
        for unsure in [
            json!({"sub": "1", "email": "a@b"}),
            json!({"sub": "1", "email": "a@b", "email_verified": false}),
            json!({"sub": "1", "email": "a@b", "email_verified": "false"}),
            json!({"sub": "1", "email": "a@b", "email_verified": 1}),
            json!({"sub": "1", "email": "a@b@c", "email_verified": true}),
            json!({"sub": "1", "email": "@b", "email_verified": true}),
            json!({"sub": "1", "email": "a@b,c@d", "email_verified": true}),
            json!({"sub": "1", "email": ["a@b"], "email_verified": true}),
            json!({"sub": "1", "email_verified": true}),
        ] {
            assert_eq!(read(unsure.clone()).verified(), None, "{unsure}");
        }
        for nobody in
            [json!({}), json!({"sub": ""}), json!({"sub": 7}), json!({"sub": "x".repeat(256)}), json!({"sub": "é"})]
        {
            assert!(Person::read(&map(nobody)).is_err());
        }
    }

    #[test]
    fn an_address_and_its_proof_are_of_one_source() {
        let mut claims = map(json!({"sub": "1", "email": "root@example.com"}));
        assert!(!lacks(&claims, false) && lacks(&claims, true), "what would be said of mail is not taken");
        add(
            &mut claims,
            map(json!({"sub": "1", "email": "eve@example.com", "email_verified": true, "groups": ["a"], "aud": "x"})),
        );
        let person = Person::read(&claims).unwrap();
        assert_eq!((person.verified(), person.groups.as_slice()), (None, ["a".to_owned()].as_slice()));
        assert!(!claims.contains_key("aud"));
        let whole = map(json!({"sub": "1", "email": "root@example.com", "email_verified": false}));
        assert!(!lacks(&whole, false) && lacks(&whole, true));
        let mut claims = map(json!({"sub": "1"}));
        assert!(lacks(&claims, false));
        add(&mut claims, map(json!({"email": "ann@example.com", "email_verified": true})));
        assert_eq!(Person::read(&claims).unwrap().verified(), Some("ann@example.com"));
    }
}
