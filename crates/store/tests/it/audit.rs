//! The audit log: a chain that shows what was done to it, and notes that stand and fall with their changes.

use std::sync::Arc;

use store::accounts::{Account, Ways};
use store::keys::Key;
use store::policies::{Kind, Policy};
use store::{AuditKind, AuditNote, AuditQuery, Error, Pending, Store, Wanted};

use crate::catalogue::release;
use crate::world::{Place, both, run};

fn note(subject: &str, outcome: &'static str) -> AuditNote {
    AuditNote {
        kind: AuditKind::Change,
        time: None,
        operation: "server.create".into(),
        caller: "key-1".into(),
        owner: "ada".into(),
        subject: subject.into(),
        request: "r-1".to_owned(),
        outcome: outcome.into(),
        details: "{}".to_owned(),
    }
}

fn subjects(store: &Store, query: AuditQuery) -> Vec<String> {
    let found = store.audit(&AuditQuery { limit: 100, ..query }).unwrap();
    found.into_iter().map(|entry| entry.note.subject.to_string()).collect()
}

/// What somebody does who can write to the database itself.
fn meddle(place: &Place, sql: &str) {
    match place {
        Place::File(home) => {
            let file = rusqlite::Connection::open(home.path().join(store::FILE_NAME)).unwrap();
            file.execute_batch(sql).unwrap();
        }
        Place::Server(database) => run(&database.remote().config, &format!("SET search_path TO mcp_factory; {sql}")),
    }
}

#[test]
fn a_change_and_its_note_are_one() {
    both("a_change_and_its_note_are_one", |place| {
        let store = place.open();
        let pending = Arc::new(Pending::new(note("shop", "ok")));
        let behalf = store.on_behalf(Arc::clone(&pending));
        behalf.put(&release("shop", "1.0.0", "one"), false).unwrap();
        assert!(pending.is_kept());
        behalf.put_plan("shop", "1.0.0", "{\"format\":2}", false).unwrap();
        assert_eq!(subjects(&store, AuditQuery::default()), ["shop"], "one note for one operation");

        let refused = Arc::new(Pending::new(note("refused", "ok")));
        let other = store.on_behalf(Arc::clone(&refused)).put(&release("shop", "1.0.0", "two"), false);
        assert!(matches!(other, Err(Error::Conflict { .. })) && !refused.is_kept());
        assert_eq!(subjects(&store, AuditQuery::default()), ["shop"]);
        store.put(&release("other", "1.0.0", "one"), false).unwrap();
        assert_eq!(subjects(&store, AuditQuery::default()), ["shop"], "what nobody asked for has no note");
    });
}

