//! What an operator's webhook is told: signed, at least once, and nothing that is nobody's business.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base::Secret;
use fakes::FactorySettings;
use parking_lot::Mutex;
use serde_json::{Value, json};
use shim::http::{Handler, Request, Response, hang_up, refusal, text_answer, with_header};
use shim::signature::{self, Verifier};
use tokio_util::sync::CancellationToken;

use crate::world::{World, listen};

const SECRET: &str = "the webhook's secret";

/// A webhook that checks signatures as a shim does, refuses what was shown before, and answers as it is told.
struct Receiver {
    verifier: Verifier,
    /// Answers to come: a status with or without `Retry-After`, or `hangup`. Then 204.
    answers: Mutex<VecDeque<String>>,
    /// The events, and whether each was taken.
    told: Mutex<Vec<(Value, bool)>>,
}

impl Handler for Receiver {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        if let Err(why) = self.verifier.check(request.header(signature::HEADER), &request.body, signature::now()) {
            return refusal(401, why.code(), &why.to_string());
        }
        let event: Value = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!(request.header("x-event-id"), event["id"].as_str(), "{event}");
        assert_eq!((request.header("content-type"), &*request.path), (Some("application/json"), "/hook/"));
        let answer = self.answers.lock().pop_front().unwrap_or_else(|| "204".to_owned());
        self.told.lock().push((event, answer.starts_with('2')));
        if answer == "hangup" {
            return hang_up();
        }
        let (status, wait) = answer.split_once(' ').unwrap_or((&answer, ""));
        let response = text_answer(status.parse().expect("a status"), "text/plain", "as ordered");
        match wait {
            "" => response,
            place if place.starts_with('/') => with_header(response, "location", place),
            wait => with_header(response, "retry-after", wait),
        }
    }
}

/// A world with a webhook.
struct Told {
    world: World,
    receiver: Arc<Receiver>,
    _stop: tokio_util::sync::DropGuard,
}

impl Told {
    async fn new(answers: &[&str], variables: &[(&str, &str)]) -> Self {
        let stop = CancellationToken::new();
        let receiver = Arc::new(Receiver {
            verifier: Verifier::new(Secret::new(SECRET)),
            answers: Mutex::new(answers.iter().map(|one| (*one).to_owned()).collect()),
            told: Mutex::default(),
        });
        let url = format!("http://{}/hook/", listen(Arc::clone(&receiver), &stop).await);
        let own = [("FACTORY_WEBHOOK_URL", &*url), ("FACTORY_WEBHOOK_SECRET", SECRET)];
        let all: Vec<_> = own.iter().chain(variables).copied().collect();
        let world = World::with(FactorySettings::default().idle(0).work(300), &all).await;
        Self { world, receiver, _stop: stop.drop_guard() }
    }

    /// The events that came, taken or not.
    fn events(&self) -> Vec<Value> {
        self.receiver.told.lock().iter().map(|(event, _)| event.clone()).collect()
    }

    async fn send(&self) -> Value {
        self.world.good("send_events", json!({})).await
    }

    async fn listed(&self) -> Value {
        self.world.good("list_events", json!({})).await
    }

    /// A droid that has come to its end, which is not told yet; its id.
    async fn ended(&self, prompt: &str) -> String {
        let id = self.world.droid(prompt).await;
        self.wait(json!({ "sessionIds": [id] })).await;
        id
    }

    async fn wait(&self, mut arguments: Value) {
        arguments["pollIntervalSeconds"] = 1.into();
        let told = self.world.good("wait_for_droids", arguments).await;
        assert_eq!(told["open"], json!([]), "{told}");
    }
}

