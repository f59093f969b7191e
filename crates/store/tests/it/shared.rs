//! Several processes and threads on one store.

use std::sync::Barrier;

use store::{Error, Outcome};

use crate::catalogue::release;
use crate::world::{Place, both, run, server, skip};

#[test]
fn writers_of_several_stores_lose_nothing_and_agree() {
    both("writers_of_several_stores_lose_nothing_and_agree", |place| {
        drop(place.open());
        std::thread::scope(|scope| {
            for writer in 0..4 {
                scope.spawn(move || {
                    let store = place.open();
                    for number in 0..10 {
                        let name = format!("w{writer}-{number}");
                        assert_eq!(store.put(&release(&name, "1.0.0", "one"), false).unwrap(), Outcome::Created);
                    }
                });
            }
        });
        let store = place.open();
        assert_eq!(store.names().unwrap().len(), 40);
        assert!(store.check().unwrap().problems.is_empty());
    });
}

/// Of many that make the same version with other content at the same time, one wins and the others are told.
#[test]
fn one_of_many_conflicting_writers_wins() {
    both("one_of_many_conflicting_writers_wins", |place| {
        let store = place.open();
        let start = Barrier::new(8);
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|writer| {
                    let (store, start) = (&store, &start);
                    scope.spawn(move || {
                        start.wait();
                        store.put(&release("shop", "1.0.0", &format!("content {writer}")), false)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(results.iter().filter(|one| matches!(one, Ok(Outcome::Created))).count(), 1, "{results:?}");
        assert_eq!(results.iter().filter(|one| matches!(one, Err(Error::Conflict { .. }))).count(), 7, "{results:?}");
    });
}

/// A refused change among others that are kept leaves nothing of itself.
#[test]
fn a_refused_change_of_a_group_disturbs_no_other() {
    both("a_refused_change_of_a_group_disturbs_no_other", |place| {
        let store = place.open();
        store.put(&release("shop", "1.0.0", "one"), false).unwrap();
        std::thread::scope(|scope| {
            for number in 0..16 {
                let store = &store;
                scope.spawn(move || {
                    if number % 2 == 0 {
                        let other = release("shop", "1.0.0", &format!("two {number}"));
                        assert!(matches!(store.put(&other, false), Err(Error::Conflict { .. })));
                    } else {
                        store.put(&release(&format!("kept-{number}"), "1.0.0", "one"), false).unwrap();
                    }
                });
            }
        });
        assert_eq!(store.names().unwrap().len(), 9);
        assert_eq!(store.version("shop", None).unwrap().release.source, "one");
    });
}

#[test]
fn a_server_that_goes_away_and_returns_needs_no_restart() {
    let name = "a_server_that_goes_away_and_returns_needs_no_restart";
    let Some(database) = server(name) else { return skip(name) };
    let base = database.remote().config;
    let place = Place::Server(Box::new(database));
    let store = place.open();
    store.put(&release("shop", "1.0.0", "one"), false).unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    run(&base, cut);
    assert_eq!(store.names().unwrap(), ["shop"]);
    run(&base, cut);
    assert_eq!(store.put(&release("notes", "1.0.0", "one"), false).unwrap(), Outcome::Created);
    assert!(!store.place().contains("password"), "{}", store.place());
}

/// A runtime of the store's own must not be waited for where other tasks run.
#[test]
fn a_store_can_be_dropped_among_asynchronous_tasks() {
    both("a_store_can_be_dropped_among_asynchronous_tasks", |place| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let store = place.open();
        store.put(&release("shop", "1.0.0", "one"), false).unwrap();
        runtime.block_on(async move { drop(store) });
    });
}

#[test]
fn a_newer_format_of_a_server_is_refused() {
    let name = "a_newer_format_of_a_server_is_refused";
    let Some(database) = server(name) else { return skip(name) };
    drop(store::Store::connect(database.remote()).unwrap());
    let remote = database.remote();
    run(&remote.config, "INSERT INTO mcp_factory.migrations VALUES (99, 'later')");
    assert!(matches!(store::Store::connect(remote), Err(Error::TooNew { found: 99, .. })));
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_password() {
    let mut remote = match server("a_server_that_is_not_there") {
        Some(database) => database.remote(),
        None => return skip("a_server_that_is_not_there_is_named_without_its_password"),
    };
    remote.config = "host=127.0.0.1 port=1 user=u password=hunter2 dbname=d".parse().unwrap();
    let error = store::Store::connect(remote).unwrap_err();
    assert!(matches!(&error, Error::Away { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

/// Forty sign-ins of one person at once, at two processes, all come in.
#[test]
fn many_sign_ins_of_one_person_come_one_after_the_other() {
    both("many_sign_ins_of_one_person_come_one_after_the_other", |place| {
        let one = place.open();
        let account = store::accounts::Account {
            id: "id-ann".to_owned(),
            name: "ann".to_owned(),
            role: "member".to_owned(),
            password: Some("hash".to_owned()),
            created_at: 1,
            signed_in_at: None,
            tied: None,
        };
        assert!(one.add_account(&account, 9).unwrap());
        let two = if matches!(place, Place::Server(_)) { Some(place.open()) } else { None };
        let start = Barrier::new(40);
        let results: Vec<Result<(), Error>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..40_u8)
                .map(|number| {
                    let store = two.as_ref().filter(|_| number % 2 == 0).unwrap_or(&one);
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        store.sign_in(&[number; 32], "id-ann", "password", 100, 200)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(one.all_signed_in(150, 100).unwrap().len(), 20, "the newest of one person are kept");
    });
}