#[test]
fn what_comes_to_nothing_leaves_no_note() {
    both("what_comes_to_nothing_leaves_no_note", |place| {
        let store = place.open();
        store.put(&release("shop", "1.0.0", "one"), false).unwrap();
        let account = |name: &str| Account {
            id: format!("id-{name}"),
            name: name.to_owned(),
            role: "owner".to_owned(),
            password: Some("hash".to_owned()),
            created_at: 1,
            signed_in_at: None,
            tied: None,
        };
        let policy = |owner: &str| Policy {
            kind: Kind::Rule,
            name: "r".to_owned(),
            owner: owner.to_owned(),
            document: "{}".to_owned(),
            changed_at: String::new(),
        };
        let key = Key {
            id: "k".to_owned(),
            hash: [1; 32],
            owner: "ada".to_owned(),
            name: "ci".to_owned(),
            start: "of".to_owned(),
            scope: "mcp".to_owned(),
            created_at: 1,
            expires_at: None,
        };
        type Change<'a> = (&'a str, Box<dyn Fn(&Store) -> bool + 'a>);
        let changes: Vec<Change<'_>> = vec![
            ("set_policy", Box::new(|store| store.set_policy(&policy("ada"), 1).unwrap())),
            ("remove_policy", Box::new(|store| store.remove_policy(Kind::Rule, "r", Some("ada")).unwrap())),
            ("add_key", Box::new(|store| store.add_key(&key, 1).unwrap())),
            ("remove_key", Box::new(|store| store.remove_key("k", Some("ada")).unwrap().is_some())),
            ("add_account", Box::new(|store| store.add_account(&account("ann"), 9).unwrap())),
            ("remove_account", Box::new(|store| store.remove_account("id-ann", "admin", None, 1).unwrap())),
            ("want", Box::new(|store| store.want("shop", Wanted::Running).unwrap().is_some())),
            ("oauth_revoke_grant", Box::new(|store| store.oauth_revoke_grant("g", 1).unwrap())),
        ];
        let ok = |change: &dyn Fn(&Store) -> bool| {
            let pending = Arc::new(Pending::new(note("x", "ok")));
            let done = change(&store.on_behalf(Arc::clone(&pending)));
            (done, pending.is_kept())
        };
        // Nothing is there to be removed, then it is made once, then it is removed once.
        for (name, change) in changes.iter().filter(|(name, _)| !name.contains("add") && !name.contains("set")) {
            assert_eq!(ok(change), (false, false), "{name}");
        }
        assert_eq!(subjects(&store, AuditQuery::default()), Vec::<String>::new());
        let count = store.policy_changes().unwrap();
        for (name, change) in &changes[..6] {
            if name.contains("add") || name.contains("set") {
                assert_eq!(ok(change), (true, true), "{name}");
            }
        }
        assert_eq!(store.policy_changes().unwrap(), count + 1);
        let ways = Ways { passwords: true, issuer: None };
        let others: Vec<Change<'_>> = vec![
            ("another's policy", Box::new(|store| store.set_policy(&policy("bob"), 9).unwrap())),
            ("another's policy", Box::new(|store| store.remove_policy(Kind::Rule, "r", Some("bob")).unwrap())),
            (
                "no place for a key",
                Box::new(|store| store.add_key(&Key { id: "l".to_owned(), ..key.clone() }, 1).unwrap()),
            ),
            ("another's key", Box::new(|store| store.remove_key("k", Some("bob")).unwrap().is_some())),
            ("a name that is taken", Box::new(|store| store.add_account(&account("ann"), 9).unwrap())),
            ("the last owner", Box::new(|store| store.remove_account("id-ann", "owner", None, 1).unwrap())),
            ("the last of a way", Box::new(|store| store.remove_account("id-ann", "owner", Some(&ways), 1).unwrap())),
        ];
        for (name, change) in &others {
            assert_eq!(ok(change), (false, false), "{name}");
        }
        assert_eq!(subjects(&store, AuditQuery::default()), ["x", "k", "x"]);
        for (name, change) in changes[..6].iter().filter(|(name, _)| name.contains("remove")) {
            assert_eq!(ok(change), (true, true), "{name}");
        }
        // What is made on the way is not what somebody asked for.
        let pending = Arc::new(Pending::new(note("x", "ok")));
        store.on_behalf(Arc::clone(&pending)).sealing_key("another", &[2; 32]).unwrap();
        assert!(!pending.is_kept());
    });
}

#[test]
fn what_is_done_to_the_log_shows() {
    let cases = [
        ("UPDATE audit SET caller = 'nobody' WHERE seq = 3", 3),
        ("UPDATE audit SET outcome = 'ok' WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 4", 5),
        ("DELETE FROM audit WHERE seq = 1", 2),
        ("UPDATE audit SET seq = 99 WHERE seq = 6", 99),
        ("UPDATE audit_start SET hash = 'x'", 1),
    ];
    for (sql, broken_at) in cases {
        both("what_is_done_to_the_log_shows", |place| {
            let store = place.open();
            let notes: Vec<AuditNote> = (1..=6).map(|n| note(&format!("s{n}"), "MF1005")).collect();
            store.append_audit(notes).unwrap();
            let sound = store.check_audit().unwrap();
            assert_eq!((sound.entries, sound.first, sound.last, &sound.problem), (6, 1, 6, &None));
            meddle(place, sql);
            let check = store.check_audit().unwrap();
            assert_eq!(check.problem.map(|(seq, _)| seq), Some(broken_at), "{sql}");
        });
    }
}

/// A call of a server.
fn call(subject: &str, caller: &str, outcome: &'static str) -> AuditNote {
    AuditNote { kind: AuditKind::Call, caller: caller.into(), ..note(subject, outcome) }
}

/// Four hundred entries: calls, of which many share a row, and changes between them.
fn mixed() -> Vec<AuditNote> {
    let entry = |n: usize| match n % 50 {
        0 => note(&format!("change{n}"), "ok"),
        7 => call("shop", "key-2", "error"),
        _ => call(&format!("s{}", n % 3), "key-1", "ok"),
    };
    (1..=150).map(entry).chain((151..=400).map(|n| call(&format!("s{}", n % 3), "key-1", "ok"))).collect()
}

