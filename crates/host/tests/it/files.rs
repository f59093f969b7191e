//! Files behind tools: the example as the reference server is used, paths that try to lead out, buckets, scripts.

use connect::egress::Policy;
use connect::http::{Api, Body, Call, Credentials, Method, Settings, SigV4};
use engine::FailureKind;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Place, Variables, World, skipped};

const FILESYSTEM: &str = include_str!("../../../../examples/filesystem.yaml");
const BUCKET: &str = include_str!("../../../../examples/object-store.yaml");
/// One spelling of a path that must not lead anywhere a line, escapes as in JSON.
const SPELLINGS: &str = include_str!("../../../connect/tests/it/files/data/traversals.txt");

/// A folder within another one, which holds what must not be reached, and a server on it.
struct Tree {
    outer: tempfile::TempDir,
    world: World,
}

impl Tree {
    async fn new(spec: &str) -> Self {
        let outer = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(outer.path().join("root/docs/deep")).unwrap();
        std::fs::write(outer.path().join("secret.txt"), "the secret").unwrap();
        let put = |path: &str, bytes: &[u8]| std::fs::write(outer.path().join("root").join(path), bytes).unwrap();
        put("docs/a.txt", b"one\ntwo\nthree\nfour\n");
        put("docs/deep/b.md", b"# Shoes\nrunning shoes\n");
        put("pixel.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
        put("code.py", b"def f():\n    return 1\n\n\ndef g():\n    return 1\n");
        let root = outer.path().join("root").display().to_string();
        let world = World::new(Place::sqlite(), spec, &[], Variables::from([("DOCUMENTS_DIR".into(), root)])).await;
        Self { outer, world }
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.outer.path().join("root").join(path)).unwrap()
    }
}

async fn text(world: &World, tool: &str, arguments: Value) -> String {
    let outcome = world.call(tool, &arguments.to_string()).await;
    assert!(!outcome.is_error(), "{tool} {arguments}: {}", outcome.text());
    outcome.text()
}

async fn value(world: &World, tool: &str, arguments: Value) -> Value {
    serde_json::from_str(&text(world, tool, arguments).await).unwrap()
}

async fn refused(world: &World, tool: &str, arguments: Value) -> (FailureKind, String) {
    let outcome = world.call(tool, &arguments.to_string()).await;
    let failure = outcome.failure.unwrap_or_else(|| panic!("{tool} {arguments} is no failure"));
    (failure.kind, failure.text)
}

