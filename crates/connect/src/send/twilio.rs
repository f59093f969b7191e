//! Short messages by Twilio's API, or one like it.
//!
//! <https://www.twilio.com/docs/messaging/api/message-resource>

use base::Secret;
use serde::Serialize;
use serde_json::Value;

use super::{Limits, fault, words};
use crate::egress::{Policy, Resolver, system_resolver};
use crate::http::{Api, Body, Call, Credentials, Method, Reply, Settings, StatusCode};
use crate::{Error, ErrorKind, Job};

/// Where Twilio serves it.
const API: &str = "https://api.twilio.com";
/// What is attempted, for errors.
const SEND: &str = "send a short message";

/// How the API is reached.
#[derive(Clone)]
pub struct TwilioSettings {
    /// The account (`AC…`).
    pub account: String,
    /// The user of the login; the account when not said. With an API key it is the key's identifier (`SK…`).
    pub user: Option<String>,
    /// The token of the account, or the secret of the API key.
    pub secret: Secret,
    /// The number that messages come from, or a messaging service (`MG…`).
    pub from: String,
    /// Where the API is; Twilio itself when not said.
    pub base: Option<Secret>,
    /// Bounds of a message.
    pub limits: Limits,
    /// Where requests may go.
    pub policy: Policy,
    /// How names become addresses.
    pub resolver: Resolver,
}

impl TwilioSettings {
    /// Twilio itself.
    pub fn new(account: impl Into<String>, secret: Secret, from: impl Into<String>) -> Self {
        Self {
            account: account.into(),
            user: None,
            secret,
            from: from.into(),
            base: None,
            limits: Limits::default(),
            policy: Policy::default(),
            resolver: system_resolver(),
        }
    }
}

/// A connection to the API.
pub struct Twilio {
    name: String,
    api: Api,
    account: String,
    from: String,
    limits: Limits,
}

/// A short message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sms {
    /// The number that it goes to (E.164: `+41791234567`).
    pub to: String,
    /// The text.
    pub text: String,
    /// The number that it comes from, when not that of the connection.
    pub from: Option<String>,
}

/// What became of a short message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Texted {
    /// Its identifier.
    pub id: String,
    /// `queued`, `accepted`, `sent`.
    pub status: String,
    /// In how many segments it is sent.
    pub segments: usize,
}

impl Twilio {
    /// Checks the settings. Nothing is sent.
    pub fn open(name: &str, settings: TwilioSettings) -> Result<Self, Error> {
        let config = |message: &str| fault(name, ErrorKind::Config, "open", message);
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !plain(&settings.account) {
            return Err(config("the account is no identifier of letters and digits"));
        }
        if !is_sender(&settings.from) {
            return Err(config(
                "`from` is neither a number (`+15551234567`), a messaging service (`MG…`) nor a sender's name",
            ));
        }
        let user = settings.user.unwrap_or_else(|| settings.account.clone());
        let api = Api::open(Settings {
            credentials: Credentials::Basic { user, password: settings.secret },
            policy: settings.policy,
            resolver: settings.resolver,
            ..Settings::new(name, settings.base.unwrap_or_else(|| Secret::new(API)))
        })?;
        let (account, from, limits) = (settings.account, settings.from, settings.limits);
        Ok(Self { name: name.to_owned(), api, account, from, limits })
    }

    /// Sends a short message.
    pub async fn send(&self, sms: &Sms, job: &Job) -> Result<Texted, Error> {
        if !is_number(&sms.to) {
            let shown = words(&sms.to);
            let mut error = self.fault(ErrorKind::Value, format!("`{shown}` is no number as E.164 writes them"));
            error.hint =
                Some("write `+`, the code of the country and the number, digits alone: +41791234567".to_owned());
            return Err(error);
        }
        let from = sms.from.as_ref().unwrap_or(&self.from);
        if !is_sender(from) {
            return Err(self.fault(ErrorKind::Value, format!("`{}` cannot send short messages", words(from))));
        }
        if sms.text.is_empty() {
            return Err(self.fault(ErrorKind::Value, "the message has no text"));
        }
        let count = segments(&sms.text);
        if count > self.limits.segments {
            let most = self.limits.segments;
            return Err(
                self.fault(ErrorKind::Limit, format!("the text takes {count} segments, and {most} are the most"))
            );
        }
        let service = from.starts_with("MG") && from.len() == SERVICE_CHARS;
        let sender = if service { "MessagingServiceSid" } else { "From" };
        let form = [("To", &sms.to), (sender, from), ("Body", &sms.text)];
        let mut call = Call::new(Method::POST, format!("/2010-04-01/Accounts/{}/Messages.json", self.account));
        call.body = Body::Form(form.map(|(name, value)| (name.to_owned(), value.clone())).to_vec());
        let reply = self.api.send(&call, job.deadline, &job.cancel).await.map_err(|mut error| {
            error.attempted = SEND;
            error
        })?;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if !reply.status.is_success() {
            return Err(self.refused(&reply, &answer));
        }
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        let told = answer["num_segments"].as_str().and_then(|text| text.parse().ok()).filter(|count| *count > 0);
        Ok(Texted { id: text("sid"), status: text("status"), segments: told.unwrap_or(count) })
    }

    fn refused(&self, reply: &Reply, answer: &Value) -> Error {
        let code = answer["code"].as_u64();
        let kind = match (reply.status.as_u16(), code) {
            (429, _) | (_, Some(20429 | 14107)) => ErrorKind::Transient,
            (500.., _) => ErrorKind::Transient,
            (401 | 403, _) | (_, Some(20003)) => ErrorKind::Denied,
            // Not a mobile number, not reachable, not wanted any more, not from here.
            (_, Some(21211 | 21212 | 21214 | 21408 | 21601 | 21602 | 21606 | 21610 | 21612 | 21614 | 21617)) => {
                ErrorKind::Value
            }
            _ => ErrorKind::Other,
        };
        let said = words(answer["message"].as_str().unwrap_or_default());
        let mut error = self.fault(kind, format!("the service answered {}: {said}", reply.status.as_u16()));
        error.code = code.map(|code| code.to_string());
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            error.hint = Some("try again later".to_owned());
        }
        error
    }

    fn fault(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        fault(&self.name, kind, SEND, message)
    }
}

/// Characters of the identifier of a messaging service.
const SERVICE_CHARS: usize = 34;

/// A number as E.164 writes them.
fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// A number, a short code, a messaging service, or a name of up to eleven characters.
fn is_sender(text: &str) -> bool {
    let name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b" &-_+".contains(&b));
    let service =
        text.starts_with("MG") && text.len() == SERVICE_CHARS && text.bytes().all(|b| b.is_ascii_alphanumeric());
    is_number(text) || service || (!text.trim().is_empty() && text.len() <= 11 && name(text))
}

/// In how many segments a text is sent: 160 characters of the alphabet of GSM (3GPP TS 23.038) or 70 others; 153 or 67
/// each when there are several.
pub fn segments(text: &str) -> usize {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENDED: &str = "\u{c}^{}\\[~]|€";
    let length = text.chars().try_fold(0, |length, c| {
        if BASIC.contains(c) {
            Some(length + 1)
        } else if EXTENDED.contains(c) {
            Some(length + 2)
        } else {
            None
        }
    });
    let (length, one, each) = length.map_or((text.encode_utf16().count(), 70, 67), |length| (length, 160, 153));
    if length <= one { 1 } else { length.div_ceil(each) }
}
