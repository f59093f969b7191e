//! What steps are made of is checked like what tools are made of, and tools call each other within bounds.

use base::{Diagnostic, Source};
use engine::FailureKind;
use serde_json::{Value, json};

use crate::world::{Place, Variables, World, parse};

const SQL: &str = "
name: typed
connections: [{name: db, type: sqlite, envVar: DATABASE_URL}]
tools:
  - name: alone
    parameters: {}
    sql: SELECT word, is_short, made FROM words
  - name: within
    parameters: {}
    steps: [{name: one, reply: x}, {name: two, sql: 'SELECT word, is_short, made FROM words'}]
";
const TABLE: &str = "CREATE TABLE words (word TEXT, is_short BOOLEAN, made TIMESTAMP)";

#[tokio::test]
async fn sql_of_steps_has_the_types_of_its_database() {
    let row = "INSERT INTO words VALUES ('a', 1, '2026-01-02 03:04:05')";
    let world = World::new(Place::sqlite(), SQL, &[TABLE, row], Variables::new()).await;
    let json_of = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
    let alone = json_of(&world.call("alone", "{}").await.structured.unwrap());
    let within = json_of(&world.call("within", "{}").await.structured.unwrap());
    assert_eq!(alone[0]["is_short"], json!(true));
    assert_eq!(within, alone);
}

/// What is found when the server of a spec is made.
async fn found(spec: &str, seed: &[&str]) -> Vec<Diagnostic> {
    let place = Place::sqlite();
    let url = place.url.clone();
    let empty = "name: empty\nconnections: [{name: db, type: sqlite, envVar: DATABASE_URL}]\ntools: [{name: one, connection: db, parameters: {}, sql: SELECT 1 AS n}]";
    let _seeded = World::new(place, empty, seed, Variables::new()).await;
    let spec = parse(spec);
    let opened = host::open(&spec, &|name: &str| (name == "DATABASE_URL").then(|| url.clone()), true);
    host::make_plan(&spec, &opened.connections, None).await.1
}

#[tokio::test]
async fn sql_of_steps_that_the_database_refuses_is_found_when_the_server_is_made() {
    let bad = SQL.replace("{name: two, sql: 'SELECT word,", "{name: two, sql: 'SELECT wrod,");
    let found = found(&bad, &[TABLE]).await;
    let errors: Vec<&Diagnostic> = found.iter().filter(|one| one.is_error()).collect();
    let [error] = errors.as_slice() else { panic!("{found:#?}") };
    assert_eq!(error.path, "/tools/1/steps/do/1/sql", "{error:?}");
    assert!(error.message.contains("`within/two`") && error.message.contains("wrod"), "{error:?}");
}

const SCRIPTS: &str = "name: scripts
tools:
  - name: fails
    parameters: {}
    steps:
      - name: first
        reply: x
      - name: second
        script: |
          export default function run(args) {
            const far = 1;
            throw new Error('too far');
          }
";

#[tokio::test]
async fn scripts_of_steps_point_at_their_lines_in_the_spec() {
    let world = World::new(Place::sqlite(), SCRIPTS, &[], Variables::new()).await;
    let failure = world.call("fails", "{}").await.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Script);
    assert!(failure.text.contains("(line 12, column"), "{}", failure.text);
    assert!(failure.text.contains("of the spec): too far"), "{}", failure.text);
    let bad = SCRIPTS.replace("const far = 1", "const far = = 1");
    let mut problems = engine::check_scripts(&parse(&bad));
    problems.iter_mut().for_each(|problem| problem.locate(&bad));
    let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
    assert_eq!((problem.path.as_str(), problem.span.unwrap().line), ("/tools/0/steps/do/1/script", 11));
    assert!(problem.render(Source { name: "spec.yaml", text: &bad }, false).contains("const far = = 1"));
}

#[tokio::test]
async fn tools_call_each_other_within_a_named_depth() {
    let link = |at: usize| format!("  - {{name: t{at}, parameters: {{}}, call: t{}}}\n", at + 1);
    let chain: String = (0..=engine::limits::CALL_DEPTH_MAX).map(link).collect();
    let last = engine::limits::CALL_DEPTH_MAX + 1;
    let spec = format!("name: chain\ntools:\n{chain}  - {{name: t{last}, parameters: {{}}, reply: the end}}\n");
    let world = World::new(Place::sqlite(), &spec, &[], Variables::new()).await;
    assert_eq!(world.call("t1", "{}").await.text(), "the end");
    let failure = world.call("t0", "{}").await.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(
        failure
            .text
            .starts_with(&format!("`t{last}` was not called: tools have called each other 4 times, which is the most")),
        "{}",
        failure.text
    );
}