/// What becomes of an event: the answers, its state when all of them were given, a part of what is said of it.
const DELIVERIES: &[(&[&str], &str, &str)] = &[
    (&["200"], "delivered", ""),
    (&["202"], "delivered", ""),
    (&["500", "204"], "delivered", ""),
    (&["hangup", "204"], "delivered", ""),
    (&["429 1", "204"], "delivered", ""),
    (&["503"], "waiting", "503: as ordered"),
    (&["408"], "waiting", "408"),
    (&["425"], "waiting", "425"),
    (&["429 3600"], "waiting", "429"),
    (&["307 /other"], "waiting", "redirect"),
    (&["410"], "given_up", "410: as ordered"),
    (&["400"], "given_up", "400"),
    (&["500", "404"], "given_up", "404"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_delivered_waits_or_is_given_up() {
    let mut playing = tokio::task::JoinSet::new();
    for (answers, state, said) in DELIVERIES {
        playing.spawn(async move {
            let told = Told::new(answers, &[]).await;
            told.ended("work").await;
            while told.events().len() < answers.len() {
                told.send().await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            // What has its end is not sent again; what waits is not looked at for longer than it waits.
            if *state != "waiting" {
                told.send().await;
            }
            let listed = told.listed().await;
            let event = &listed["events"][0];
            assert_eq!((&event["state"], &listed["count"]), (&json!(state), &json!(1)), "{answers:?}: {listed}");
            assert_eq!(event["attempts"], answers.len(), "{answers:?}: {listed}");
            assert!(event["error"].as_str().unwrap_or_default().contains(said), "{answers:?}: {listed}");
            assert_eq!(listed["waiting"], u64::from(*state == "waiting"), "{answers:?}: {listed}");
            assert_eq!(event["nextAt"].is_string(), *state == "waiting", "{answers:?}: {listed}");
            let hour = |key: &str| event[key].as_str().and_then(|time| time.get(11..13)?.parse::<u8>().ok());
            if answers.contains(&"429 3600") {
                assert_ne!(hour("lastAt"), hour("nextAt"), "it waits as long as it is asked to: {listed}");
            }
            let events = told.events();
            assert!(events.iter().all(|one| one == &events[0]), "the same each time: {events:?}");
        });
    }
    while let Some(played) = playing.join_next().await {
        played.expect("a right end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_end_is_told_without_prompts_and_keys() {
    let told = Told::new(&[], &[]).await;
    let leak = json!({ "method": "POST", "path": "/messages", "status": 422,
                       "body": { "detail": format!("{} may not say: the secret plan of the company, part 3", fakes::KEY) } });
    let prompts = ["the secret plan of the company", "[fake:fail] secret plan", "[fake:work=600000] secret plan"];
    let swarm = told.world.good("spawn_swarm", json!({ "prompts": prompts })).await;
    let asked = told.ended("[fake:ask] secret plan").await;
    let last = swarm["droids"][2]["sessionId"].clone();
    told.world
        .good(
            "wait_for_droids",
            json!({ "swarmId": swarm["swarmId"], "mode": "quorum", "quorum": 2, "pollIntervalSeconds": 1 }),
        )
        .await;
    told.send().await;
    assert!(!told.events().iter().any(|one| one["type"] == "swarm.ended"), "one of it goes on");
    told.world.good("interrupt_droid", json!({ "sessionId": last })).await;
    told.world.good("message_droid", json!({ "sessionId": asked, "text": "secret answer" })).await;
    told.wait(json!({ "sessionIds": [asked] })).await;
    told.world.order(json!({ "fail": [leak] })).await;
    told.world.bad("spawn_droid", json!({ "prompt": "the secret plan of the company, part 3" })).await;
    told.send().await;
    let events = told.events();
    let text = json!(events).to_string();
    assert!(
        !text.contains("secret plan of") && !text.contains("secret answer") && !text.contains(fakes::KEY),
        "{text}"
    );
    let of = |kind: &str| events.iter().filter(|one| one["type"] == kind).collect::<Vec<_>>();
    let counts = ["droid.finished", "droid.failed", "droid.interrupted", "droid.needs_input", "swarm.ended"]
        .map(|kind| of(kind).len());
    assert_eq!(counts, [2, 2, 1, 1, 1], "{text}");
    let one = &of("droid.interrupted")[0]["droid"];
    assert_eq!(
        (&one["sessionId"], &one["swarmId"], &one["state"]),
        (&last, &swarm["swarmId"], &json!("interrupted")),
        "{one}"
    );
    assert!(
        one["reason"].is_string() && one["evidence"]["messageCount"].is_u64() && one["computerId"].is_string(),
        "{one}"
    );
    assert!(of("droid.finished")[0]["droid"]["tokenUsage"]["inputTokens"].is_u64(), "{text}");
    let ended = &of("swarm.ended")[0]["swarm"];
    assert_eq!((&ended["swarmId"], &ended["requested"]), (&swarm["swarmId"], &json!(3)), "{ended}");
    assert_eq!(ended["counts"], json!({ "finished": 1, "failed": 1, "interrupted": 1 }), "{ended}");
    let known: std::collections::BTreeSet<&str> = events.iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(known.len(), events.len(), "each event has an id of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_swarm_is_told_once_however_its_droids_end() {
    let told = Told::new(&[], &[]).await;
    let prompts: Vec<String> = (0..50).map(|number| format!("task {number}")).collect();
    let swarm = told.world.good("spawn_swarm", json!({ "prompts": prompts })).await;
    // All at once, and by two who look.
    let arguments = json!({ "swarmId": swarm["swarmId"] });
    tokio::join!(told.wait(arguments.clone()), told.wait(arguments));
    let sent = told.send().await;
    assert_eq!((&sent["delivered"], &sent["waiting"]), (&json!(51), &json!(0)), "{sent}");
    let events = told.events();
    let ended: Vec<&Value> = events.iter().filter(|one| one["type"] == "swarm.ended").collect();
    assert_eq!((events.len(), ended.len()), (51, 1));
    assert_eq!(ended[0]["swarm"]["counts"], json!({ "finished": 50 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_sent_again_when_somebody_asks() {
    let told = Told::new(&["410"], &[]).await;
    told.ended("work").await;
    told.send().await;
    let event = told.listed().await["events"][0].clone();
    assert_eq!((&event["state"], &event["status"]), (&json!("given_up"), &json!(410)), "{event}");
    // A signature is good once: it has to be another second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let again = told.world.good("send_events", json!({ "eventId": event["eventId"] })).await;
    assert_eq!((&again["delivered"], &again["event"]["state"]), (&json!(1), &json!("delivered")), "{again}");
    assert_eq!(told.events().len(), 2);
    let unknown = told.world.bad("send_events", json!({ "eventId": "nothing" })).await;
    assert!(unknown.contains("`list_events` shows"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_events_that_wait_are_dropped_and_that_is_said() {
    let refuse: Vec<&str> = vec!["503"; 20];
    let told = Told::new(&refuse, &[("FACTORY_WEBHOOK_QUEUE", "2")]).await;
    let prompts: Vec<String> = (0..5).map(|number| format!("task {number}")).collect();
    let swarm = told.world.good("spawn_swarm", json!({ "prompts": prompts })).await;
    told.wait(json!({ "swarmId": swarm["swarmId"] })).await;
    let sent = told.send().await;
    assert_eq!((&sent["dropped"], &sent["failed"], &sent["waiting"]), (&json!(4), &json!(2), &json!(2)), "{sent}");
    let dropped = told.world.good("list_events", json!({ "state": "dropped" })).await;
    assert_eq!(dropped["count"], 4, "{dropped}");
    for one in dropped["events"].as_array().unwrap() {
        assert!(one["error"].as_str().unwrap().contains("FACTORY_WEBHOOK_QUEUE") && one["attempts"] == 0, "{one}");
    }
    // They are sent side by side.
    assert!(told.events().iter().any(|one| one["type"] == "swarm.ended"), "the newest stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_down_is_not_asked_for_each_event() {
    let refuse: Vec<&str> = vec!["500"; 60];
    let told = Told::new(&refuse, &[]).await;
    let prompts: Vec<String> = (0..30).map(|number| format!("task {number}")).collect();
    let swarm = told.world.good("spawn_swarm", json!({ "prompts": prompts })).await;
    told.wait(json!({ "swarmId": swarm["swarmId"] })).await;
    let sent = told.send().await;
    assert_eq!((&sent["delivered"], &sent["waiting"]), (&json!(0), &json!(31)), "{sent}");
    assert!(told.events().len() < 16, "{}", told.events().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_webhook_nothing_is_written_and_half_of_one_is_told() {
    let world = World::new(300).await;
    let id = world.droid("work").await;
    world.good("wait_for_droids", json!({ "sessionIds": [id], "pollIntervalSeconds": 1 })).await;
    let listed = world.good("list_events", json!({})).await;
    assert_eq!(
        (&listed["isSet"], &listed["count"], &listed["waiting"]),
        (&json!(false), &json!(0), &json!(0)),
        "{listed}"
    );
    assert_eq!(world.good("send_events", json!({})).await["waiting"], 0);
    let again = world.bad("send_events", json!({ "eventId": "x" })).await;
    assert!(again.contains("FACTORY_WEBHOOK_URL"), "{again}");
    let url = [("FACTORY_WEBHOOK_URL", "http://127.0.0.1:9/")];
    let world = World::with(FactorySettings::default().idle(0).work(300), &url).await;
    let id = world.droid("work").await;
    world.good("wait_for_droids", json!({ "sessionIds": [id], "pollIntervalSeconds": 1 })).await;
    assert_eq!(world.good("send_events", json!({})).await["failed"], 1);
    let listed = world.good("list_events", json!({})).await;
    assert_eq!(listed["events"][0]["state"], "waiting", "{listed}");
    assert!(listed["events"][0]["error"].as_str().unwrap().contains("FACTORY_WEBHOOK_SECRET"), "{listed}");
}