#[tokio::test]
async fn the_example_reads_and_lists_as_the_reference_server_does() {
    let Tree { outer, world } = Tree::new(FILESYSTEM).await;
    let path = json!({"path": "docs/a.txt"});
    assert_eq!(text(&world, "read_text_file", path.clone()).await, "one\ntwo\nthree\nfour\n");
    assert_eq!(text(&world, "read_text_file", json!({"path": "docs/a.txt", "head": 2})).await, "one\ntwo\n");
    assert_eq!(text(&world, "read_text_file", json!({"path": "docs/a.txt", "tail": 2})).await, "three\nfour\n");
    let (kind, why) = refused(&world, "read_text_file", json!({"path": "docs/a.txt", "head": 1, "tail": 1})).await;
    assert_eq!(kind, FailureKind::Value, "{why}");
    let whole = outer.path().canonicalize().unwrap().join("root");
    let below = json!({"path": whole.join("docs/a.txt")});
    assert!(text(&world, "read_text_file", below).await.starts_with("one"), "an absolute path below the folder");
    let media = world.call("read_media_file", &json!({"path": "pixel.png"}).to_string()).await;
    assert!(matches!(&media.content[..], [engine::Content::Image { .. }]), "{:?}", media.content);
    let several = json!({"paths": ["docs/a.txt", "none.txt", "pixel.png", "docs/deep/b.md"]});
    let several = text(&world, "read_multiple_files", several).await;
    let parts: Vec<&str> = several.split("\n---\n").collect();
    assert_eq!(parts[0], "docs/a.txt:\none\ntwo\nthree\nfour\n\n");
    assert!(parts[1].starts_with("none.txt: Error - ") && parts[2].starts_with("pixel.png: Error - "), "{several}");
    assert!(parts[3].ends_with("running shoes\n\n"));

    let listed = value(&world, "list_directory", json!({"path": "."})).await;
    let names: Vec<_> = listed["entries"].as_array().unwrap().iter().map(|one| (&one["path"], &one["kind"])).collect();
    let wanted = [("code.py", "file"), ("docs", "folder"), ("pixel.png", "file")];
    assert!(names.iter().zip(wanted).all(|(got, (path, kind))| got.0 == path && got.1 == kind), "{listed}");
    let sized = value(&world, "list_directory_with_sizes", json!({"path": "", "sortBy": "size"})).await;
    assert_eq!(sized["entries"][0]["path"], "code.py", "{sized}");
    assert_eq!(sized["totals"], json!({"files": 2, "folders": 1, "bytes": 62}));
    let tree = value(&world, "directory_tree", json!({"path": "docs", "excludePatterns": ["*.png"]})).await;
    let wanted = json!({"entries": [
        {"name": "a.txt", "kind": "file", "size": 19},
        {"name": "deep", "kind": "folder", "entries": [{"name": "b.md", "kind": "file", "size": 22}]},
    ]});
    assert_eq!(tree, wanted);
    let found = value(&world, "search_files", json!({"path": "", "pattern": "**/*.md"})).await;
    assert_eq!(found["files"][0]["path"], "docs/deep/b.md");
    let found = value(&world, "search_text", json!({"text": "RUNNING"})).await;
    assert_eq!(found["files"][0]["lines"], json!([{"number": 2, "text": "running shoes"}]));
    let info = value(&world, "get_file_info", path).await;
    assert_eq!((&info["size"], &info["kind"]), (&json!(19), &json!("file")));
    assert!(info["permissions"].as_str().is_some_and(|octal| octal.len() == 3) && info["modified"].is_string());
    let roots = value(&world, "list_allowed_directories", json!({})).await;
    assert_eq!(roots, json!({"roots": [whole]}));
}

#[tokio::test]
async fn the_example_writes_as_the_reference_server_does() {
    let tree = Tree::new(FILESYSTEM).await;
    let world = &tree.world;
    let (kind, _) = refused(world, "write_file", json!({"path": "new/x.txt", "content": "x"})).await;
    assert_eq!(kind, FailureKind::NotFound, "its folder is not there");
    text(world, "create_directory", json!({"path": "new/deep"})).await;
    text(world, "create_directory", json!({"path": "new/deep"})).await;
    text(world, "write_file", json!({"path": "new/x.txt", "content": "Größe\n"})).await;
    assert_eq!(tree.read("new/x.txt"), "Größe\n");
    text(world, "move_file", json!({"source": "new/x.txt", "destination": "new/deep/y.txt"})).await;
    let (kind, why) = refused(world, "move_file", json!({"source": "new/deep/y.txt", "destination": "code.py"})).await;
    assert_eq!(kind, FailureKind::Constraint, "{why}");
    let (kind, why) = refused(world, "delete_file", json!({"path": "new"})).await;
    assert_eq!(kind, FailureKind::Constraint, "{why}");
    text(world, "delete_file", json!({"path": "new/deep/y.txt"})).await;

    let edits = json!([{"oldText": "return 1", "newText": "return 2"}, {"oldText": "def g():", "newText": "def h():"}]);
    let dry = text(world, "edit_file", json!({"path": "code.py", "edits": edits, "dryRun": true})).await;
    let diff = "--- code.py\n+++ code.py\n@@ -1,6 +1,6 @@\n def f():\n-    return 1\n+    return 2\n \n \n-def g():\n+def h():\n     return 1\n";
    assert_eq!(dry, diff);
    assert!(tree.read("code.py").contains("def g"), "nothing is written");
    assert_eq!(text(world, "edit_file", json!({"path": "code.py", "edits": edits})).await, diff);
    assert_eq!(tree.read("code.py"), "def f():\n    return 2\n\n\ndef h():\n    return 1\n");
    let missing = json!([{"oldText": "return 2", "newText": "return 3"}, {"oldText": "no such text", "newText": ""}]);
    let (kind, why) = refused(world, "edit_file", json!({"path": "code.py", "edits": missing})).await;
    assert!(kind == FailureKind::Value && why.contains("change 2"), "{why}");
    assert!(tree.read("code.py").contains("return 2"), "all or none");
    let loose = json!([{"oldText": "def h():\nreturn 1", "newText": "def h():\n    return 9"}]);
    text(world, "edit_file", json!({"path": "code.py", "edits": loose})).await;
    assert!(tree.read("code.py").ends_with("def h():\n    return 9\n"), "{}", tree.read("code.py"));
    for wrong in [json!([{"oldText": "", "newText": "x"}]), json!([{"oldText": "x"}]), json!("x")] {
        refused(world, "edit_file", json!({"path": "code.py", "edits": wrong})).await;
    }
}

