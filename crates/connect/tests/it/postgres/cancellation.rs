//! A caller that goes away takes its statement with it, at the server.

use std::time::{Duration, Instant};

use connect::ErrorKind;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::support::{Call, statement};

const ACTIVE: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'mcp-factory' AND state = 'active'";
/// A generous bound, far below the statements' own 60 s.
const SOON: Duration = Duration::from_secs(10);

fn sleep(write: bool) -> Call {
    Call { write, timeout: Duration::from_secs(60), ..Call::read("SELECT pg_sleep(60)::text AS s", &[]) }
}

#[tokio::test]
async fn a_cancelled_call_ends_at_the_server() {
    let Some(world) = World::new("a_cancelled_call_ends_at_the_server", "CREATE TABLE t (x int)").await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for write in [false, true] {
        for several in [false, true] {
            let cancel = CancellationToken::new();
            let mut call = Call { cancel: cancel.clone(), ..sleep(write) };
            if several {
                call.statements.insert(0, statement(if write { "INSERT INTO t VALUES (1)" } else { "SELECT 1" }, 0));
            }
            let began = Instant::now();
            let (error, ()) = tokio::join!(call.error(&database), async {
                world.wait_for(ACTIVE, "1").await;
                cancel.cancel();
            });
            assert_eq!(error.kind, ErrorKind::Cancelled, "{error}");
            world.wait_for(ACTIVE, "0").await;
            assert!(began.elapsed() < SOON);
            assert_eq!(Call::read("SELECT count(*) AS c FROM t", &[]).rows(&database).await, json!([{ "c": 0 }]));
        }
    }
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let call = Call { cancel: cancelled, ..Call::write("INSERT INTO t VALUES (1)", &[]) };
    assert_eq!(call.error(&database).await.kind, ErrorKind::Cancelled);
}

#[tokio::test]
async fn a_dropped_call_ends_at_the_server() {
    let Some(world) = World::new("a_dropped_call_ends_at_the_server", "").await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for write in [false, true] {
        let call = sleep(write);
        tokio::select! {
            _ = call.run(&database) => panic!("it sleeps"),
            () = world.wait_for(ACTIVE, "1") => {}
        }
        world.wait_for(ACTIVE, "0").await;
        assert_eq!(Call::read("SELECT 1 AS x", &[]).rows(&database).await, json!([{ "x": 1 }]));
    }
}
