//! Letters, through a real mail server and read back from it, parsed by its own library.

use base::Secret;
use connect::ErrorKind;
use connect::egress::Policy;
use connect::http::{Api, Call, Method, Settings};
use connect::send::{Attachment, Letter, Limits, Security, Smtp, SmtpSettings};
use serde_json::Value;

use super::world::{failed, job};

const PASSWORD: &str = "correct horse battery";

/// The servers: with STARTTLS, with TLS, open; and where letters are read.
struct Servers {
    ports: [u16; 4],
    authority: std::path::PathBuf,
}

fn servers(test: &str) -> Option<Servers> {
    let names = [
        "MCP_FACTORY_TEST_SMTP",
        "MCP_FACTORY_TEST_SMTP_TLS",
        "MCP_FACTORY_TEST_SMTP_OPEN",
        "MCP_FACTORY_TEST_SMTP_WEB",
    ];
    let ports: Vec<u16> = names.iter().filter_map(|name| std::env::var(name).ok()?.parse().ok()).collect();
    let authority = std::env::var("MCP_FACTORY_TEST_CA").ok();
    let (Ok(ports), Some(authority)) = (<[u16; 4]>::try_from(ports), authority) else {
        crate::support::skip(test, "MCP_FACTORY_TEST_SMTP and the variables beside it are not set");
        return None;
    };
    Some(Servers { ports, authority: authority.into() })
}

impl Servers {
    fn settings(&self, security: Security) -> SmtpSettings {
        let port = match security {
            Security::StartTls => self.ports[0],
            Security::Tls => self.ports[1],
            Security::None => self.ports[2],
        };
        let login = ("tests@example.com".to_owned(), Secret::new(PASSWORD));
        SmtpSettings {
            port,
            security,
            login: (security != Security::None).then_some(login),
            policy: Policy::default().allow_private(true),
            ca_file: Some(self.authority.clone()),
            ..SmtpSettings::new("localhost", "MCP Factory <factory@example.com>")
        }
    }

    fn smtp(&self, security: Security) -> Smtp {
        Smtp::open("mail", self.settings(security)).expect("settings that can be used")
    }

    async fn letters(&self, address: &str) -> Vec<Value> {
        let base = Secret::new(format!("http://127.0.0.1:{}", self.ports[3]));
        let settings = Settings { policy: Policy::default().allow_private(true), ..Settings::new("web", base) };
        let api = Api::open(settings).expect("settings that can be used");
        let call = Call::new(Method::GET, format!("/{address}"));
        let reply = api.send(&call, job().deadline, &job().cancel).await.expect("an answer");
        serde_json::from_slice(&reply.body).expect("letters")
    }
}

/// An address that no other test uses.
fn somebody(name: &str) -> String {
    format!("{name}-{}@example.org", uuid::Uuid::new_v4().simple())
}

fn letter(to: &str) -> Letter {
    Letter { to: vec![to.to_owned()], subject: "Hello".into(), text: Some("Hello.".into()), ..Letter::default() }
}

