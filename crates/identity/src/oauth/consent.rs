//! The question to the owner: it goes through the browser sealed, and comes back from the same browser or not at all.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::authorize::{Asked, seconds};
use super::refusal::Refusal;
use super::{Approval, Authority};
use crate::Fault;
use crate::buckets::Taken;
use crate::seal::{self, Purpose};

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Question {
    asked: Asked,
    /// Another sealed text, which the browser keeps.
    browser: String,
    expires_at: i64,
}

impl Authority {
    /// Whether nobody is asked.
    pub fn approves_by_itself(&self) -> bool {
        matches!(self.settings.approval, Approval::Automatic)
    }

    /// Whether people are asked who have accounts.
    pub fn asks_accounts(&self) -> bool {
        matches!(self.settings.approval, Approval::Accounts)
    }

    /// A random text that a browser keeps, so that only it can answer.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn new_browser(&self) -> Result<String, Fault> {
        seal::random::<16>()
    }

    /// Seals a question for a browser.
    ///
    /// # Errors
    /// There are none but those of the program itself.
    pub fn question(&self, asked: &Asked, browser: &str) -> Result<String, Refusal> {
        let expires_at = self.clock.now() + seconds(self.settings.lifetimes.consent);
        let question = Question { asked: asked.clone(), browser: browser.to_owned(), expires_at };
        let text = serde_json::to_string(&question)
            .map_err(|_| Refusal::new(500, "server_error", "the question cannot be written"))?;
        Ok(self.sealer.seal(Purpose::Consent, &text))
    }

    /// The question that comes back from a browser.
    ///
    /// # Errors
    /// It was changed, it is too old, or another browser was asked.
    pub fn questioned(&self, sealed: &str, browser: Option<&str>) -> Result<Asked, Refusal> {
        let question = self.sealer.unseal(Purpose::Consent, sealed);
        let question: Option<Question> = question.and_then(|text| serde_json::from_str(&text).ok());
        match question {
            Some(question) if question.expires_at <= self.clock.now() => {
                Err(Refusal::request("this page is too old; start again in the program that sent you here"))
            }
            Some(question) if browser == Some(question.browser.as_str()) => Ok(question.asked),
            _ => Err(Refusal::new(
                403,
                "access_denied",
                "this answer does not belong to a page that this browser was shown; start again in the program that sent you here",
            )),
        }
    }

    /// Whether this is the owner's passphrase.
    ///
    /// # Errors
    /// Too many wrong ones from this address: says when to try again.
    pub fn is_owner(&self, address: IpAddr, passphrase: &str) -> Result<bool, Refusal> {
        let Some(known) = &self.passphrase else { return Ok(false) };
        if let Taken::No { wait } = self.tries.look(&address) {
            return Err(Refusal::too_many(
                "wrong passphrases",
                self.settings.limits.passphrases.spent("passphrases", wait),
            ));
        }
        let right = seal::same(known, &self.sealer.hash(Purpose::Passphrase, passphrase.trim().as_bytes()));
        if !right {
            self.tries.take(&address);
        }
        Ok(right)
    }
}

/// Shortest passphrase of an owner, characters.
pub const PASSPHRASE_CHARS_MIN: usize = 12;

/// A passphrase that nobody guesses (80 random bits) and everybody can copy by hand.
///
/// # Errors
/// The system has no random bytes.
pub fn new_passphrase() -> Result<String, Fault> {
    // Without letters that are read as digits.
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Fault::Random(error.to_string()))?;
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}
