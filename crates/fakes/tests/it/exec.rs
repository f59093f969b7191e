//! Running prompts through a shim: the fake one, and a real one with a stand-in for `droid`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use base::Secret;
use fakes::FactorySettings;
use serde_json::{Value, json};
use shim::{Settings, Shim};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn chunks_of_every_form_are_put_together() {
    let world = World::new(0).await;
    let arguments = json!({ "prompt": "hi", "cwd": "/work", "auto": "medium", "mission": "m-1" });
    let said = world.call("factory_exec", arguments).await;
    assert!(!said.is_error, "{}", said.text);
    let value = said.structured.unwrap();
    assert_eq!(value["output"], "prompt: hi\na JSON string\n{\"step\":1,\"of\":2}\nplain text,\n two lines");
    assert_eq!(
        value["done"],
        json!({ "ok": true, "mode": "auto-medium", "cwd": "/work", "mission": "m-1", "session_id": "m-1" })
    );
    assert!(said.text.ends_with(
        "[done] {\"ok\":true,\"mode\":\"auto-medium\",\"cwd\":\"/work\",\"mission\":\"m-1\",\"session_id\":\"m-1\"}"
    ));
    let defaults = world.good("factory_exec", json!({ "prompt": "hi" })).await;
    assert_eq!((&defaults["done"]["mode"], &defaults["done"]["cwd"]), (&json!("auto-high"), &json!(null)));
    let empty = world.call("factory_exec", json!({ "prompt": "[fake:empty]", "auto": "off" })).await;
    assert!(empty.text.starts_with("The shim streamed no output.\n[done] "), "{}", empty.text);
    let health = world.good("factory_healthz", json!({})).await;
    assert_eq!(health["health"]["service"], "fake-shim");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told() {
    let world = World::with(FactorySettings::default(), &[("FACTORY_SHIM_SECRET", "another")]).await;
    let text = world.bad("factory_exec", json!({ "prompt": "hi" })).await;
    assert!(text.contains("401") && text.contains("FACTORY_SHIM_SECRET"), "{text}");
}

/// A program that speaks as `droid exec` was seen to do.
const DROID: &str = r#"#!/bin/sh
out=text; in=text; session=new-session; auto=none
while [ $# -gt 0 ]; do
  case "$1" in
    --output-format) out=$2; shift ;;
    --input-format) in=$2; shift ;;
    --cwd) cd "$2" || exit 3; shift ;;
    --auto) auto=$2; shift ;;
    -s) session=$2; shift ;;
    -f|--read) printf %s "$2" > paper.path; prompt="$(wc -c < "$2") bytes in a file of mode $(stat -c %a "$2")"; shift ;;
    --) shift; prompt=$1 ;;
  esac
  shift
done
case "$prompt" in
  *crash*) echo "it broke" >&2; exit 4 ;;
  *hang*) sleep 300 & echo $! > child.pid; wait ;;
  *leave*) (exec setsid sh -c 'echo $$ > left.pid; exec sleep 60' >/dev/null & ); (sleep 60 &); echo left ;;
  *flood*) while :; do echo 0123456789012345678901234567890123456789; done ;;
esac
note() { printf '{"jsonrpc":"2.0","factoryApiVersion":"1.0.0","type":"notification","method":"droid.session_notification","params":{"notification":%s}}\n' "$1"; }
reply() { printf '{"jsonrpc":"2.0","factoryApiVersion":"1.0.0","type":"response","id":"%s","result":%s}\n' "$1" "$2"; }
if [ "$in" = stream-jsonrpc ]; then
  while IFS= read -r line; do
    printf '%s\n' "$line" >> heard.jsonl
    case "$line" in
      *'"droid.initialize_session"'*) reply 1 '{"sessionId":"s-new","session":{"messages":[]}}'
        note '{"type":"droid_working_state_changed","newState":"idle"}' ;;
      *'"droid.load_session"'*'"s-lost"'*)
        printf '{"jsonrpc":"2.0","factoryApiVersion":"1.0.0","type":"response","id":"1","error":{"code":-32000,"message":"no such session"}}\n' ;;
      *'"droid.load_session"'*) reply 1 '{"sessionId":"s-old","session":{"messages":[]}}' ;;
      *'"droid.add_user_message"'*early*) exit 0 ;;
      *'"droid.add_user_message"'*) reply 2 '{}'
        note '{"type":"droid_working_state_changed","newState":"executing_tool"}'
        printf '{"jsonrpc":"2.0","factoryApiVersion":"1.0.0","type":"request","id":"p1","method":"droid.request_permission","params":{"toolUses":[],"options":[]}}\n'
        IFS= read -r answer; printf '%s\n' "$answer" >> heard.jsonl
        case "$answer" in *cancel*) word=refused ;; *) word=allowed ;; esac
        note "{\"type\":\"assistant_text_delta\",\"messageId\":\"m\",\"blockIndex\":0,\"textDelta\":\"I was $word\"}"
        note '{"type":"session_token_usage_changed","sessionId":"s-new","tokenUsage":{"inputTokens":7,"outputTokens":3,"cacheCreationTokens":0,"cacheReadTokens":0,"thinkingTokens":0}}'
        note '{"type":"droid_working_state_changed","newState":"idle"}' ;;
      *'"droid.close_session"'*) case "$line" in *stay*) ;; *) exit 0 ;; esac ;;
    esac
  done
  exit 0
