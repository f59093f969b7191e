//! People who come from a provider of OpenID Connect.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use store::accounts::{Account, Arrived, Identity};

use super::{ACCOUNTS_MAX, Accounts, Entered, NAME_CHARS_MAX, Refused, Role, Way, plain};
use crate::openid::{Failure, Kind, OpenId, Person};

/// Letters that tell two people apart who would be called the same.
const MARK_CHARS: usize = 8;

/// How somebody came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// To the account that is theirs.
    Known,
    /// To an account that was there before, and is tied to them now.
    Tied,
    /// To a new account.
    Made,
}

impl Came {
    /// The word of the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Tied => "tied",
            Self::Made => "made",
        }
    }
}

impl Accounts {
    /// Signs in whom a provider has named: whoever has an account that is tied to them, and whoever the operator lets in.
    /// Blocks.
    ///
    /// # Errors
    /// They are not let in, or there is another account of their name.
    pub fn enter_by(&self, openid: &OpenId, person: &Person) -> Result<(Entered, Came), Failure> {
        let settings = openid.settings();
        let identity = Identity { issuer: settings.issuer.clone(), subject: person.subject.clone() };
        if let Some(account) = self.store.account_of(&identity)? {
            return Ok((self.entered(account, &identity, person)?, Came::Known));
        }
        let role = settings.allow.role(person).ok_or_else(|| stranger(person))?;
        let address = person.verified().and_then(plain);
        let ties = address.as_ref().is_some_and(|address| settings.allow.names(address));
        for name in names(address.clone(), person, &identity) {
            let new = self.made(&name, role, None).map_err(unfit)?;
            let arrived = self.store.arrive(&identity, &new, ties, Role::Owner.as_str(), ACCOUNTS_MAX)?;
            let (account, came) = match arrived {
                Arrived::Known(account) => (account, Came::Known),
                Arrived::Tied(account) => (account, Came::Tied),
                Arrived::Made(account) => (account, Came::Made),
                // Who is called by a name that nobody vouches for gets another one.
                Arrived::Taken if address.is_none() => continue,
                Arrived::Taken => {
                    let why = format!(
                        "there is an account `{name}`, and the list of who is let in does not name this address itself"
                    );
                    return Err(Failure::new(Kind::Taken, why));
                }
                Arrived::Others => {
                    let why = format!(
                        "the account `{name}` belongs to another person of the provider, who had this address before"
                    );
                    return Err(Failure::new(Kind::Taken, why));
                }
                Arrived::NoOwner => {
                    return Err(Failure::new(Kind::Stranger, "there is no owner yet, and only one can be the first"));
                }
                Arrived::Full => {
                    return Err(Failure::new(Kind::Stranger, format!("there are {ACCOUNTS_MAX} accounts already")));
                }
            };
            self.view.write().exist = true;
            return Ok((self.entered(account, &identity, person)?, came));
        }
        Err(Failure::new(Kind::Taken, "there are accounts of every name that the person could have"))
    }

    fn entered(&self, mut account: Account, identity: &Identity, person: &Person) -> Result<Entered, Failure> {
        // What the provider calls the person tells a reader whose account it is; nothing is decided by it.
        let known = account.tied.as_ref().filter(|tied| tied.issuer == identity.issuer);
        let news = person.called().filter(|called| known.is_none_or(|tied| tied.called.as_ref() != Some(called)));
        if let Some(called) = news {
            self.store.call(identity, &called)?;
            if let Some(tied) = account.tied.as_mut().filter(|tied| tied.issuer == identity.issuer) {
                tied.called = Some(called);
            }
        }
        self.enter(account, Way::OpenId).map_err(unfit)
    }
}

fn unfit(refused: Refused) -> Failure {
    Failure::new(Kind::Fault, refused.to_string())
}

fn stranger(person: &Person) -> Failure {
    let why = match (&person.email, person.is_verified) {
        (Some(address), true) => format!("nobody let `{address}` in"),
        (Some(_), false) => {
            "the provider does not vouch for the person's address, and no group of theirs is let in".to_owned()
        }
        (None, _) => "the provider names no address of the person, and no group of theirs is let in".to_owned(),
    };
    Failure::new(Kind::Stranger, why)
}

/// What the account of a person may be called, the best name first. An address that the provider vouches for is the only name;
/// no other one looks like an address, so that nobody is taken for somebody else.
fn names(address: Option<String>, person: &Person, identity: &Identity) -> Vec<String> {
    if let Some(address) = address {
        return vec![address];
    }
    let digest = Sha256::digest(format!("{}\0{}", identity.issuer, identity.subject));
    let mark = URL_SAFE_NO_PAD.encode(digest).to_ascii_lowercase().replace(['-', '_'], "0");
    let mark = &mark[..MARK_CHARS];
    let liked = person.name.as_deref().and_then(plain).filter(|name| !name.contains('@'));
    let liked = liked.filter(|name| name.len() < NAME_CHARS_MAX - MARK_CHARS);
    let marked = format!("{}-{mark}", liked.as_deref().unwrap_or("openid"));
    liked.into_iter().chain([marked]).collect()
}