#[test]
fn calls_share_rows_and_are_found_like_everything_else() {
    both("calls_share_rows_and_are_found_like_everything_else", |place| {
        let store = place.open();
        let notes = mixed();
        store.append_audit(notes.clone()).unwrap();
        store.append_audit(vec![call("last", "key-3", "MF1005")]).unwrap();
        let check = store.check_audit().unwrap();
        assert_eq!((check.entries, check.first, check.last, &check.problem), (401, 1, 401, &None));

        let wanted = |is: &dyn Fn(&AuditNote) -> bool| {
            let numbered = notes.iter().enumerate().rev().filter(|(_, note)| is(note));
            numbered.map(|(nth, note)| (nth as i64 + 1, note.subject.to_string())).collect::<Vec<_>>()
        };
        // Page by page, whatever the size of a page.
        let found = |query: AuditQuery, limit: usize| {
            let mut all: Vec<(i64, String)> = Vec::new();
            let mut before = Some(401);
            loop {
                let page = store.audit(&AuditQuery { before, limit, ..query.clone() }).unwrap();
                all.extend(page.iter().map(|entry| (entry.seq, entry.note.subject.to_string())));
                if page.len() < limit {
                    return all;
                }
                before = page.last().map(|entry| entry.seq);
            }
        };
        let some = |text: &str| Some(text.to_owned());
        let every = AuditQuery::default;
        type Case<'a> = (AuditQuery, &'a dyn Fn(&AuditNote) -> bool);
        let cases: [Case<'_>; 8] = [
            (every(), &|_| true),
            (AuditQuery { kind: Some(AuditKind::Call), ..every() }, &|note| note.kind == AuditKind::Call),
            (AuditQuery { kind: Some(AuditKind::Change), ..every() }, &|note| note.kind == AuditKind::Change),
            (AuditQuery { caller: some("key-2"), ..every() }, &|note| *note.caller == *"key-2"),
            (AuditQuery { subject: some("s1"), ..every() }, &|note| *note.subject == *"s1"),
            (AuditQuery { outcome: some("failed"), ..every() }, &|note| note.outcome != "ok"),
            (AuditQuery { outcome: some("ok"), subject: some("s2"), ..every() }, &|note| *note.subject == *"s2"),
            (AuditQuery { since: some("2999-01-01T00:00:00.000Z"), ..every() }, &|_| false),
        ];
        for (query, is) in cases {
            for limit in [1, 7, 130, 1_000] {
                assert_eq!(found(query.clone(), limit), wanted(is), "{query:?}, {limit} at once");
            }
        }

        // Each has the hash that the chain gives it.
        let all = store.audit(&AuditQuery { limit: 1_000, ..every() }).unwrap();
        for entry in all.iter().step_by(37) {
            assert_eq!(store.audit_entry(entry.seq).unwrap().as_ref(), Some(entry));
        }
        assert_eq!((all[0].seq, &all[0].hash), (401, &check.head));
        assert_eq!(store.audit_entry(402).unwrap(), None);
    });
}

#[test]
fn what_is_done_to_calls_shows() {
    let cases = [
        ("UPDATE audit_calls SET entries = replace(entries, 'key-2', 'key-1') WHERE first_seq = 1", 1),
        ("UPDATE audit_calls SET entries = entries || '0:0:0:0:0:0:0:0:' WHERE first_seq = 1", 1),
        ("UPDATE audit_calls SET hash = 'x' WHERE first_seq = 51", 51),
        ("UPDATE audit_calls SET follows = 'x' WHERE first_seq = 51", 51),
        ("DELETE FROM audit_calls WHERE first_seq = 51", 100),
        ("DELETE FROM audit WHERE seq = 50", 51),
        ("UPDATE audit_calls SET first_seq = 40 WHERE first_seq = 51", 40),
        ("DELETE FROM audit_calls WHERE first_seq > 150", 151),
    ];
    for (sql, broken_at) in cases {
        both("what_is_done_to_calls_shows", |place| {
            let store = place.open();
            store.append_audit(mixed()).unwrap();
            assert_eq!(store.check_audit().unwrap().problem, None);
            meddle(place, sql);
            let check = store.check_audit().unwrap();
            assert_eq!(check.problem.map(|(seq, _)| seq), Some(broken_at), "{sql}");
        });
    }
}

