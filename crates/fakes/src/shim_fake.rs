//! A shim that runs nothing: it checks signatures and streams chunks in every form that was seen.

use std::sync::Arc;
use std::time::Duration;

use base::Secret;
use http::Method;
use serde_json::{Value, json};
use shim::http::{Events, Handler, Request, Response, events, json_answer, refusal};
use shim::signature::{self, Verifier};

use crate::orders::{Orders, Turn};

/// The secret that the fake shares.
pub const SECRET: &str = "fake-secret";

/// How the fake behaves.
#[derive(Clone, Debug, Default)]
pub struct ShimSettings {
    /// Time between two chunks, milliseconds.
    pub pause_ms: u64,
}

/// The fake.
#[derive(Debug)]
pub struct Shim {
    settings: ShimSettings,
    verifier: Verifier,
    orders: Arc<Orders>,
}

impl Shim {
    /// A fake with the secret [`SECRET`].
    pub fn new(settings: ShimSettings) -> Arc<Self> {
        Arc::new(Self { settings, verifier: Verifier::new(Secret::new(SECRET)), orders: Orders::new(0) })
    }

    fn exec(&self, request: &Request) -> Response {
        if let Err(why) = self.verifier.check(request.header(signature::HEADER), &request.body, signature::now()) {
            return refusal(401, why.code(), &why.to_string());
        }
        let Ok(asked) = serde_json::from_slice::<Value>(&request.body) else {
            return refusal(400, "bad_request", "the body is no JSON");
        };
        let Some(prompt) = asked["prompt"].as_str().map(str::to_owned) else {
            return refusal(400, "bad_request", "prompt is required");
        };
        let (events, response) = events();
        let pause = Duration::from_millis(self.settings.pause_ms);
        tokio::spawn(async move { talk(&events, &prompt, &asked, pause).await });
        response
    }
}

/// Every form of a chunk; then the end, whose empty line is missing.
async fn talk(events: &Events, prompt: &str, asked: &Value, pause: Duration) {
    let bodies = if prompt.contains("[fake:empty]") {
        Vec::new()
    } else {
        vec![
            format!("event: chunk\ndata: {}\n\n", json!({ "data": format!("prompt: {prompt}\n") })),
            // Lines that end with CR LF.
            format!("event: chunk\r\ndata: {}\r\n\r\n", json!("a JSON string\n")),
            format!("event: chunk\ndata: {}\n\n", json!({ "step": 1, "of": 2 })),
            "event: chunk\ndata: plain text,\ndata:  two lines\n\n".to_owned(),
            "event: ping\ndata: {\"data\": \"not shown\"}\n\n".to_owned(),
            ": a comment\n\n".to_owned(),
        ]
    };
    for body in bodies {
        if !events.raw(body).await {
            return;
        }
        tokio::time::sleep(pause).await;
    }
    let done = json!({ "ok": true, "mode": asked["mode"], "cwd": asked["cwd"], "mission": asked["mission"],
                       "session_id": asked["session_id"] });
    events.raw(format!("event: done\ndata: {done}\n")).await;
}

impl Handler for Shim {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        match (&request.method, request.path.as_str()) {
            (&Method::POST, "/_fake") => return self.orders.order(&request.body),
            (&Method::GET, "/_fake") => return self.orders.told(json!({})),
            _ => {}
        }
        let (_under, turn) = self.orders.begin(&request, &format!("{} {}", request.method, request.path)).await;
        let spoil = match turn {
            Turn::Before(response) | Turn::After(Some(response), _) => return response,
            Turn::Spoiled(spoil) => Some(spoil),
            Turn::Good | Turn::After(None, _) => None,
        };
        let good = match (&request.method, request.path.as_str()) {
            (&Method::GET, "/healthz") => json_answer(200, &json!({ "status": "ok", "service": "fake-shim" })),
            (&Method::POST, "/factory/exec") => self.exec(&request),
            _ => refusal(404, "not_found", "there are GET /healthz and POST /factory/exec"),
        };
        match spoil {
            Some(spoil) => spoil.answer(&request, good).await,
            None => good,
        }
    }
}
