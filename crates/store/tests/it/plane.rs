//! Jobs, kept answers, deployments.

use store::{Claim, Claimant, Error, JobState, Lease, NewJob, Reply, Seen, Store, Wanted};

use crate::catalogue::release;
use crate::world::both;

fn job(id: &str, owner: &str) -> NewJob {
    NewJob {
        id: id.to_owned(),
        operation: "server.create".to_owned(),
        owner: owner.to_owned(),
        caller: "{}".to_owned(),
        input: "{\"a\": 1}".to_owned(),
    }
}

fn lease(holder: &str, now: i64) -> Lease {
    Lease { holder: holder.to_owned(), now, until: now + 100 }
}

#[test]
fn jobs_go_from_queued_to_an_end_that_stays() {
    both("jobs_go_from_queued_to_an_end_that_stays", |place| {
        let store = place.open();
        assert_eq!(store.put_job(&job("1", "a"), &lease("p", 0)).unwrap().state, JobState::Queued);
        store.put_job(&job("2", "b"), &lease("p", 0)).unwrap();
        assert!(store.start_job("1", "p").unwrap());
        assert_eq!(store.job("1").unwrap().unwrap().state, JobState::Running);
        assert_eq!(store.keep_jobs(&lease("p", 1)).unwrap(), ["1", "2"]);
        store.tell_job("1", "p", "{\"done\":1}").unwrap();
        store.end_job("1", Some("p"), JobState::Done, Some("{}")).unwrap();
        store.end_job("1", None, JobState::Cancelled, None).unwrap();
        let ended = store.job("1").unwrap().unwrap();
        assert_eq!((ended.state, ended.result.as_deref()), (JobState::Done, Some("{}")));
        assert!(!store.start_job("1", "p").unwrap());
        store.tell_job("1", "p", "{}").unwrap();
        let told = |after| {
            let all = store.job_events("1", after, 10).unwrap();
            all.into_iter().map(|event| (event.number, event.event)).collect::<Vec<_>>()
        };
        let text = |number: i64, event: &str| (number, event.to_owned());
        let after_two = [text(3, "{\"done\":1}"), text(4, "{\"state\":\"done\"}")];
        assert_eq!(told(2), after_two);
        assert_eq!(told(0)[..2], [text(1, "{\"state\":\"queued\"}"), text(2, "{\"state\":\"running\"}")]);
        assert_eq!(store.keep_jobs(&lease("p", 2)).unwrap(), ["2"]);
        let ids = |owner: Option<&str>, before: Option<&str>| {
            store.jobs(owner, before, 10).unwrap().into_iter().map(|job| job.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(None, None), ["2", "1"]);
        assert_eq!(ids(None, Some("2")), ["1"]);
        assert_eq!(ids(Some("b"), None), ["2"]);
        assert_eq!(store.job("3").unwrap(), None);
    });
}

#[test]
fn a_job_of_a_control_plane_that_is_gone_is_taken_by_another_one() {
    both("a_job_of_a_control_plane_that_is_gone_is_taken_by_another_one", |place| {
        let store = place.open();
        for id in ["1", "2"] {
            store.put_job(&job(id, "a"), &lease("p", 0)).unwrap();
        }
        store.start_job("1", "p").unwrap();
        let taken = |lease: &Lease, alone| {
            store.take_jobs(lease, alone).unwrap().into_iter().map(|job| job.id).collect::<Vec<_>>()
        };
        assert!(taken(&lease("q", 50), false).is_empty(), "its lease has not ended");
        assert!(taken(&lease("p", 500), true).is_empty(), "they are its own");
        store.keep_jobs(&lease("p", 50)).unwrap();
        assert!(taken(&lease("q", 120), false).is_empty(), "it lives");
        assert_eq!(taken(&lease("q", 151), false), ["1", "2"]);
        assert!(taken(&lease("r", 152), false).is_empty(), "each is taken once");
        assert!(store.keep_jobs(&lease("p", 153)).unwrap().is_empty());
        assert!(!store.start_job("2", "p").unwrap());
        store.end_job("1", Some("p"), JobState::Done, None).unwrap();
        assert_eq!(store.job("1").unwrap().unwrap().state, JobState::Running, "it is another one's");
        store.end_job("1", Some("q"), JobState::Done, None).unwrap();
        assert_eq!(taken(&lease("r", 153), true), ["2"], "nobody else is there");
    });
}

#[test]
fn a_key_is_claimed_once_and_its_answer_is_kept() {
    both("a_key_is_claimed_once_and_its_answer_is_kept", |place| {
        let store = place.open();
        let reply = Reply { status: 201, headers: "{}".to_owned(), body: b"made".to_vec() };
        let by = claimant("p", 100, false);
        let claim = |owner: &str, request: &str| store.claim_reply(owner, "k", request, &by).unwrap();
        assert_eq!(claim("a", "one"), Claim::Yours);
        assert_eq!(claim("a", "one"), Claim::Running);
        assert_eq!(claim("a", "two"), Claim::Other);
        assert_eq!(claim("b", "two"), Claim::Yours);
        store.keep_reply("a", "k", &reply).unwrap();
        assert_eq!(claim("a", "one"), Claim::Answered(reply));
        store.drop_reply("a", "k").unwrap();
        assert!(matches!(claim("a", "one"), Claim::Answered(_)), "an answer is not dropped");
        store.drop_reply("b", "k").unwrap();
        assert_eq!(claim("b", "three"), Claim::Yours);
    });
}

fn claimant(holder: &str, now: i64, repeats: bool) -> Claimant {
    Claimant { lease: lease(holder, now), alone: false, repeats }
}

#[test]
fn a_claim_holds_as_long_as_its_control_plane_lives() {
    both("a_claim_holds_as_long_as_its_control_plane_lives", |place| {
        let store = place.open();
        let claim = |key: &str, by: &Claimant| store.claim_reply("a", key, "one", by).unwrap();
        let until = lease("p", 100).until;
        for key in ["once", "again"] {
            assert_eq!(claim(key, &claimant("p", 100, false)), Claim::Yours);
            assert_eq!(claim(key, &claimant("q", until, true)), Claim::Running, "another one looks at it");
        }
        store.keep_claims(&lease("p", until)).unwrap();
        store.keep_claims(&lease("q", until + 1_000_000)).unwrap();
        assert_eq!(claim("once", &claimant("q", until + 1, true)), Claim::Running, "it said that it lives");
        let late = lease("p", until).until + 1;
        assert_eq!(claim("once", &claimant("q", late, false)), Claim::CutOff);
        assert_eq!(claim("once", &claimant("q", late, false)), Claim::CutOff, "for whoever asks");
        assert_eq!(claim("again", &claimant("q", late, true)), Claim::Yours);
        assert_eq!(claim("again", &claimant("r", late, true)), Claim::Running);
        let alone = Claimant { alone: true, ..claimant("r", late, true) };
        assert_eq!(claim("again", &alone), Claim::Yours, "nobody else is there");
    });
}

#[test]
fn deployments_count_what_is_wanted_and_remember_what_ran_before() {
    both("deployments_count_what_is_wanted_and_remember_what_ran_before", |place| {
        let store = place.open();
        assert!(matches!(store.deployment("shop"), Err(Error::NoServer { .. })));
        assert!(matches!(store.deploy("shop", "local", None), Err(Error::NoServer { .. })));
        store.put(&release("shop", "1.0.0", "one"), false).unwrap();
        assert_eq!(store.deployment("shop").unwrap(), None);
        assert_eq!(store.want("shop", Wanted::Running).unwrap(), None);
        assert!(matches!(store.deploy("shop", "local", Some("9.0.0")), Err(Error::NoVersion { .. })));
        let first = store.deploy("shop", "local", None).unwrap();
        assert_eq!((first.generation, first.seen, first.wanted), (1, 0, Wanted::Running));
        let saw = |generation, version: &str| {
            let seen = Seen { generation, state: "running".to_owned(), serves: Some(version.to_owned()), reason: None };
            store.saw("shop", &seen).unwrap();
        };
        saw(1, "1.0.0");
        store.put(&release("shop", "1.1.0", "two"), false).unwrap();
        let changed = store.deployment("shop").unwrap().unwrap();
        assert_ne!(changed.stamp, first.stamp);
        saw(1, "1.1.0");
        let held = store.deploy("shop", "local", Some("1.0.0")).unwrap();
        assert_eq!((held.generation, held.previous.as_deref()), (2, Some("1.0.0")));
        saw(2, "1.0.0");
        let back = store.deployment("shop").unwrap().unwrap();
        assert_eq!((back.serves.as_deref(), back.previous.as_deref(), back.seen), (Some("1.0.0"), Some("1.1.0"), 2));
        assert_eq!(store.want("shop", Wanted::Stopped).unwrap().unwrap().generation, 3);
        store.remove("shop").unwrap();
        assert!(store.deployments().unwrap().is_empty());
    });
}

#[test]
fn changes_of_another_process_are_noticed() {
    both("changes_of_another_process_are_noticed", |place| {
        let (here, there) = (place.open(), place.open());
        let before = here.changes().unwrap();
        assert_eq!(here.changes().unwrap(), before);
        there.put(&release("shop", "1.0.0", "one"), false).unwrap();
        let made = here.changes().unwrap();
        assert_ne!(made, before);
        there.deploy("shop", "local", None).unwrap();
        assert_ne!(here.changes().unwrap(), made);
    });
}

/// A file of the oldest format, with a server in it, is brought to the newest one and keeps what it holds.
#[test]
fn the_oldest_file_is_brought_forward() {
    let home = tempfile::tempdir().unwrap();
    let old = rusqlite::Connection::open(home.path().join(store::FILE_NAME)).unwrap();
    old.execute_batch(include_str!("../../src/migrations/sqlite/0001.sql")).unwrap();
    let digest = base::Digest::of(b"one");
    old.execute_batch(&format!(
        "BEGIN;
         INSERT INTO servers VALUES ('shop', '1.0.0', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
         INSERT INTO versions VALUES ('shop', '1.0.0', '{digest}', NULL, NULL, 'stdio', 1, 'name: shop', 'yaml', '{{}}',
           '2026-01-01T00:00:00.000Z');
         INSERT INTO plans VALUES ('shop', '1.0.0', 1, '{{}}', 0, '2026-01-01T00:00:00.000Z');
         COMMIT; PRAGMA user_version = 1"
    ))
    .unwrap();
    drop(old);
    let store = Store::open(home.path()).unwrap();
    assert_eq!(store.version("shop", None).unwrap().release.digest, digest);
    assert_eq!(store.deploy("shop", "local", None).unwrap().generation, 1);
    assert!(store.check().unwrap().problems.is_empty());
}