#[test]
fn a_log_of_calls_is_cut_between_rows() {
    both("a_log_of_calls_is_cut_between_rows", |place| {
        let store = place.open();
        store.append_audit(mixed()).unwrap();
        // A row of calls holds 51 to 99: what is to be kept is in it, so all of it is.
        assert_eq!(store.prune_audit(320).unwrap(), 50);
        let check = store.check_audit().unwrap();
        assert_eq!((check.entries, check.first, check.last, check.problem), (350, 51, 400, None));
        assert_eq!(store.prune_audit(320).unwrap(), 0);
        let query = AuditQuery { caller: Some("key-2".to_owned()), limit: 100, ..AuditQuery::default() };
        assert_eq!(store.audit(&query).unwrap().len(), 2);
        assert_eq!(store.prune_audit(0).unwrap(), 350);
        store.append_audit(vec![call("next", "key-1", "ok")]).unwrap();
        let check = store.check_audit().unwrap();
        assert_eq!((check.entries, check.first, check.last, check.problem), (1, 401, 401, None));
    });
}

#[test]
fn a_bounded_log_can_still_be_checked() {
    both("a_bounded_log_can_still_be_checked", |place| {
        let store = place.open();
        let notes: Vec<AuditNote> = (1..=50).map(|n| note(&format!("s{n}"), "ok")).collect();
        store.append_audit(notes).unwrap();
        let head = store.check_audit().unwrap().head;
        assert_eq!(store.prune_audit(100).unwrap(), 0);
        assert_eq!(store.prune_audit(20).unwrap(), 30);
        let check = store.check_audit().unwrap();
        assert_eq!((check.entries, check.first, check.last, check.head, check.problem), (20, 31, 50, head, None));
        assert_eq!(store.prune_audit(0).unwrap(), 20);
        store.append_audit(vec![note("next", "ok")]).unwrap();
        let check = store.check_audit().unwrap();
        assert_eq!((check.entries, check.first, check.last, check.problem), (1, 51, 51, None));
    });
}

#[test]
fn entries_are_filtered_and_paged() {
    both("entries_are_filtered_and_paged", |place| {
        let store = place.open();
        let mut notes = vec![note("a", "ok"), note("b", "MF1002"), note("a", "MF1005")];
        notes[1].kind = AuditKind::Call;
        notes[1].caller = "key-2".into();
        notes[0].time = Some("2020-01-01T00:00:00.000Z".to_owned());
        store.append_audit(notes).unwrap();
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            (AuditQuery::default(), &["a", "b", "a"][..]),
            (AuditQuery { kind: Some(AuditKind::Call), ..AuditQuery::default() }, &["b"]),
            (AuditQuery { caller: some("key-1"), ..AuditQuery::default() }, &["a", "a"]),
            (AuditQuery { subject: some("a"), outcome: some("failed"), ..AuditQuery::default() }, &["a"]),
            (AuditQuery { outcome: some("MF1002"), ..AuditQuery::default() }, &["b"]),
            (AuditQuery { since: some("2021-01-01T00:00:00.000Z"), ..AuditQuery::default() }, &["a", "b"]),
            (AuditQuery { before: Some(3), ..AuditQuery::default() }, &["b", "a"]),
            (AuditQuery { operation: some("server.remove"), ..AuditQuery::default() }, &[]),
        ];
        for (query, wanted) in cases {
            assert_eq!(subjects(&store, query.clone()), wanted, "{query:?}");
        }
    });
}

#[test]
fn many_writers_make_one_chain() {
    both("many_writers_make_one_chain", |place| {
        drop(place.open());
        std::thread::scope(|scope| {
            for writer in 0..4 {
                scope.spawn(move || {
                    let store = place.open();
                    for number in 0..8 {
                        let name = format!("w{writer}-{number}");
                        let pending = Arc::new(Pending::new(note(&name, "ok")));
                        store.on_behalf(pending).put(&release(&name, "1.0.0", "one"), false).unwrap();
                    }
                });
            }
        });
        let store = place.open();
        let check = store.check_audit().unwrap();
        assert_eq!((check.entries, check.problem), (32, None));
        assert_eq!(store.names().unwrap().len(), 32);
    });
}
