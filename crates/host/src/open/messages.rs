//! Ways to people.

use std::sync::Arc;

use base::Secret;
use connect::send::{Security, Slack, SlackSettings, Smtp, SmtpSettings, Twilio, TwilioSettings};
use engine::Messenger;
use spec::model::{self, Connection, SecretRef};

use super::http::{policy, secret};
use super::{Opened, Operator, Tried};
use crate::resolve::{Missing, expand};

impl Opened {
    pub(super) fn messenger(
        &mut self,
        connection: &Connection,
        url: Option<Secret>,
        path: &str,
        operator: &Operator<'_>,
    ) {
        let name = connection.name();
        let opened = open(connection, url, operator, &mut self.secrets);
        if let Some(way) = self.complete(name, path, opened) {
            self.connections.messengers.insert(name.to_owned(), Arc::new(way));
        }
    }
}

fn open(
    connection: &Connection,
    url: Option<Secret>,
    operator: &Operator<'_>,
    secrets: &mut Vec<Secret>,
) -> Tried<Messenger> {
    let name = connection.name();
    let policy = policy(operator, url.as_ref().filter(|_| connection.env_var().is_some()));
    let resolver = operator.resolver.clone();
    let text = |text: &str| expand(text, operator.lookup, "a value");
    let mut place = |place: &SecretRef| -> Result<Secret, Missing> {
        let found = secret(place, operator.lookup)?;
        secrets.push(found.clone());
        Ok(found)
    };
    match connection {
        Connection::Slack(of) => {
            let token = of.token.as_ref().map(&mut place).transpose()?;
            let webhook = of.webhook.as_ref().map(&mut place).transpose()?;
            let channel = of.channel.clone();
            let settings =
                SlackSettings { token, webhook, base: url, channel, policy, resolver, ..SlackSettings::default() };
            Ok(Slack::open(name, settings).map(Messenger::Slack))
        }
        Connection::Smtp(of) => {
            let password = of.password.as_ref().map(&mut place).transpose()?;
            let address = Address::of(url.as_ref().map(Secret::expose).unwrap_or_default(), of)?;
            secrets.extend(address.login.as_ref().map(|(_, password)| password.clone()));
            let user = of.user.as_deref().map(text).transpose()?;
            let settings = SmtpSettings {
                port: address.port,
                security: address.security,
                login: user.zip(password).or(address.login),
                any_sender: of.any_sender,
                to_domains: of.domains.clone(),
                ca_file: of.ca_file.as_deref().map(Into::into),
                policy,
                resolver,
                ..SmtpSettings::new(address.host, text(&of.from)?)
            };
            Ok(Smtp::open(name, settings).map(|smtp| Messenger::Smtp(Box::new(smtp))))
        }
        Connection::Twilio(of) => {
            let token = place(&of.token)?;
            let user = of.key.as_deref().map(text).transpose()?;
            let settings = TwilioSettings {
                user,
                base: url,
                policy,
                resolver,
                ..TwilioSettings::new(text(&of.account)?, token, text(&of.from)?)
            };
            Ok(Twilio::open(name, settings).map(Messenger::Twilio))
        }
        _ => Err(Missing { what: "it takes no messages".to_owned(), help: "use another type".to_owned() }),
    }
}

/// A mail server's URL, taken apart: `smtps://user:password@host:465`.
struct Address {
    host: String,
    port: u16,
    security: Security,
    login: Option<(String, Secret)>,
}

impl Address {
    fn of(text: &str, settings: &model::Smtp) -> Result<Self, Missing> {
        let wrong = || Missing {
            what: "the URL of the mail server cannot be read".to_owned(),
            help: "write a URL such as smtp://mail.example.com:587 or smtps://mail.example.com".to_owned(),
        };
        let url = url::Url::parse(text).map_err(|_| wrong())?;
        let security = match url.scheme() {
            "smtps" => Security::Tls,
            "smtp" if settings.plain => Security::None,
            "smtp" => Security::StartTls,
            _ => return Err(wrong()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_owned();
        let decoded = |text: &str| {
            let pair = format!("x={}", text.replace('+', "%2B"));
            url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let login = url.password().map(|password| (decoded(url.username()), Secret::new(decoded(password))));
        Ok(Self { host, port: url.port().unwrap_or(security.port()), security, login })
    }
}
