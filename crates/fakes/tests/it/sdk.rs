//! The fake's answers are ones that Factory's own package `droid-sdk` takes.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::exec::real;
use crate::world::{World, http};

/// Reads JSON lines, and validates each with a model of the package.
const CHECK: &str = r#"
import json, sys
from droid_sdk.schemas.messages import FactoryDroidMessage
from droid_sdk.schemas.session import TokenUsage
from droid_sdk.schemas.enums import AutonomyLevel, ReasoningEffort
from droid_sdk.schemas import cli, client
OURS = {
    "droid.initialize_session": client.InitializeSessionRequestParams,
    "droid.load_session": client.LoadSessionRequestParams,
    "droid.add_user_message": client.AddUserMessageRequestParams,
    "droid.close_session": client.CloseSessionRequestParams,
}
checked = 0
for line in sys.stdin:
    kind, value = json.loads(line)
    if kind == "message":
        back = FactoryDroidMessage.model_validate(value).model_dump(by_alias=True, exclude_none=True, mode="json")
        assert set(value) <= set(back), (value, back)
    elif kind == "usage":
        TokenUsage.model_validate(value)
    elif kind == "autonomy":
        AutonomyLevel(value)
    elif kind == "effort":
        ReasoningEffort(value)
    elif kind == "ours" and "method" in value:
        OURS[value["method"]].model_validate(value["params"])
        assert value["type"] == "request" and isinstance(value["id"], str) and value["factoryProtocolVersion"] == "1.221.0"
    elif kind == "ours":
        cli.RequestPermissionResult.model_validate(value["result"])
    checked += 1
print(checked)
"#;

fn python() -> Option<PathBuf> {
    let work = std::env::var_os("MCP_FACTORY_WORK").map(PathBuf::from);
    let work = work.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.work")));
    Some(work.join("py-droid/bin/python")).filter(|path| path.is_file())
}

fn skipped(reason: &str) {
    let line = format!("fakes::sdk: {reason}\n");
    match std::env::var_os("MCP_FACTORY_SKIPS") {
        Some(file) => {
            let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
            opened.and_then(|mut file| file.write_all(line.as_bytes())).expect("the file of skips");
        }
        None => eprint!("skipped {line}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_of_factory_takes_what_the_fake_gives() {
    let Some(python) = python() else { return skipped("the Python environment py-droid is missing") };
    let world = World::new(300).await;
    let id = world.droid("Look around [fake:steps=3]").await;
    world.good("wait_for_droids", json!({ "sessionIds": [id], "pollIntervalSeconds": 1 })).await;
    let answer = http(world.factory, "GET", &format!("/api/v0/sessions/{id}/messages?limit=100"), "").await;
    let messages = answer["messages"].as_array().expect("messages").clone();
    assert_eq!(messages.len(), 8);
    let session = http(world.factory, "GET", &format!("/api/v0/sessions/{id}"), "").await;
    let mut lines: Vec<String> = messages.iter().map(|one| json!(["message", one]).to_string()).collect();
    lines.push(json!(["usage", session["sessionSettings"]["tokenUsage"]]).to_string());
    // What our tools offer is what the package knows.
    lines.extend(["off", "low", "medium", "high"].map(|level| json!(["autonomy", level]).to_string()));
    let efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "off", "dynamic"];
    lines.extend(efforts.map(|effort| json!(["effort", effort]).to_string()));
    // What a shim says to its agent.
    let folder = tempfile::tempdir().expect("a folder");
    let (shim, stop) = real(folder.path(), |settings| settings.dialogue = true).await;
    shim.good("factory_exec", json!({ "prompt": "hi", "auto": "medium" })).await;
    shim.good("factory_exec", json!({ "prompt": "go on", "mission": "s-old", "auto": "off" })).await;
    stop.cancel();
    let heard = std::fs::read_to_string(folder.path().join("heard.jsonl")).expect("what the agent heard");
    lines.extend(heard.lines().map(|line| format!("[\"ours\",{line}]")));
    let mut child = Command::new(python)
        .args(["-c", CHECK])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python");
    child.stdin.take().expect("input").write_all(lines.join("\n").as_bytes()).expect("input");
    let done = child.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    assert_eq!(said, lines.len().to_string(), "{}", String::from_utf8_lossy(&done.stderr));
}
