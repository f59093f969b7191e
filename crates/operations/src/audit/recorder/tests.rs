use serde_json::Value;
use store::AuditQuery;

use super::{Recorder, lost_note};
use crate::{Caller, Context, Environment, Home};

/// The details of the entries of an operation, oldest first.
async fn entries(context: &Context, operation: &str) -> Vec<Value> {
    let query = AuditQuery { operation: Some(operation.to_owned()), limit: 100, ..AuditQuery::default() };
    let found = context.store(move |store| store.audit(&query)).await.unwrap();
    found.iter().rev().map(|entry| serde_json::from_str(&entry.note.details).unwrap()).collect()
}

#[tokio::test]
async fn entries_that_cannot_be_written_are_told_as_lost_once_each() {
    let home = tempfile::tempdir().unwrap();
    let context = Context::new(Home::at(home.path()), Environment::only([]), Caller::Local, "test");
    let recorder = Recorder::start(&context).await.unwrap();
    let file = rusqlite::Connection::open(home.path().join(store::FILE_NAME)).unwrap();
    file.execute_batch("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END").unwrap();
    recorder.lose(5);
    for _ in 0..9 {
        recorder.put(store::AuditNote { operation: "tool.call".into(), ..lost_note(0) });
    }
    recorder.flush().await;
    file.execute_batch("DROP TRIGGER full").unwrap();
    recorder.put(store::AuditNote { operation: "tool.call".into(), ..lost_note(0) });
    recorder.flush().await;
    assert_eq!(entries(&context, "audit.lost").await, [serde_json::json!({"entries": 14})]);
    assert_eq!(entries(&context, "tool.call").await.len(), 1);
}

#[tokio::test]
async fn entries_that_were_written_are_not_told_as_lost_when_old_ones_cannot_be_removed() {
    let home = tempfile::tempdir().unwrap();
    let context = Context::new(Home::at(home.path()), Environment::only([]), Caller::Local, "test");
    context.store(|store| store.append_audit(vec![lost_note(7)])).await.unwrap();
    // The log is pruned with the first entries of a process. Nothing can be read of where it starts.
    let file = rusqlite::Connection::open(home.path().join(store::FILE_NAME)).unwrap();
    file.execute_batch("ALTER TABLE audit_start RENAME TO elsewhere").unwrap();
    let recorder = Recorder::start(&context).await.unwrap();
    for number in 1..=2 {
        recorder.put(store::AuditNote { operation: "tool.call".into(), ..lost_note(0) });
        recorder.flush().await;
        assert_eq!(entries(&context, "tool.call").await.len(), number);
    }
    assert_eq!(entries(&context, "audit.lost").await, [serde_json::json!({"entries": 7})]);
}