#[tokio::test]
async fn a_whole_letter() {
    let Some(servers) = servers("send::letters::a_whole_letter") else { return };
    for security in [Security::StartTls, Security::Tls, Security::None] {
        let [anna, ben, cleo] = ["anna", "ben", "cleo"].map(somebody);
        let text = format!("Zürich\n.\n.. dots\nFrom here\n{}\n日本語 👍", "long ".repeat(400));
        let png = vec![0x89, b'P', b'N', b'G', 13, 10, 0, 255];
        let wanted = Letter {
            to: vec![format!("Anna Müller <{anna}>"), anna.clone()],
            cc: vec![ben.clone()],
            bcc: vec![cleo.clone()],
            reply_to: Some("Desk <desk@example.com>".into()),
            subject: format!("Größe: {} 👍", "x".repeat(200)),
            text: Some(text.clone()),
            html: Some("<p>Zürich <img src=\"cid:logo\"></p>".into()),
            in_reply_to: Some("<first@example.com>".into()),
            attachments: vec![
                Attachment {
                    name: "größe \"1\".csv".into(),
                    media_type: "text/csv".into(),
                    bytes: "a;b\r\n".into(),
                    id: None,
                },
                Attachment {
                    name: "logo.png".into(),
                    media_type: "image/png".into(),
                    bytes: png.clone().into(),
                    id: Some("logo".into()),
                },
            ],
            ..Letter::default()
        };
        let sent = servers.smtp(security).send(&wanted, &job()).await.unwrap();
        assert_eq!(sent.to, [anna.clone(), ben.clone(), cleo.clone()]);
        for address in [&anna, &ben, &cleo] {
            let letters = servers.letters(address).await;
            assert_eq!(letters.len(), 1);
            let letter = &letters[0];
            assert_eq!(letter["secure"], security != Security::None);
            assert_eq!(letter["messageId"], sent.id);
            assert_eq!(letter["inReplyTo"], "<first@example.com>");
            assert_eq!(letter["subject"], wanted.subject);
            assert_eq!(letter["text"].as_str().unwrap().trim_end(), text);
            assert!(letter["html"].as_str().unwrap().contains("Zürich"));
            assert_eq!(letter["from"][0]["address"], "factory@example.com");
            assert_eq!(letter["to"][0]["name"], "Anna Müller");
            assert_eq!(letter["cc"][0]["address"], ben.as_str());
            assert_eq!(letter["replyTo"][0]["address"], "desk@example.com");
            assert!(letter["bcc"].as_array().unwrap().is_empty());
            assert!(!letter["headers"].to_string().contains(&cleo));
            let mut files: Vec<_> = letter["attachments"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| (f["name"].as_str().unwrap(), f["type"].as_str().unwrap()))
                .collect();
            files.sort_unstable();
            assert_eq!(files, [("größe \"1\".csv", "text/csv"), ("logo.png", "image/png")]);
            let logo =
                letter["attachments"].as_array().unwrap().iter().find(|file| file["name"] == "logo.png").unwrap();
            assert_eq!(logo["base64"], "iVBORw0KAP8=");
        }
    }
}