/// Every spelling, with every tool that takes a path: refused before anything is touched, and nothing of it is told.
#[tokio::test]
async fn no_spelling_leads_out_through_a_tool() {
    let Tree { outer, world } = Tree::new(FILESYSTEM).await;
    let lines = SPELLINGS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let spellings: Vec<String> = lines.map(|line| serde_json::from_str(&format!("\"{line}\"")).unwrap()).collect();
    assert!(spellings.len() >= 150);
    let edits = json!([{"oldText": "the", "newText": "no"}]);
    for spelling in spellings {
        let path = spelling.replace("$OUTER", &outer.path().display().to_string());
        let calls = [
            ("read_text_file", json!({"path": path})),
            ("read_media_file", json!({"path": path})),
            ("write_file", json!({"path": path, "content": "x"})),
            ("edit_file", json!({"path": path, "edits": edits})),
            ("create_directory", json!({"path": path})),
            ("list_directory", json!({"path": path})),
            ("list_directory_with_sizes", json!({"path": path})),
            ("directory_tree", json!({"path": path})),
            ("move_file", json!({"source": path, "destination": "x"})),
            ("move_file", json!({"source": "docs/a.txt", "destination": path})),
            ("search_files", json!({"path": path, "pattern": "*"})),
            ("get_file_info", json!({"path": path})),
            ("delete_file", json!({"path": path})),
        ];
        for (tool, arguments) in calls {
            let (kind, why) = refused(&world, tool, arguments).await;
            assert_eq!(kind, FailureKind::Denied, "{tool} {path:?}: {why}");
            assert!(!why.contains("the secret"), "{why}");
            let own = outer.path().display().to_string();
            assert!(path.contains(&own) || !why.contains(&own), "{tool} {path:?}: {why}");
        }
        let several = text(&world, "read_multiple_files", json!({"paths": [path]})).await;
        assert!(several.contains("Error - the path") && !several.contains("the secret"), "{path:?}: {several}");
    }
    assert_eq!(std::fs::read_to_string(outer.path().join("secret.txt")).unwrap(), "the secret");
    assert_eq!(std::fs::read_dir(outer.path()).unwrap().count(), 2);
    assert_eq!(std::fs::read_dir(outer.path().join("root")).unwrap().count(), 3);
}

const SCRIPTS: &str = "
name: scripts
connections:
  - {name: docs, type: files, envVar: DOCUMENTS_DIR}