fi
if [ "$out" = json ]; then
  printf '{"type":"result","subtype":"success","is_error":false,"duration_ms":12,"num_turns":1,"result":"auto %s in %s: %s","session_id":"%s"}\n' "$auto" "$(basename "$PWD")" "$prompt" "$session"
else
  note '{"type":"droid_working_state_changed","newState":"thinking"}'
  note '{"type":"assistant_text_delta","messageId":"m","blockIndex":0,"textDelta":"Hel"}'
  note '{"type":"assistant_text_delta","messageId":"m","blockIndex":0,"textDelta":"lo"}'
  note '{"type":"droid_working_state_changed","newState":"idle"}'
fi
"#;

/// A real shim with the stand-in, and the server that uses it.
pub(crate) async fn real(root: &Path, change: impl FnOnce(&mut Settings)) -> (World, CancellationToken) {
    let bin = root.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::create_dir_all(root.join("project")).unwrap();
    std::fs::write(bin.join("droid"), DROID).unwrap();
    std::fs::set_permissions(bin.join("droid"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut settings = Settings::new(Secret::new("s3cret"), root);
    settings.environment = vec![("PATH".to_owned(), format!("{}:/usr/bin:/bin", bin.display()))];
    change(&mut settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    tokio::spawn(Shim::new(settings).unwrap().serve(listener, stop.clone()));
    let variables = [("FACTORY_SHIM_URL", url.as_str()), ("FACTORY_SHIM_SECRET", "s3cret")];
    (World::with(FactorySettings::default(), &variables).await, stop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_shim_runs_the_agent_and_streams_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let (world, stop) = real(folder.path(), |_| {}).await;
    let arguments = json!({ "prompt": "say it's done $(id) -x", "cwd": "project", "auto": "medium", "mission": "s-7" });
    let value = world.good("factory_exec", arguments).await;
    assert!(value["output"].as_str().unwrap().starts_with("auto medium in project: say it's done $(id) -x"), "{value}");
    assert_eq!((&value["done"]["end"], &value["done"]["session_id"]), (&json!("finished"), &json!("s-7")), "{value}");
    let failed = world.good("factory_exec", json!({ "prompt": "crash" })).await;
    assert_eq!((&failed["done"]["exit_code"], &failed["done"]["stderr"]), (&json!(4), &json!("it broke")), "{failed}");
    let outside = world.bad("factory_exec", json!({ "prompt": "x", "cwd": "/etc" })).await;
    assert!(outside.contains("400") && outside.contains("folder"), "{outside}");
    let health = world.good("factory_healthz", json!({})).await;
    assert_eq!((&health["health"]["status"], &health["health"]["runs"]), (&json!("ok"), &json!(2)));
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_of_a_megabyte_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let (world, stop) = real(folder.path(), |_| {}).await;
    let long = "é".repeat(500_000);
    let value = world.good("factory_exec", json!({ "prompt": long, "mission": "s-7" })).await;
    assert_eq!(value["done"]["end"], "finished", "{value}");
    let output = value["output"].as_str().unwrap();
    assert!(output.contains("1000000 bytes in a file of mode 600"), "{output}");
    let paper = std::fs::read_to_string(folder.path().join("paper.path")).unwrap();
    for _ in 0..100 {
        if !Path::new(&paper).exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!Path::new(&paper).exists(), "{paper} is left");
    stop.cancel();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let (world, stop) = real(folder.path(), |settings| {
        settings.command = words(&["droid", "--output-format", "json", "--read", "{prompt-file}"])
    })
    .await;
    let value = world.good("factory_exec", json!({ "prompt": long })).await;
    assert!(value["output"].as_str().unwrap().contains("1000000 bytes in a file"), "{value}");
    stop.cancel();
    let (world, stop) = real(folder.path(), |settings| settings.command = words(&["wc", "-c"])).await;
    assert_eq!(world.good("factory_exec", json!({ "prompt": long })).await["output"], "1000000\n");
    stop.cancel();
    let (world, stop) = real(folder.path(), |settings| settings.command = words(&["droid", "--", "{prompt}"])).await;
    let text = world.bad("factory_exec", json!({ "prompt": long })).await;
    assert!(text.contains("413") && text.contains("131071") && text.contains("{prompt-file}"), "{text}");
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_a_shim_is_checked_without_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let (good, stop) = real(folder.path(), |_| {}).await;
    assert_eq!(good.good("check_shim", json!({})).await["secret"], "accepted");
    assert_eq!(good.good("check_shim", json!({})).await["secret"], "accepted", "again");
    assert_eq!(good.good("factory_healthz", json!({})).await["health"]["runs"], 0);
    stop.cancel();
    let (bad, stop) = real(folder.path(), |settings| settings.secret = Secret::new("another")).await;
    let text = bad.bad("check_shim", json!({})).await;
    assert!(text.contains("FACTORY_SHIM_SECRET is not the shim's own"), "{text}");
    stop.cancel();
    // A shim that says nothing of signatures is not found wrong, whatever the secret is.
    let foreign = World::with(FactorySettings::default(), &[("FACTORY_SHIM_SECRET", "another")]).await;
    let said = foreign.call("check_shim", json!({})).await;
    assert!(!said.is_error && said.text.contains("not checked"), "{}", said.text);
    assert_eq!(said.structured.unwrap()["secret"], "not_checked");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_24_runs_are_under_way_and_they_tell_that_they_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (world, stop) = real(folder.path(), |settings| {
        settings.command = ["sh", "-c", "while [ ! -e go ]; do sleep 1; done"].map(str::to_owned).to_vec();
        settings.concurrency = 100;
    })
    .await;
    let told = parking_lot::Mutex::new(Vec::new());
    let note = |done: f64, total: Option<f64>, message: &str| told.lock().push((done, total, message.to_owned()));
    let run = |number: usize| world.call("factory_exec", json!({ "prompt": format!("run {number}") }));
    let first = world.call_with("factory_exec", json!({ "prompt": "the first" }), Some(&note));
    let others = futures_util::future::join_all((1..24).map(run));
    let refused = async {
        while world.good("factory_healthz", json!({})).await["health"]["running"] != 24 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let refused = world.bad("factory_exec", json!({ "prompt": "one more" })).await;
        // Everything else goes on.
        world.good("list_computers", json!({})).await;
        while told.lock().is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        std::fs::write(folder.path().join("go"), "").unwrap();
        refused
    };
    let (first, others, refused) = tokio::join!(first, others, refused);
    assert!(refused.contains("24 runs of the shim are under way"), "{refused}");
    assert!(!first.is_error && others.iter().all(|one| !one.is_error), "{}", first.text);
    let told = told.into_inner();
    assert!(told[0].0 >= 10.0 && told[0].1 == Some(3_900.0) && told[0].2.contains("The run goes on"), "{told:?}");
    assert!(!world.call("factory_exec", json!({ "prompt": "after them" })).await.is_error);
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_shim_reads_json_rpc_and_keeps_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["droid", "exec", "--output-format", "stream-jsonrpc", "--", "{prompt}"];
    let (world, stop) = real(folder.path(), |settings| {
        settings.command = words.map(str::to_owned).to_vec();
        settings.output_bytes = 100_000;
        settings.timeout = Duration::from_secs(2);
    })
    .await;
    let value = world.good("factory_exec", json!({ "prompt": "hi" })).await;
    assert_eq!((&value["output"], &value["done"]["end"]), (&json!("Hello"), &json!("finished")), "{value}");
    let flood = world.good("factory_exec", json!({ "prompt": "flood" })).await;
    assert_eq!(flood["done"]["end"], "output_limit", "{}", flood["done"]);
    let hang = world.good("factory_exec", json!({ "prompt": "hang" })).await;
    assert_eq!(hang["done"]["end"], "timeout", "{}", hang["done"]);
    gone(&folder.path().join("child.pid")).await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_leaves_behind_does_not_keep_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let (world, stop) = real(folder.path(), |_| {}).await;
    let began = std::time::Instant::now();
    let value = world.good("factory_exec", json!({ "prompt": "leave" })).await;
    assert_eq!(value["done"]["end"], "finished", "{value}");
    assert!(value["output"].as_str().unwrap().starts_with("left\n"), "{value}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let left = std::fs::read_to_string(folder.path().join("left.pid")).unwrap();
    // It is a session of its own, which nobody but this ends.
    let _ = std::process::Command::new("kill").args(["-KILL", left.trim()]).status();
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_requests_at_the_same_time_run_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (world, stop) = real(folder.path(), |_| {}).await;
    let run = || world.good("factory_exec", json!({ "prompt": "same" }));
    let (one, other, third) = tokio::join!(run(), run(), run());
    assert!([one, other, third].iter().all(|one| one["done"]["end"] == "finished"));
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_run_is_none() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let cases = [
        ("302 Found\r\nLocation: /elsewhere", "", "more than 0 redirects"),
        ("200 OK\r\nContent-Type: text/html", "<h1>Welcome</h1>", "is no shim"),
        ("200 OK\r\nContent-Type: text/event-stream", "event: chunk\ndata: \"half of it\"\n\n", "half of it"),
    ];
    for (head, body, part) in cases {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let _ = socket.read(&mut [0; 4096]).await;
                // The last one says that more comes, and goes away.
                let length = body.len() + usize::from(body.contains("half"));
                let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}");
                let _ = socket.write_all(answer.as_bytes()).await;
                let _ = socket.shutdown().await;
            }
        });
        let variables = [("FACTORY_SHIM_URL", url.as_str())];
        let world = World::with(FactorySettings::default(), &variables).await;
        let text = world.bad("factory_exec", json!({ "prompt": "hi" })).await;
        assert!(text.contains(part), "{head}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_shim_and_its_agent_talk_json_rpc_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let (world, stop) = real(folder.path(), |settings| settings.dialogue = true).await;
    let value = world.good("factory_exec", json!({ "prompt": "hi", "auto": "medium" })).await;
    assert_eq!(value["output"], "I was refused", "nobody is there to allow what the autonomy does not: {value}");
    assert_eq!((&value["done"]["end"], &value["done"]["session_id"]), (&json!("finished"), &json!("s-new")), "{value}");
    assert_eq!(value["done"]["token_usage"]["outputTokens"], 3, "{value}");
    let heard = std::fs::read_to_string(folder.path().join("heard.jsonl")).unwrap();
    let heard: Vec<Value> = heard.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let methods: Vec<&str> = heard.iter().filter_map(|one| one["method"].as_str()).collect();
    assert_eq!(methods, ["droid.initialize_session", "droid.add_user_message", "droid.close_session"]);
    assert_eq!(heard[0]["params"]["autonomyLevel"], "medium");
    let old = world.good("factory_exec", json!({ "prompt": "go on", "mission": "s-old" })).await;
    assert_eq!(old["done"]["session_id"], "s-old", "{old}");
    // An agent that ends in the middle has not done what it was asked for.
    let short = world.good("factory_exec", json!({ "prompt": "early" })).await;
    assert_eq!((&short["done"]["end"], &short["done"]["is_error"]), (&json!("failed"), &json!(true)), "{short}");
    let lost = world.good("factory_exec", json!({ "prompt": "go on", "mission": "s-lost" })).await;
    assert_eq!(
        (&lost["output"], &lost["done"]["is_error"]),
        (&json!("the agent refused: no such session\n"), &json!(true)),
        "{lost}"
    );
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_group_ends_when_the_caller_goes_away() {
    let folder = tempfile::tempdir().unwrap();
    let (world, stop) = real(folder.path(), |_| {}).await;
    let child = folder.path().join("child.pid");
    let cancel = world.context.cancel.clone();
    let wait = async {
        while !std::fs::read_to_string(&child).is_ok_and(|text| text.ends_with('\n')) {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (said, ()) = tokio::join!(world.call("factory_exec", json!({ "prompt": "hang" })), wait);
    assert!(said.is_error, "{}", said.text);
    gone(&child).await;
    stop.cancel();
}

/// Waits until the process that a file names is no more.
async fn gone(file: &Path) {
    let pid = std::fs::read_to_string(file).unwrap().trim().to_owned();
    let is_there = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    tokio::time::timeout(Duration::from_secs(10), async {
        while is_there() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the child of the agent ends with it");
}