/// Whatever is written into a field stays in it, or nothing is sent.
#[tokio::test]
async fn nothing_becomes_a_header_or_a_command() {
    let Some(servers) = servers("send::letters::nothing_becomes_a_header_or_a_command") else { return };
    let smtp = Smtp::open("mail", SmtpSettings { any_sender: true, ..servers.settings(Security::None) }).unwrap();
    let victim = somebody("victim");
    let breaks = ["\r\n", "\n", "\r", "\r\n ", "\u{2028}", "\u{85}", "\0", "\u{b}", "\u{c}"];
    for text in breaks {
        let evil = format!("x{text}Bcc: {victim}{text}");
        let to = somebody("to");
        let address = format!("a@example.org>{text}RCPT TO:<{victim}");
        let cases = [
            Letter { subject: evil.clone(), ..letter(&to) },
            Letter { to: vec![address.clone()], ..letter(&to) },
            Letter { cc: vec![address.clone()], ..letter(&to) },
            Letter { bcc: vec![address.clone()], ..letter(&to) },
            Letter { to: vec![format!("{evil} <{to}>")], ..letter(&to) },
            Letter { from: Some(address.clone()), ..letter(&to) },
            Letter { reply_to: Some(format!("a@example.org{text}Bcc: {victim}")), ..letter(&to) },
            Letter { in_reply_to: Some(format!("<a@b>{text}Bcc: {victim}")), ..letter(&to) },
            Letter { attachments: vec![Attachment { name: evil.clone(), ..Attachment::default() }], ..letter(&to) },
            Letter {
                attachments: vec![Attachment {
                    name: "a".into(),
                    media_type: format!("text/plain{text}X: y"),
                    ..Attachment::default()
                }],
                ..letter(&to)
            },
            Letter {
                attachments: vec![Attachment { name: "a".into(), id: Some(evil.clone()), ..Attachment::default() }],
                ..letter(&to)
            },
        ];
        for case in cases {
            let (kind, message) = failed(smtp.send(&case, &job()).await);
            assert_eq!(kind, ErrorKind::Value, "{case:?} {message}");
        }
        assert!(servers.letters(&to).await.is_empty());
    }
    // In the text it is only text.
    let to = somebody("to");
    let text = format!("a\r\n.\r\nMAIL FROM:<x@y>\r\nRCPT TO:<{victim}>\r\nDATA\r\nBcc: {victim}\r\n.\r\n");
    smtp.send(&Letter { text: Some(text.clone()), ..letter(&to) }, &job()).await.unwrap();
    let got = servers.letters(&to).await;
    assert_eq!(got.len(), 1);
    assert_eq!(
        got[0]["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(),
        text.replace("\r\n", "\n").trim_end()
    );
    assert!(servers.letters(&victim).await.is_empty());
}

#[tokio::test]
async fn refusals_in_words() {
    let Some(servers) = servers("send::letters::refusals_in_words") else { return };
    let (to, second) = (somebody("to"), somebody("refused"));
    let smtp = servers.smtp(Security::StartTls);
    smtp.ping(&job()).await.unwrap();
    let many: Vec<String> = (0..51).map(|n| format!("a{n}@example.org")).collect();
    let large = Attachment { name: "a".into(), bytes: vec![0; 11 << 20].into(), ..Attachment::default() };
    let fits_us = Attachment { name: "a".into(), bytes: vec![0; 2 << 20].into(), ..Attachment::default() };
    let cases = [
        (Letter { to: vec![to.clone(), second], ..letter(&to) }, ErrorKind::Value, "nothing was sent"),
        (letter(&somebody("later")), ErrorKind::Transient, "come back later"),
        (Letter { to: Vec::new(), ..letter(&to) }, ErrorKind::Value, "goes to nobody"),
        (Letter { to: many, ..letter(&to) }, ErrorKind::Value, "50 are the most"),
        (Letter { text: None, ..letter(&to) }, ErrorKind::Value, "neither a text nor HTML"),
        (Letter { to: vec!["nobody".into()], ..letter(&to) }, ErrorKind::Value, "no address"),
        (Letter { from: Some("ceo@example.com".into()), ..letter(&to) }, ErrorKind::Value, "from others"),
        (Letter { attachments: vec![large], ..letter(&to) }, ErrorKind::Value, "are the most"),
        (Letter { attachments: vec![fits_us], ..letter(&to) }, ErrorKind::Limit, "more than the server takes"),
        (
            Letter { attachments: vec![Attachment { name: "../x".into(), ..Attachment::default() }], ..letter(&to) },
            ErrorKind::Value,
            "no name of a file",
        ),
    ];
    for (letter, kind, text) in cases {
        let (got, message) = failed(smtp.send(&letter, &job()).await);
        assert_eq!(got, kind, "{message}");
        assert!(message.contains(text), "{message}");
    }
    assert!(servers.letters(&to).await.is_empty());
    let only = SmtpSettings {
        to_domains: vec!["example.com".into()],
        limits: Limits::default(),
        ..servers.settings(Security::Tls)
    };
    let (kind, _) = failed(Smtp::open("mail", only).unwrap().send(&letter(&to), &job()).await);
    assert_eq!(kind, ErrorKind::Denied);
}

#[tokio::test]
async fn what_is_not_safe_is_refused() {
    let Some(servers) = servers("send::letters::what_is_not_safe_is_refused") else { return };
    let to = somebody("to");
    let attempt = async |settings: SmtpSettings| match Smtp::open("mail", settings) {
        Ok(smtp) => failed(smtp.send(&letter(&to), &job()).await),
        Err(error) => (error.kind, error.to_string()),
    };
    // A wrong password, which the server says back.
    let login = Some(("tests@example.com".to_owned(), Secret::new("my wrong password")));
    let (kind, message) = attempt(SmtpSettings { login, ..servers.settings(Security::StartTls) }).await;
    assert_eq!(kind, ErrorKind::Denied, "{message}");
    assert!(message.contains("535") && !message.contains("wrong password"), "{message}");
    // A server that offers no TLS, with a login that must not be seen.
    let plain = SmtpSettings { port: servers.ports[2], ..servers.settings(Security::StartTls) };
    let (kind, message) = attempt(plain).await;
    assert!(kind == ErrorKind::Denied && message.contains("STARTTLS"), "{message}");
    // A certificate of nobody we know.
    let (kind, message) = attempt(SmtpSettings { ca_file: None, ..servers.settings(Security::Tls) }).await;
    assert!(kind == ErrorKind::Unreachable && message.contains("TLS failed"), "{message}");
    // A private address that the operator did not allow.
    let (kind, _) = attempt(SmtpSettings { policy: Policy::default(), ..servers.settings(Security::Tls) }).await;
    assert!(matches!(kind, ErrorKind::Denied | ErrorKind::Config));
    for host in ["169.254.169.254", "metadata.google.internal", "a b", "a\r\nb", ""] {
        let settings = SmtpSettings { host: host.into(), ..servers.settings(Security::Tls) };
        assert_eq!(attempt(settings).await.0, ErrorKind::Config, "{host}");
    }
    // Something that is no mail server, and waits for us to speak first.
    let web = SmtpSettings { port: servers.ports[3], login: None, ..servers.settings(Security::None) };
    let soon = connect::Job { deadline: tokio::time::Instant::now() + std::time::Duration::from_secs(1), ..job() };
    let (kind, message) = failed(Smtp::open("mail", web).unwrap().send(&letter(&to), &soon).await);
    assert!(matches!(kind, ErrorKind::Timeout | ErrorKind::Other | ErrorKind::Transient), "{message}");
}

/// Words that somebody on the way puts before TLS are not taken for the server's.
#[tokio::test]
async fn words_before_tls() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 256];
        stream.write_all(b"220 hello\r\n").await.unwrap();
        let _ = stream.read(&mut buffer).await.unwrap();
        stream.write_all(b"250-hello\r\n250 STARTTLS\r\n").await.unwrap();
        let _ = stream.read(&mut buffer).await.unwrap();
        stream.write_all(b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n").await.unwrap();
        stream.read(&mut buffer).await.unwrap_or(0)
    });
    let settings = SmtpSettings {
        port,
        login: Some(("a".into(), Secret::new(PASSWORD))),
        policy: Policy::default().allow_private(true),
        ..SmtpSettings::new("localhost", "a@example.com")
    };
    let (kind, message) = failed(Smtp::open("mail", settings).unwrap().send(&letter("b@example.com"), &job()).await);
    assert!(kind == ErrorKind::Denied && message.contains("before TLS"), "{message}");
    assert_eq!(server.await.unwrap(), 0);
}

/// Answers without end, and none at all.
#[tokio::test]
async fn servers_that_never_end() {
    use tokio::io::AsyncWriteExt as _;
    for endless in [&b"220-and so on\r\n"[..], &b"xxxxxxxxxxxxxxxx"[..], &b""[..]] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            while !endless.is_empty() && stream.write_all(endless).await.is_ok() {}
            std::future::pending::<()>().await;
        });
        let settings = SmtpSettings {
            port,
            security: Security::None,
            policy: Policy::default().allow_private(true),
            ..SmtpSettings::new("127.0.0.1", "a@example.com")
        };
        let soon = connect::Job { deadline: tokio::time::Instant::now() + std::time::Duration::from_secs(1), ..job() };
        let outcome = Smtp::open("mail", settings).unwrap().send(&letter("b@example.com"), &soon).await;
        let (kind, message) = failed(outcome);
        assert!(matches!(kind, ErrorKind::Timeout | ErrorKind::Transient | ErrorKind::Other), "{message}");
        server.abort();
    }
}
