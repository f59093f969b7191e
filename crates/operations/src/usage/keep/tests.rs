use std::sync::Arc;
use std::time::Duration;

use deploy::{Ended, Key, Local};
use protocol::{EndpointOptions, Runtime, RuntimeOptions};

use super::{ROWS_AT_ONCE, flush};
use crate::deploy::{Targets, logs_of};
use crate::{Caller, Context, Environment, Home};

#[tokio::test]
async fn nothing_is_lost_when_whoever_asked_goes_away() {
    let home = tempfile::tempdir().unwrap();
    let mut context = Context::new(Home::at(home.path()), Environment::only([]), Caller::Local, "test");
    let runtime = Runtime::new(RuntimeOptions::default()).unwrap();
    let local = Local::new(runtime, EndpointOptions::default(), logs_of(&context).writer(None));
    context.targets = Some(Arc::new(Targets::new(Arc::new(local), String::new())));
    let usage = context.targets.as_ref().unwrap().local.log().usage();
    let tools = ROWS_AT_ONCE + 100;
    for number in 0..tools {
        let tool = format!("tool-{number}");
        let one = Ended { is_error: false, micros: 1, bytes_in: 1, bytes_out: 1 };
        usage.add(Key { server: "shop", version: "1.0.0", tool: &tool, caller: "ada" }, one);
    }
    context.store(|_| Ok(())).await.unwrap();
    let other = rusqlite::Connection::open(home.path().join(store::FILE_NAME)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    tokio::time::timeout(Duration::from_millis(100), flush(&context)).await.expect_err("the store is held");
    other.execute_batch("COMMIT").unwrap();
    let kept = async {
        let count =
            || other.query_row("SELECT count(DISTINCT tool) FROM usage", (), |row| row.get::<_, i64>(0)).unwrap();
        while count() < i64::try_from(tools).unwrap() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            flush(&context).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(30), kept).await.expect("all that was counted is kept");
}