tools:
  - name: surveys
    parameters: {}
    script: |
      export default async (args, { docs }) => {
        const { entries } = await docs.list('docs', { recursive: true, glob: '*.md' });
        const texts = await Promise.all(entries.map((entry) => docs.read(entry.path)));
        const tree = await docs.tree('', { depth: 1 });
        const found = await docs.search({ text: 'shoes' });
        const { size } = await docs.stat('docs/a.txt');
        const part = await docs.read('docs/a.txt', { offset: 4, length: 3 });
        const start = await docs.readBase64('pixel.png', { length: 4 });
        return { texts, names: tree.entries.map((entry) => entry.name), lines: found.files[0].lines.length, size, part, start };
      };
  - name: tries
    parameters: {call: {type: string, required: true}, arguments: {type: array, required: true}}
    script: \"export default (args, { docs }) => docs[args.call](...args.arguments);\"
  - name: changes
    parameters: {}
    script:
      write: true
      code: |
        export default async (args, { docs }) => {
          await docs.folder('made');
          await docs.write('made/x.txt', 'a b a', { mode: 'create' });
          const { changed, diff } = await docs.edit('made/x.txt', [{ oldText: 'a', newText: 'c' }], { which: 'all' });
          await docs.move('made/x.txt', 'made/y.txt');
          const text = await docs.read('made/y.txt');
          await docs.delete('made/y.txt');
          const again = await docs.write('docs/a.txt', 'x', { mode: 'create' }).catch((error) => error.code);
          return { changed, text, again, told: diff.includes('+c b c') };
        };
";

#[tokio::test]
async fn scripts_use_files_within_the_same_rules() {
    let Tree { outer, world } = Tree::new(SCRIPTS).await;
    let wanted = json!({
        "texts": ["# Shoes\nrunning shoes\n"], "names": ["code.py", "docs", "pixel.png"], "lines": 1, "size": 19,
        "part": "two", "start": "iVBORw==",
    });
    // The text is found without regard to what comes before it: `Shoes` has another case.
    assert_eq!(value(&world, "surveys", json!({})).await, wanted);
    let done = value(&world, "changes", json!({})).await;
    assert_eq!(done, json!({"changed": 2, "text": "c b c", "again": "constraint", "told": true}));
    for (call, arguments, part) in [
        ("read", json!(["../secret.txt"]), "is refused"),
        ("read", json!(["docs/none.txt"]), "is not there"),
        ("read", json!(["pixel.png"]), "not UTF-8"),
        ("read", json!([]), "a path"),
        ("read", json!(["docs/a.txt", {"lenght": 3}]), "lenght"),
        ("write", json!(["docs/a.txt", "x"]), "does not say that it writes"),
        ("edit", json!(["docs/a.txt", []]), "does not say that it writes"),
        ("move", json!(["docs/a.txt", "x"]), "does not say that it writes"),
        ("folder", json!(["x"]), "does not say that it writes"),
        ("delete", json!(["docs/a.txt"]), "does not say that it writes"),
        ("presign", json!(["docs/a.txt"]), "no URL"),
    ] {
        let (_, why) = refused(&world, "tries", json!({"call": call, "arguments": arguments})).await;
        assert!(why.contains(part) && !why.contains("the secret"), "{call} {arguments}: {why}");
        assert!(!why.contains(&outer.path().display().to_string()), "{why}");
    }
}

