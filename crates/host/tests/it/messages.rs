//! Messages behind tools: a real mail server, and fakes of Slack and Twilio that check login and shape.

#[path = "../../../connect/tests/it/send/fakes.rs"]
mod fakes;

use connect::egress::Policy;
use connect::http::{Api, Call, Method, Settings};
use engine::FailureKind;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Place, Variables, World, parse, skipped};
use fakes::{ACCOUNT, AUTH, HOOK, TOKEN};

const MAIL: &str = include_str!("../../../../examples/mail.yaml");
const SLACK: &str = include_str!("../../../../examples/slack.yaml");

async fn world(spec: &str, variables: &[(&str, &str)]) -> World {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    World::new(Place::sqlite(), spec, &[], variables).await
}

async fn value(world: &World, tool: &str, arguments: Value) -> Value {
    let outcome = world.call(tool, &arguments.to_string()).await;
    assert!(!outcome.is_error(), "{tool} {arguments}: {}", outcome.text());
    serde_json::from_str(&outcome.text()).unwrap()
}

async fn refused(world: &World, tool: &str, arguments: Value) -> (FailureKind, String) {
    let outcome = world.call(tool, &arguments.to_string()).await;
    let failure = outcome.failure.unwrap_or_else(|| panic!("{tool} {arguments} is no failure"));
    (failure.kind, failure.text)
}

/// The letters of an address, as the mail server's own library reads them.
async fn letters(web: &str, address: &str) -> Vec<Value> {
    let policy = Policy::default().allow_private(true);
    let base = base::Secret::new(format!("http://127.0.0.1:{web}"));
    let api = Api::open(Settings { policy, ..Settings::new("web", base) }).unwrap();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let call = Call::new(Method::GET, format!("/{address}"));
    let reply = api.send(&call, deadline, &CancellationToken::new()).await.unwrap();
    serde_json::from_slice(&reply.body).unwrap()
}

#[tokio::test]
async fn the_mail_example_sends_a_letter() {
    let names = ["MCP_FACTORY_TEST_SMTP", "MCP_FACTORY_TEST_SMTP_WEB", "MCP_FACTORY_TEST_CA"];
    let [Ok(port), Ok(web), Ok(authority)] = names.map(std::env::var) else {
        return skipped("messages: mail example", "MCP_FACTORY_TEST_SMTP is not set");
    };
    let spec = MAIL.replace("    from:", &format!("    caFile: {authority}\n    from:"));
    let url = format!("smtp://localhost:{port}");
    let with = |password: &'static str| {
        let spec = spec.clone();
        let url = url.clone();
        async move {
            world(&spec, &[("SMTP_URL", &url), ("SMTP_USER", "tests@example.com"), ("SMTP_PASSWORD", password)]).await
        }
    };
    let mail = with("correct horse battery").await;
    let to = format!("anna-{}@example.com", uuid::Uuid::new_v4().simple());
    let sent = value(
        &mail,
        "send_letter",
        json!({"to": [to], "subject": "Größe", "text": "Grüezi\n.\nBcc: x@example.org", "report": "a,b\r\n1,2\r\n"}),
    )
    .await;
    assert_eq!(sent["to"], json!([to]));
    let found = letters(&web, &to).await;
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["subject"], &found[0]["messageId"]), (&json!("Größe"), &sent["id"]));
    assert_eq!(found[0]["secure"], true);
    assert!(found[0]["text"].as_str().unwrap().contains("Bcc: x@example.org"), "it is text, no header");
    assert_eq!(found[0]["attachments"].as_array().map(Vec::len), Some(1), "{}", found[0]);
    for (to, subject, part) in [
        ("somebody@example.org", "x", "example.org"),
        ("anna@example.com\r\nBcc: x@example.com", "x", ""),
        ("anna@example.com", "x\r\nBcc: x@example.com", "line"),
    ] {
        let (_, why) = refused(&mail, "send_letter", json!({"to": [to], "subject": subject, "text": "x"})).await;
        assert!(why.contains(part), "{to:?} {subject:?}: {why}");
    }
    let wrong = with("not the password of this").await;
    let (kind, why) = refused(&wrong, "send_letter", json!({"to": [to], "subject": "x", "text": "x"})).await;
    assert!(matches!(kind, FailureKind::Denied | FailureKind::Unavailable), "{kind:?} {why}");
    assert!(!why.contains("not the password"), "{why}");
    assert_eq!(letters(&web, &to).await.len(), 1);
}

/// The example, with its messages at another place.
fn slack_at(way: &str) -> String {
    SLACK.replacen("    token: {env: SLACK_BOT_TOKEN}\n", &format!("    {way}\n    envVar: SLACK_URL\n"), 1)
}

