//! Servers that end, hang and come back; callers that go away.

use std::time::{Duration, Instant};

use connect::ErrorKind;
use connect::redis::{Batch, Command, Limits, Redis, Settings};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::fake::Server;
use super::world::{World, one, settings, soon};

#[tokio::test]
async fn a_blocking_command_ends_when_its_caller_goes_away() {
    let Some(world) = World::new("redis: cancellation") else { return };
    for words in [&["BLPOP", "@queue", "0"] as &[&str], &["XREAD", "BLOCK", "0", "STREAMS", "@st", "$"]] {
        let batch = Batch { commands: vec![world.command(words)], atomic: false, reads: false };
        let cancel = CancellationToken::new();
        let blocked = async {
            // The server itself says when it waits.
            while !world.must(&["INFO", "clients"]).await.as_str().unwrap_or_default().contains("blocked_clients:1") {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
            Instant::now()
        };
        let (outcome, cancelled) = tokio::join!(world.redis.run(&batch, soon(), &cancel), blocked);
        assert_eq!(outcome.expect_err("cancelled").kind, ErrorKind::Cancelled);
        assert!(cancelled.elapsed() < Duration::from_millis(500), "{:?}", cancelled.elapsed());
        while !world.must(&["INFO", "clients"]).await.as_str().unwrap_or_default().contains("blocked_clients:0") {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn the_deadline_ends_a_call() {
    let server = Server::silent().await;
    let redis = Redis::open(settings(&server.url())).expect("settings that can be used");
    let batch = Batch { commands: vec![Command::new(["GET", "k"])], atomic: false, reads: true };
    let deadline = tokio::time::Instant::now() + Duration::from_millis(50);
    let late = redis.run(&batch, deadline, &CancellationToken::new()).await.expect_err("no answer");
    assert_eq!(late.kind, ErrorKind::Timeout, "{late}");
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let mut server = Server::start(&[b"$2\r\nhi\r\n"]).await;
    let redis = Redis::open(settings(&server.url())).expect("settings that can be used");
    let get = || one(&redis, Command::new(["GET", "k"]));
    assert_eq!(get().await.expect("an answer"), json!("hi"));
    server.stop().await;
    let gone = get().await.expect_err("nobody listens");
    assert_eq!(gone.kind, ErrorKind::Unreachable, "{gone}");
    assert!(gone.to_string().contains("check that the server runs"), "{gone}");
    server.again().await;
    assert_eq!(get().await.expect("an answer"), json!("hi"));
}

#[tokio::test]
async fn a_read_is_sent_again_and_a_write_is_not() {
    for reads in [true, false] {
        // Closes the connection instead of answering the second command of a connection.
        let server = Server::start(&[b"$2\r\nhi\r\n", b""]).await;
        let redis = Redis::open(settings(&server.url())).expect("settings that can be used");
        let batch = Batch { commands: vec![Command::new(["GET", "k"])], atomic: false, reads };
        let run = async || redis.run(&batch, soon(), &CancellationToken::new()).await;
        run().await.expect("an answer");
        let second = run().await;
        assert_eq!(second.is_ok(), reads, "{second:?}");
        if let Err(error) = second {
            assert_eq!(error.kind, ErrorKind::Transient, "{error}");
            assert!(error.to_string().contains("may have been carried out"), "{error}");
        }
    }
}

#[tokio::test]
async fn waiting_for_a_connection_has_an_end() {
    let Some(world) = World::new("redis: pool") else { return };
    let limits = Limits { pool_max: 1, acquire: Duration::from_millis(50), ..Limits::default() };
    let redis = Redis::open(Settings { limits, ..settings(&world.url) }).expect("settings that can be used");
    let cancel = CancellationToken::new();
    let blocking = Batch { commands: vec![world.command(&["BLPOP", "@q", "0"])], atomic: false, reads: false };
    let second = async {
        // The first one has the only place as soon as it was polled.
        let full = one(&redis, Command::new(["PING"])).await.expect_err("no connection is free");
        cancel.cancel();
        full
    };
    let (_, full) = tokio::join!(redis.run(&blocking, soon(), &cancel), second);
    assert_eq!(full.kind, ErrorKind::PoolTimeout, "{full}");
    one(&redis, Command::new(["PING"])).await.expect("the place is free again");
}
