//! The operator's webhook is told what became of droids, although it refuses, and although the server is killed.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Fake, call, serve, wait, world};
use crate::world::World;

const SECRET: &str = "the webhook's secret";

/// One request that came, with a good signature.
struct Told {
    event: Value,
    signature: String,
}

/// A webhook.
struct Webhook {
    /// Statuses to come, and `0` for no answer at all; then 204.
    answers: Arc<Mutex<VecDeque<u16>>>,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Webhook {
    /// Listens, and gives the server its address and its secret, in a file.
    fn start(world: &mut World, answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        world.set("FACTORY_WEBHOOK_URL", &format!("http://{}/told", listener.local_addr().expect("an address")));
        let file = world.write("secret", &format!("{SECRET}\n"));
        world.set("FACTORY_WEBHOOK_SECRET_FILE", &file.display().to_string());
        let made = Self { answers: Arc::new(Mutex::new(answers.iter().copied().collect())), told: Arc::default() };
        let (answers, told) = (Arc::clone(&made.answers), Arc::clone(&made.told));
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(one) = read(&stream) else { continue };
                told.lock().push(one);
                match answers.lock().pop_front().unwrap_or(204) {
                    // It is held, and nothing comes.
                    0 => silent.push(stream),
                    status => answer(&stream, status),
                }
            }
        });
        made
    }

    /// The events that came so far.
    fn events(&self) -> Vec<Value> {
        self.told.lock().iter().map(|one| one.event.clone()).collect()
    }
}

fn answer(mut stream: &TcpStream, status: u16) {
    // The server may be gone.
    let _ = write!(stream, "HTTP/1.1 {status} Ordered\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

/// Reads a request and checks its signature with a computation of its own.
fn read(stream: &TcpStream) -> Option<Told> {
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        if line == "\r\n" {
            break;
        }
        headers.push(line);
    }
    let header = |name: &str| {
        let mut pairs = headers.iter().filter_map(|line| line.split_once(':'));
        pairs.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let mut body = vec![0; header("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let signature = header("x-signature").expect("a signature");
    let (time, hex) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect("its form");
    let mut mac = <Hmac<Sha256>>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(&body);
    let wanted: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, wanted, "the signature of this body");
    let event: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(header("x-event-id").as_deref(), event["id"].as_str(), "{event}");
    Some(Told { event, signature })
}

/// A world with a fake of Factory whose droids end soon, and a webhook that gives these answers.
fn told_world(answers: &[u16]) -> (World, Fake, Webhook) {
    let (mut world, fake) = world(&["--work", "500"]);
    let webhook = Webhook::start(&mut world, answers);
    (world, fake, webhook)
}

/// A droid that has come to its end, which was written down; its id.
fn ended(address: &str) -> Value {
    let droid = call(address, "spawn_droid", &json!({ "prompt": "work" }))["sessionId"].clone();
    call(address, "wait_for_droids", &json!({ "sessionIds": [droid], "pollIntervalSeconds": 1 }));
    droid
}

/// The only event, when it was delivered.
fn delivered(address: &str) -> Value {
    wait("the delivery", || {
        let listed = call(address, "list_events", &json!({}));
        assert_eq!(listed["count"], 1, "{listed}");
        Some(listed["events"][0].clone()).filter(|event| event["state"] == "delivered")
    })
}

#[test]
fn a_webhook_that_refuses_twice_is_told_a_third_time() {
    let (world, _fake, webhook) = told_world(&[503, 500]);
    let server = serve(&world, &[]);
    let droid = ended(&server.address);
    let event = delivered(&server.address);
    assert_eq!((&event["attempts"], &event["sessionId"]), (&json!(3), &droid), "{event}");
    let told = webhook.told.lock();
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|one| one.event == told[0].event), "the same event each time");
    assert!(told[0].signature != told[1].signature && told[1].signature != told[2].signature, "signed each time");
    assert_eq!(told[0].event["type"], "droid.finished");
    assert_eq!(told[0].event["droid"]["sessionId"], droid);
}

#[test]
fn what_was_written_down_is_told_after_a_kill() {
    // The webhook has it and does not say so: the server is killed while it waits for the answer.
    let (world, _fake, webhook) = told_world(&[0]);
    let mut first = serve(&world, &[]);
    let droid = ended(&first.address);
    wait("the first attempt", || (webhook.events().len() == 1).then_some(()));
    first.kill();
    let second = serve(&world, &[]);
    let event = delivered(&second.address);
    let events = webhook.events();
    assert_eq!((events.len(), &events[0]["id"]), (2, &events[1]["id"]), "it is the same one: {events:?}");
    assert_eq!((&event["eventId"], &event["sessionId"]), (&events[0]["id"], &droid), "{event}");
}

#[test]
fn a_kill_between_the_end_and_its_telling_loses_nothing() {
    let (world, fake, webhook) = told_world(&[]);
    let mut first = serve(&world, &[]);
    let address = first.address.clone();
    let prompts: Vec<String> = (0..20).map(|number| format!("task {number}")).collect();
    let swarm = call(&address, "spawn_swarm", &json!({ "prompts": prompts }))["swarmId"].clone();
    let waiting = std::thread::spawn({
        let arguments = json!({ "swarmId": swarm, "pollIntervalSeconds": 1 });
        let params = json!({ "name": "wait_for_droids", "arguments": arguments });
        // Nobody is there to answer any more.
        move || super::request(&address, "tools/call", "wait_for_droids", params, &json!({}))
    });
    // The ends are being written down, and some of them are told.
    wait("the first of them", || (!webhook.events().is_empty()).then_some(()));
    first.kill();
    let _ = waiting.join();
    let second = serve(&world, &[]);
    wait("the end of the swarm", || webhook.events().iter().any(|one| one["type"] == "swarm.ended").then_some(()));
    wait("all deliveries", || (call(&second.address, "list_events", &json!({}))["waiting"] == 0).then_some(()));
    let listed = call(&second.address, "list_events", &json!({ "limit": 100 }));
    let events = listed["events"].as_array().expect("a list");
    assert!(events.iter().all(|one| one["state"] == "delivered"), "{listed}");
    let of = |kind: &str| events.iter().filter(|one| one["type"] == kind).count();
    assert_eq!((of("droid.finished"), of("swarm.ended"), events.len()), (20, 1, 21), "each once: {listed}");
    let came = webhook.events();
    for one in events {
        assert!(came.iter().any(|event| event["id"] == one["eventId"]), "{one}");
    }
    assert_eq!(fake.prompts().len(), 20);
}
