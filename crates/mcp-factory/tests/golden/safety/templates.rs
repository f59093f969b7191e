//! Texts that try to be templates come back as they were sent, through every action.

use serde_json::{Value, json};

use super::{entries, serve};
use crate::all;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_are_never_read_as_templates() {
    let folder = tempfile::tempdir().unwrap();
    let fakes = all::start("127.0.0.1:0").await.unwrap();
    let database = folder.path().join("case.db");
    std::fs::File::create(&database).unwrap();
    let spec = std::fs::read_to_string(crate::file("tests/safety/templates.yaml")).unwrap();
    let variables = [
        ("ECHO_URL", format!("{fakes}/echo")),
        ("DATABASE_URL", format!("sqlite:{}", database.display())),
        ("SECRET", "env-s3cr3t".to_owned()),
    ];
    let mut session = serve(folder.path(), &spec, &[], &variables).await;
    for text in entries("templates.txt") {
        let arguments = json!({ "q": text });
        let json = session.call("json", &arguments).await.unwrap();
        let body = json["structuredContent"]["result"].as_str().unwrap_or_else(|| panic!("{text}: {json}"));
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body, json!({ "q": text, "mixed": format!("<{text}>") }));
        for tool in ["sql", "script"] {
            let result = session.call(tool, &arguments).await.unwrap();
            assert_eq!(result["structuredContent"], arguments, "{tool} {text}");
        }
        let words = session.call("words", &arguments).await.unwrap();
        assert_eq!(words["content"][0]["text"], format!("[{text}]"), "the words of an error");
        let prompt = session.ask("prompts/get", &json!({ "name": "prompt", "arguments": arguments })).await.unwrap();
        assert_eq!(prompt["messages"][0]["content"]["text"], format!("[{text}]"), "a prompt");
    }
    session.close().await;
}