#[tokio::test]
async fn the_slack_example_posts_and_answers() {
    let fake = fakes::slack().await;
    let url = format!("{}/api", fake.url);
    let spec = slack_at("token: {env: SLACK_BOT_TOKEN}");
    let slack = world(&spec, &[("SLACK_URL", &url), ("SLACK_BOT_TOKEN", TOKEN)]).await;
    let posted = value(&slack, "slack_post_message", json!({"channel_id": "C1", "text": "<b> & {{ x }} \"q\""})).await;
    assert_eq!(posted["channel"], "C1", "{posted}");
    let answer = json!({"channel_id": "C1", "thread_ts": "1763700000.000100", "text": "yes"});
    value(&slack, "slack_reply_to_thread", answer).await;
    for (channel, part) in [("C_NONE", "channel"), ("C_SCOPE", "chat:write"), ("C_ODD", "odd")] {
        let (kind, why) = refused(&slack, "slack_post_message", json!({"channel_id": channel, "text": "x"})).await;
        assert!(why.contains(part) && !why.contains(TOKEN), "{channel}: {why}");
        assert!(!matches!(kind, FailureKind::Internal | FailureKind::Timeout), "{channel}: {kind:?} {why}");
    }
    let wrong = world(&spec, &[("SLACK_URL", &url), ("SLACK_BOT_TOKEN", "xoxb-another-secret")]).await;
    let (kind, why) = refused(&wrong, "slack_post_message", json!({"channel_id": "C1", "text": "x"})).await;
    assert_eq!(kind, FailureKind::Denied, "{why}");
    assert!(!why.contains("another-secret"), "{why}");
}

const OTHERS: &str = "
name: others
connections:
  - {name: hook, type: slack, webhook: {env: HOOK_URL}}
  - {name: sms, type: twilio, account: \"${env:ACCOUNT}\", token: {env: TWILIO_TOKEN}, from: '+15005550006', envVar: TWILIO_URL}
tools:
  - name: tell
    connection: hook
    parameters: {text: {type: string, required: true}}
    send: {text: '{{ args.text }}'}
  - name: text
    connection: sms
    parameters: {to: {type: string, required: true}, text: {type: string, required: true}}
    send: {to: '{{ args.to }}', text: '{{ args.text }}'}
  - name: scripted
    parameters: {}
    script:
      write: true
      code: |
        export default async (args, { sms }) => {
          const sent = await sms.send({ to: '+41791234567', text: 'hello' });
          const wrong = await sms.send({ to: '0791234567', text: 'x' }).catch((error) => error.message);
          return { status: sent.status, wrong };
        };
  - name: quiet
    parameters: {}
    script: \"export default (args, { sms }) => sms.send({ to: '+41791234567', text: 'x' });\"
";

#[tokio::test]
async fn webhooks_and_short_messages() {
    let (slack, twilio) = (fakes::slack().await, fakes::twilio().await);
    let hook = format!("{}{HOOK}", slack.url);
    let pairs =
        [("HOOK_URL", hook.as_str()), ("ACCOUNT", ACCOUNT), ("TWILIO_TOKEN", AUTH), ("TWILIO_URL", &twilio.url)];
    // A webhook is a secret as a whole and no URL that the operator names: a private host needs the operator's leave.
    let lookup = |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned());
    let closed = host::open(&parse(OTHERS), &lookup, true);
    let problems: String = closed.diagnostics.iter().map(|problem| problem.message.as_str()).collect();
    assert!(problems.contains("127.0.0.1 is refused") && !problems.contains("hookSecret"), "{problems}");
    let mut variables = Variables::from(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables.insert("MCP_FACTORY_ALLOW_NETWORK".to_owned(), "private".to_owned());
    let open = World::new(Place::sqlite(), OTHERS, &[], variables.clone()).await;
    assert!(!open.call("tell", "{\"text\": \"hello\"}").await.is_error());
    let (_, why) = refused(&open, "tell", json!({"text": "echo"})).await;
    assert!(!why.contains("hookSecret"), "{why}");

    let sent = value(&open, "text", json!({"to": "+41791234567", "text": "hello & good+bye"})).await;
    assert_eq!((&sent["status"], &sent["segments"]), (&json!("queued"), &json!(1)), "{sent}");
    for (to, part) in [("+15005550001", "21211"), ("+41791234567&To=+1", "E.164"), ("0791234567", "E.164")] {
        let (_, why) = refused(&open, "text", json!({"to": to, "text": "x"})).await;
        assert!(why.contains(part) && !why.contains(AUTH), "{to}: {why}");
    }
    let scripted = value(&open, "scripted", json!({})).await;
    assert_eq!(scripted["status"], "queued");
    assert!(scripted["wrong"].as_str().unwrap().contains("E.164"), "{scripted}");
    let (kind, why) = refused(&open, "quiet", json!({})).await;
    assert!(why.contains("does not say that it writes"), "{kind:?} {why}");
    variables.insert("TWILIO_TOKEN".to_owned(), "another-token".to_owned());
    let wrong = World::new(Place::sqlite(), OTHERS, &[], variables).await;
    let (kind, why) = refused(&wrong, "text", json!({"to": "+41791234567", "text": "x"})).await;
    assert_eq!(kind, FailureKind::Denied, "{why}");
    // It says back what it was shown.
    assert!(!why.contains("another-token"), "{why}");
}
