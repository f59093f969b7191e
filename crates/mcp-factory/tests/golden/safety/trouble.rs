//! Answers that are slow, endless, packed, broken or too large: each ends in a clear error, in little time and memory.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{refused, serve};
use crate::all;

/// Most memory of the server, KiB. The packed answer alone would need more.
const MEMORY_MAX: u64 = 250 << 10;
/// Longest time of any of the calls; the tools have two seconds.
const PATIENCE: Duration = Duration::from_secs(6);

const SPEC: &str = "
name: trouble
limits: {timeoutMs: 2000}
connections:
  - {name: api, type: http, envVar: API_URL, retries: {max: 0}}
tools:
  - {name: slow, description: x, parameters: {}, http: GET /slow}
  - {name: drip, description: x, parameters: {}, http: GET /drip}
  - {name: endless, description: x, parameters: {}, http: GET /endless}
  - {name: endless_events, description: x, parameters: {}, http: {path: /endless-events, events: {join: $.n}}}
  - {name: bomb, description: x, parameters: {}, http: GET /bomb}
  - {name: broken_gzip, description: x, parameters: {}, http: GET /broken-gzip}
  - {name: many_headers, description: x, parameters: {}, http: {path: /many-headers, result: full}}
  - {name: deep, description: x, parameters: {}, http: GET /deep}
  - {name: in_circles, description: x, parameters: {}, http: GET /loop}
  - {name: endless_pages, description: x, parameters: {}, http: {path: /page, query: {next: 'page?next=page'}, pages: {by: next, from: $.next, items: $.items, max: 5}}}
  - {name: fetch_endless, description: x, parameters: {base: {env: API_URL}}, script: {fetch: {hosts: ['127.0.0.1'], plain: true}, code: 'export default async ({ base }) => (await fetch(base + \"/endless\")).text()'}}
  - {name: fetch_bomb, description: x, parameters: {base: {env: API_URL}}, script: {fetch: {hosts: ['127.0.0.1'], plain: true}, code: 'export default async ({ base }) => (await fetch(base + \"/bomb\")).text()'}}
  - {name: fetch_slow, description: x, parameters: {base: {env: API_URL}}, script: {fetch: {hosts: ['127.0.0.1'], plain: true}, code: 'export default async ({ base }) => (await fetch(base + \"/slow\")).text()'}}
  - {name: fetch_circles, description: x, parameters: {base: {env: API_URL}}, script: {fetch: {hosts: ['127.0.0.1'], plain: true}, code: 'export default async ({ base }) => (await fetch(base + \"/loop\")).text()'}}
  - {name: scripted, description: x, parameters: {}, script: 'export default (args, { api }) => api.get(\"/endless\")'}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_make_trouble_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let fakes = all::start("127.0.0.1:0").await.unwrap();
    let mut session =
        serve(folder.path(), SPEC, &["--allow-network", "127.0.0.1"], &[("API_URL", format!("{fakes}/trouble"))]).await;
    for tool in [
        "slow",
        "drip",
        "endless",
        "bomb",
        "broken_gzip",
        "deep",
        "in_circles",
        "scripted",
        "fetch_endless",
        "fetch_bomb",
        "fetch_slow",
        "fetch_circles",
    ] {
        let began = Instant::now();
        let result = session.call(tool, &json!({})).await.unwrap();
        assert!(began.elapsed() < PATIENCE, "{tool} took {:?}", began.elapsed());
        let text = refused(tool, &result);
        assert!(text.contains(tool) && text.len() < 1000, "{tool}: {text}");
    }
    // These may have a result, if it is bounded.
    for tool in ["endless_events", "many_headers", "endless_pages"] {
        let began = Instant::now();
        let result = session.call(tool, &json!({})).await.unwrap();
        assert!(began.elapsed() < PATIENCE, "{tool} took {:?}", began.elapsed());
        assert!(result.to_string().len() < 4 << 20, "{tool}");
    }
    if let Some(memory) = session.memory() {
        assert!(memory < MEMORY_MAX, "the server needed {memory} KiB");
    }
    session.close().await;
}
