//! Slack, by a token and by a webhook.

use base::Secret;
use connect::ErrorKind;
use connect::egress::Policy;
use connect::send::{Post, Slack, SlackSettings};
use serde_json::json;

use super::fakes::{self, Fake, HOOK, TOKEN};
use super::world::{failed, job};

fn with(fake: &Fake, token: Option<&str>) -> Slack {
    let mut settings = SlackSettings { policy: Policy::default().allow_private(true), ..SlackSettings::default() };
    match token {
        Some(token) => {
            settings.token = Some(Secret::new(token));
            settings.base = Some(Secret::new(format!("{}/api", fake.url)));
        }
        None => settings.webhook = Some(Secret::new(format!("{}{HOOK}", fake.url))),
    }
    Slack::open("slack", settings).expect("settings that can be used")
}

fn to(channel: &str) -> Post {
    Post { channel: Some(channel.into()), text: "hello <world> & \"all\"".into(), ..Post::default() }
}

#[tokio::test]
async fn messages() {
    let fake = fakes::slack().await;
    let slack = with(&fake, Some(TOKEN));
    let posted = slack.post(&to("C1"), &job()).await.unwrap();
    assert_eq!((posted.channel.as_deref(), posted.ts.as_deref()), (Some("C1"), Some("1763700000.000100")));
    let blocks = Some(json!([{"type": "section", "text": {"type": "mrkdwn", "text": "*x*"}}]));
    let answer = Post { thread_ts: posted.ts, reply_broadcast: true, blocks, ..to("C1") };
    slack.post(&answer, &job()).await.unwrap();
}

#[tokio::test]
async fn refusals_in_words() {
    let fake = fakes::slack().await;
    let slack = with(&fake, Some(TOKEN));
    let cases = [
        (to("C_NONE"), ErrorKind::Value, "Slack answered 200: channel_not_found (channel_not_found)"),
        (to("C_SCOPE"), ErrorKind::Denied, "the token lacks the scope `chat:write`"),
        (to("C_BUSY"), ErrorKind::Transient, "try again after 30 seconds"),
        (to("C_ODD"), ErrorKind::Other, "odd ***"),
        (Post { thread_ts: Some("1".into()), ..to("C1") }, ErrorKind::Value, "invalid_thread_ts"),
        (Post { channel: None, ..to("C1") }, ErrorKind::Value, "names no channel"),
        (Post { text: String::new(), ..to("C1") }, ErrorKind::Value, "neither a text nor blocks"),
        (Post { text: "x".repeat(40_001), ..to("C1") }, ErrorKind::Limit, "40000 characters"),
        (Post { blocks: Some(json!(vec![1; 51])), ..to("C1") }, ErrorKind::Limit, "50 blocks"),
        (Post { blocks: Some(json!({})), ..to("C1") }, ErrorKind::Value, "no array"),
    ];
    for (post, kind, text) in cases {
        let (got, message) = failed(slack.post(&post, &job()).await);
        assert_eq!(got, kind, "{message}");
        assert!(message.contains(text), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
    let (kind, message) = failed(with(&fake, Some("xoxb-wrong-secret")).post(&to("C1"), &job()).await);
    assert_eq!(kind, ErrorKind::Denied);
    assert!(!message.contains("secret"), "{message}");
}

#[tokio::test]
async fn a_webhook() {
    let fake = fakes::slack().await;
    let slack = with(&fake, None);
    let text = |text: &str| Post { text: text.into(), ..Post::default() };
    assert_eq!(slack.post(&text("hello"), &job()).await.unwrap().ts, None);
    assert_eq!(failed(slack.post(&to("C1"), &job()).await).0, ErrorKind::Value);
    // It says its own address back, which is the credential.
    let (_, message) = failed(slack.post(&text("echo"), &job()).await);
    assert!(message.contains("403") && !message.contains("hookSecret"), "{message}");
    let (kind, _) = failed(Slack::open("slack", SlackSettings::default()).map(drop));
    assert_eq!(kind, ErrorKind::Config);
    let private =
        SlackSettings { webhook: Some(Secret::new(format!("http://10.0.0.1{HOOK}"))), ..SlackSettings::default() };
    let (_, message) = failed(Slack::open("slack", private).map(drop));
    assert!(!message.contains("hookSecret"), "{message}");
}
