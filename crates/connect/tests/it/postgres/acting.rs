//! Requests that act as their caller: role and settings for one transaction, and nothing of them afterwards.

use std::time::Duration;

use connect::{Acting, ErrorKind};
use serde_json::{Value, json};

use super::world::World;
use crate::support::{Call, statement};

/// Rows that belong to users, by a policy. Roles belong to the whole server, so each test has its own.
fn schema(role: &str) -> String {
    format!(
        "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} NOLOGIN;
         CREATE TABLE note (id int PRIMARY KEY, owner text NOT NULL, body text NOT NULL);
         INSERT INTO note VALUES (1, 'ann', 'a'), (2, 'bob', 'b'), (3, 'ann', 'c');
         ALTER TABLE note ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON note USING (owner = current_setting('app.user_id', true));
         GRANT SELECT, INSERT, UPDATE, DELETE ON note TO {role};"
    )
}

fn acting(role: &str, user: &str) -> Option<Acting> {
    Some(Acting { role: Some(role.to_owned()), settings: vec![("app.user_id".to_owned(), user.to_owned())] })
}

const WHO: &str = "SELECT current_user::text AS u, coalesce(current_setting('app.user_id', true), '') AS s";

/// What a request that acts as nobody sees on the only connection of the pool.
async fn nobody(database: &connect::Database, write: bool) -> Value {
    Call { write, ..Call::read(WHO, &[]) }.rows(database).await
}

async fn drop_role(world: &World, role: &str) {
    world.eyes.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.expect("the role is dropped");
}

#[tokio::test]
async fn policies_see_the_caller_and_the_next_request_does_not() {
    let role = format!("acting_{}", std::process::id());
    let Some(world) = World::new("policies_see_the_caller_and_the_next_request_does_not", &schema(&role)).await else {
        return;
    };
    let database = world.database_with(|config| config.pool_max = 1);
    let before = nobody(&database, false).await;
    assert_eq!(before[0]["s"], "", "{before}");
    let ids = Call::read("SELECT id FROM note ORDER BY id", &[]);
    for write in [false, true] {
        for (user, wanted) in [("ann", json!([1, 3])), ("bob", json!([2])), ("o'hara\"; RESET ROLE --", json!([]))] {
            let call =
                Call { write, acting: acting(&role, user), ..Call::read("SELECT id FROM note ORDER BY id", &[]) };
            let rows = call.rows(&database).await;
            let found: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["id"]).collect();
            assert_eq!(json!(found), wanted, "{user} (write: {write})");
            let seen = Call { write, acting: acting(&role, user), ..Call::read(WHO, &[]) }.rows(&database).await;
            assert_eq!(seen, json!([{ "u": role, "s": user }]));
            assert_eq!(nobody(&database, write).await, before, "after {user} (write: {write})");
        }
    }
    assert_eq!(ids.rows(&database).await.as_array().unwrap().len(), 3, "the account itself sees all");
    drop_role(&world, &role).await;
}

#[tokio::test]
async fn nothing_is_left_after_errors_changes_and_cancellation() {
    let role = format!("acting_err_{}", std::process::id());
    let Some(world) = World::new("nothing_is_left_after_errors_changes_and_cancellation", &schema(&role)).await else {
        return;
    };
    let database = world.database_with(|config| config.pool_max = 1);
    let before = nobody(&database, true).await;
    let texts = [
        "SELECT 1/0",
        "SELECT * FROM nothing",
        "INSERT INTO note VALUES (9, 'bob', 'not mine')",
        "INSERT INTO note VALUES (1, 'ann', 'twice')",
        "UPDATE note SET body = 'changed' WHERE id = 2",
        "DELETE FROM note WHERE id = 3",
    ];
    for text in texts {
        let result = Call { acting: acting(&role, "ann"), ..Call::write(text, &[]) }.run(&database).await;
        assert_eq!(nobody(&database, true).await, before, "{text}: {result:?}");
        assert_eq!(nobody(&database, false).await, nobody(&database, false).await, "{text}");
    }
    assert_eq!(world.see("SELECT string_agg(id || body, ',' ORDER BY id) FROM note").await, "1a,2b");
    // Several statements, and a batch: each as the caller, in one transaction.
    let mut call = Call { acting: acting(&role, "ann"), ..Call::write("UPDATE note SET body = 'x'", &[]) };
    call.statements.push(statement("SELECT count(*) AS n FROM note", 0));
    assert_eq!(call.rows(&database).await, json!([{ "n": 1 }]));
    assert_eq!(world.see("SELECT body FROM note WHERE id = 2").await, "b");

    let call = Call { acting: acting(&role, "ann"), ..Call::read("SELECT pg_sleep(20)", &[]) };
    let cancel = call.cancel.clone();
    let stopping = async {
        world.wait_for("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(20)%' AND state = 'active' AND pid <> pg_backend_pid()", "1").await;
        cancel.cancel();
    };
    let (error, ()) = tokio::join!(call.error(&database), stopping);
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert_eq!(nobody(&database, false).await[0]["s"], "");
    let call = Call {
        acting: acting(&role, "ann"),
        timeout: Duration::from_millis(200),
        ..Call::read("SELECT pg_sleep(20)", &[])
    };
    assert_eq!(call.error(&database).await.kind, ErrorKind::Timeout);
    assert_eq!(nobody(&database, false).await[0]["s"], "");
    drop_role(&world, &role).await;
}

#[tokio::test]
async fn who_may_not_act_is_refused() {
    let role = format!("acting_no_{}", std::process::id());
    let Some(world) = World::new("who_may_not_act_is_refused", &schema(&role)).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let before = nobody(&database, false).await;
    let call = Call { acting: acting("no_such_role", "ann"), ..Call::read("SELECT 1 AS one", &[]) };
    let error = call.error(&database).await;
    assert_eq!((error.kind, error.attempted), (ErrorKind::Denied, "act for the caller"), "{error}");
    assert_eq!(nobody(&database, false).await, before);

    let database = world.database().acting_only().unwrap();
    let error = Call::read("SELECT 1 AS one", &[]).error(&database).await;
    assert_eq!(error.kind, ErrorKind::Denied, "{error}");
    let call = Call { acting: acting(&role, "ann"), ..Call::read("SELECT 1 AS one", &[]) };
    assert_eq!(call.rows(&database).await, json!([{ "one": 1 }]));
    drop_role(&world, &role).await;
}

#[tokio::test]
async fn many_callers_on_few_connections_never_meet() {
    let role = format!("acting_many_{}", std::process::id());
    let Some(world) = World::new("many_callers_on_few_connections_never_meet", &schema(&role)).await else { return };
    let database = world.database_with(|config| config.pool_max = 3);
    let calls = (0..120).map(|number| {
        let (database, role) = (&database, &role);
        async move {
            let user = format!("user-{number}");
            let seen = Call { write: number % 2 == 0, acting: acting(role, &user), ..Call::read(WHO, &[]) };
            assert_eq!(seen.rows(database).await, json!([{ "u": role, "s": user }]));
        }
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(nobody(&database, false).await[0]["s"], "");
    drop_role(&world, &role).await;
}
