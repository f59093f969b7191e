//! Short messages.

use base::Secret;
use connect::ErrorKind;
use connect::egress::Policy;
use connect::send::{Sms, Twilio, TwilioSettings, segments};

use super::fakes::{self, ACCOUNT, AUTH, Fake};
use super::world::{failed, job};

fn with(fake: &Fake, secret: &str) -> Twilio {
    let settings = TwilioSettings {
        base: Some(Secret::new(fake.url.clone())),
        policy: Policy::default().allow_private(true),
        ..TwilioSettings::new(ACCOUNT, Secret::new(secret), "+15005550006")
    };
    Twilio::open("sms", settings).expect("settings that can be used")
}

fn sms(to: &str, text: &str) -> Sms {
    Sms { to: to.into(), text: text.into(), from: None }
}

#[tokio::test]
async fn messages() {
    let fake = fakes::twilio().await;
    let twilio = with(&fake, AUTH);
    let sent = twilio.send(&sms("+41791234567", "hello & good+bye"), &job()).await.unwrap();
    assert_eq!((sent.status.as_str(), sent.segments), ("queued", 1));
    let service =
        Sms { from: Some("MG0123456789abcdef0123456789abcdef".into()), ..sms("+41791234567", &"x".repeat(161)) };
    assert_eq!(twilio.send(&service, &job()).await.unwrap().segments, 2);
}

#[tokio::test]
async fn refusals_in_words() {
    let fake = fakes::twilio().await;
    let twilio = with(&fake, AUTH);
    let cases = [
        (sms("+15005550001", "x"), ErrorKind::Value, "(21211)"),
        (sms("+15005550004", "x"), ErrorKind::Value, "unsubscribed"),
        (sms("+15005550429", "x"), ErrorKind::Transient, "try again later"),
        (sms("0791234567", "x"), ErrorKind::Value, "E.164"),
        (sms("+0791234567", "x"), ErrorKind::Value, "E.164"),
        (sms("+4179123456x", "x"), ErrorKind::Value, "E.164"),
        (sms("+41791234567&To=+1", "x"), ErrorKind::Value, "E.164"),
        (sms("+41791234567", ""), ErrorKind::Value, "no text"),
        (sms("+41791234567", &"ü".repeat(1600)), ErrorKind::Limit, "11 segments"),
        (Sms { from: Some("a\r\nb".into()), ..sms("+41791234567", "x") }, ErrorKind::Value, "cannot send"),
    ];
    for (message, kind, text) in cases {
        let (got, shown) = failed(twilio.send(&message, &job()).await);
        assert_eq!(got, kind, "{shown}");
        assert!(shown.contains(text), "{shown}");
    }
    let wrong = with(&fake, "another-secret-token");
    let (kind, shown) = failed(wrong.send(&sms("+41791234567", "x"), &job()).await);
    assert_eq!(kind, ErrorKind::Denied);
    // It says back what it was shown.
    assert!(shown.contains("Basic ***") && !shown.contains("another-secret"), "{shown}");
    for (account, from) in
        [("AC/../x", "+15005550006"), ("", "+15005550006"), ("AC1", ""), ("AC1", "a name that is too long")]
    {
        assert!(Twilio::open("sms", TwilioSettings::new(account, Secret::new("x"), from)).is_err(), "{account} {from}");
    }
}

#[test]
fn counted_segments() {
    let cases = [
        ("", 1),
        (&"a".repeat(160), 1),
        (&"a".repeat(161), 2),
        (&"a".repeat(306), 2),
        (&"a".repeat(307), 3),
        (&"€".repeat(80), 1),
        (&"€".repeat(81), 2),
        (&"ç".repeat(70), 1),
        (&"ç".repeat(71), 2),
        (&"👍".repeat(35), 1),
        (&"👍".repeat(36), 2),
    ];
    for (text, count) in cases {
        assert_eq!(segments(text), count, "{text}");
    }
}
