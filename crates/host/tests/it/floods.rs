//! Arguments made to be expensive. What they cost must grow with their size at most.

use std::time::{Duration, Instant};

use engine::FailureKind;

use crate::world::{Place, Variables, World};

const SPEC: &str = "
name: flooded
connections: [{name: db, type: sqlite, envVar: DATABASE_URL}]
tools:
  - name: search
    description: Takes numbers and words.
    parameters:
      numbers: {type: array, items: {type: integer}}
      limit: {type: integer}
      words: {type: object, patternProperties: {'^w': {type: boolean}}}
    reply: found
  - name: add
    description: Adds rows that share a note.
    connection: db
    parameters:
      ids: {type: array, items: {type: integer}, required: true}
      note: {type: string, required: true}
    sql: {query: 'INSERT INTO t (id, note) VALUES (:item, :note)', write: true, batch: ids}
";

/// Far more than a call takes, far less than one whose cost grows with the square of its size.
const LONG: Duration = Duration::from_secs(5);

async fn world() -> World {
    World::new(Place::sqlite(), SPEC, &["CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)"], Variables::new()).await
}

#[tokio::test]
async fn thousands_of_faults_are_counted_and_a_few_of_them_told() {
    let world = world().await;
    let joined = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
    let cases = [
        (format!("{{{}}}", joined(20_000, &|at| format!("\"key{at}\":1"))), 20_000),
        (format!("{{\"numbers\":[{}]}}", joined(60_000, &|_| "\"x\"".to_owned())), 60_000),
        (format!("{{\"words\":{{{}}}}}", joined(20_000, &|at| format!("\"w{at}\":1"))), 20_000),
        (format!("{{\"words\":{{\"w{}\":1}}}}", "x".repeat(200_000)), 1),
    ];
    for (arguments, faults) in cases {
        let began = Instant::now();
        let failure = world.call("search", &arguments).await.failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Arguments, "{arguments:.60}");
        assert!(began.elapsed() < LONG, "{arguments:.60} took {:?}", began.elapsed());
        let detail = failure.detail.unwrap().to_string();
        assert!(failure.text.len() < 4_000 && detail.len() < 8_000, "{arguments:.60}: {}", failure.text);
        let told = failure.text.matches("\n- ").count();
        match faults {
            1 => assert_eq!(told, 1),
            _ => assert!(failure.text.contains(&format!("and {} more", faults - (told - 1))), "{}", failure.text),
        }
    }
}

#[tokio::test]
async fn a_batch_takes_no_more_copies_of_the_other_arguments_than_fit() {
    let world = world().await;
    let ids = (0..10_000).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let outcome = world.call("add", &format!("{{\"ids\":[{ids}],\"note\":\"{}\"}}", "x".repeat(100_000))).await;
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.text.contains("10000 elements"), "{}", failure.text);
    let outcome = world.call("add", &format!("{{\"ids\":[1,2.0],\"note\":\"{}\"}}", "x".repeat(100_000))).await;
    assert_eq!(outcome.structured.as_deref(), Some(&b"{\"affected\":2}"[..]), "{outcome:?}");
}