async fn put(settings: Settings, call: Call) {
    let api = Api::open(settings).unwrap();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let reply = api.send(&call, deadline, &CancellationToken::new()).await.unwrap();
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn the_bucket_example_on_a_server_of_s3() {
    let names = ["MCP_FACTORY_TEST_S3", "MCP_FACTORY_TEST_S3_KEYS"];
    let [Ok(endpoint), Ok(keys)] = names.map(std::env::var) else {
        return skipped("files: bucket example", "MCP_FACTORY_TEST_S3 is not set");
    };
    let (key_id, key) = keys.split_once(':').unwrap();
    let bucket = format!("t-{}", uuid::Uuid::new_v4().simple());
    let credentials = Credentials::SigV4(SigV4 {
        key_id: key_id.to_owned(),
        secret: base::Secret::new(key),
        session_token: None,
        region: "us-east-1".to_owned(),
        service: "s3".to_owned(),
    });
    let policy = Policy::default().allow_private(true);
    let settings = Settings { credentials, policy, ..Settings::new("aws", base::Secret::new(endpoint.as_str())) };
    put(settings, Call::new(Method::PUT, format!("/{bucket}"))).await;
    let variables = |key: &str| {
        let pairs = [
            ("S3_BUCKET", bucket.as_str()),
            ("S3_ENDPOINT", &endpoint),
            ("AWS_ACCESS_KEY_ID", key_id),
            ("AWS_SECRET_ACCESS_KEY", key),
        ];
        Variables::from(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
    };
    let world = World::new(Place::sqlite(), BUCKET, &[], variables(key)).await;
    objects(&world, true).await;
    let shared = value(&world, "share_object", json!({"key": "reports/a.txt"})).await;
    let url = shared["url"].as_str().unwrap();
    assert!(url.starts_with(&endpoint) && url.contains("X-Amz-Expires=900") && !url.contains(key), "{url}");
    let wrong = World::new(Place::sqlite(), BUCKET, &[], variables("not-the-key-of-this-account")).await;
    let (kind, why) = refused(&wrong, "get_object", json!({"key": "reports/a.txt"})).await;
    assert_eq!(kind, FailureKind::Denied, "{why}");
    assert!(!why.contains("not-the-key"), "{why}");
}

#[tokio::test]
async fn a_bucket_of_google_cloud_storage() {
    let Ok(endpoint) = std::env::var("MCP_FACTORY_TEST_GCS") else {
        return skipped("files: google bucket", "MCP_FACTORY_TEST_GCS is not set");
    };
    let bucket = format!("t-{}", uuid::Uuid::new_v4().simple());
    let policy = Policy::default().allow_private(true);
    let settings = Settings { policy, ..Settings::new("gcs", base::Secret::new(endpoint.as_str())) };
    let mut call = Call::new(Method::POST, "/storage/v1/b");
    call.query.push(("project".to_owned(), "tests".to_owned()));
    call.body = Body::Json(json!({"name": bucket}).to_string().into());
    put(settings, call).await;
    let (start, tools) = BUCKET.split_once("tools:").unwrap();
    let start = start.split_once("connections:").unwrap().0;
    let connection =
        "connections:\n  - {name: bucket, type: gcs, bucket: \"${env:BUCKET}\", envVar: GCS_URL, prefix: shared}\n";
    let spec = format!("{start}{connection}tools:{tools}");
    let variables = [("BUCKET", bucket), ("GCS_URL", endpoint)].map(|(name, value)| (name.to_owned(), value));
    let world = World::new(Place::sqlite(), &spec, &[], Variables::from(variables)).await;
    // The emulator takes no notice of conditions.
    objects(&world, false).await;
    let (_, why) = refused(&world, "share_object", json!({"key": "reports/a.txt"})).await;
    assert!(why.contains("service account"), "{why}");
}

/// What the tools of the example do, in any bucket.
async fn objects(world: &World, keeps_conditions: bool) {
    text(world, "put_object", json!({"key": "reports/a.txt", "text": "hello world"})).await;
    text(world, "put_object", json!({"key": "reports/deep/b.txt", "text": "{{ args.key }}"})).await;
    if keeps_conditions {
        let (kind, why) = refused(world, "put_object", json!({"key": "reports/a.txt", "text": "again"})).await;
        assert_eq!(kind, FailureKind::Constraint, "{why}");
    }
    let listed = value(world, "list_objects", json!({})).await;
    let paths: Vec<_> = listed["entries"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["reports/a.txt", "reports/deep/b.txt"], "the prefix is not shown");
    let part = text(world, "get_object", json!({"key": "reports/a.txt", "offset": 6, "length": 3})).await;
    assert!(part.starts_with("wor"), "{part}");
    assert_eq!(text(world, "get_object", json!({"key": "reports/deep/b.txt"})).await, "{{ args.key }}");
    let (kind, why) = refused(world, "get_object", json!({"key": "../other/x"})).await;
    assert_eq!(kind, FailureKind::Denied, "{why}");
    let (kind, why) = refused(world, "get_object", json!({"key": "none"})).await;
    assert_eq!(kind, FailureKind::NotFound, "{why}");
}
