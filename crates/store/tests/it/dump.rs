//! The whole store in lines, and back, on the same and on the other database.

use std::io::{BufReader, Cursor};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use store::{
    AuditKind, AuditNote, AuditQuery, Dumped, Lease, NewJob, Store, UsagePeriod, UsageRow, Wanted, check_dump,
};

use crate::catalogue::release;
use crate::world::{Place, both, server, skip};

fn filled(store: &Store) {
    store.put(&release("shop", "1.0.0", "one"), false).unwrap();
    store.put(&release("shop", "1.1.0", "two \"quoted\"\nlines, ünïcode"), false).unwrap();
    store.put(&release("notes", "1.0.0", "one"), false).unwrap();
    store.deploy("shop", "local", Some("1.0.0")).unwrap();
    store.want("shop", Wanted::Stopped).unwrap();
    let job = NewJob {
        id: "j1".to_owned(),
        operation: "server.create".to_owned(),
        owner: "ada".to_owned(),
        caller: "null".to_owned(),
        input: "{}".to_owned(),
    };
    store.put_job(&job, &Lease { holder: "p".to_owned(), now: 0, until: 1_000 }).unwrap();
    let note = AuditNote {
        kind: AuditKind::Change,
        time: None,
        operation: "server.create".into(),
        caller: "ada".into(),
        owner: "ada".into(),
        subject: "shop".into(),
        request: "r".to_owned(),
        outcome: "ok".into(),
        details: "{}".to_owned(),
    };
    store.append_audit(vec![note; 3]).unwrap();
}

fn dumped(store: &Store) -> (Vec<u8>, Dumped) {
    let mut bytes = Vec::new();
    let told = store.dump(&mut bytes).unwrap();
    (bytes, told)
}

fn load(store: &Store, bytes: &[u8]) -> Result<Dumped, store::Error> {
    let bytes = bytes.to_vec();
    store.load(move || Ok(BufReader::new(Cursor::new(bytes.clone()))), |_| Vec::new())
}

/// The lines without the moment at which they were written and what depends on it.
fn rows(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let lines = text.lines().filter(|line| !line.contains("mcpFactoryBackup") && !line.starts_with("{\"end\""));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn what_was_written_is_read_again_in_the_place_of_everything() {
    both("what_was_written_is_read_again_in_the_place_of_everything", |place| {
        let store = place.open();
        assert!(store.is_empty().unwrap());
        filled(&store);
        assert!(!store.is_empty().unwrap());
        let (bytes, told) = dumped(&store);
        assert_eq!(check_dump(Cursor::new(&bytes)).unwrap(), told);
        store.remove("shop").unwrap();
        store.put(&release("other", "1.0.0", "one"), false).unwrap();
        assert_eq!(load(&store, &bytes).unwrap(), told);
        assert_eq!(rows(&dumped(&store).0), rows(&bytes));
        assert_eq!(store.names().unwrap(), ["notes", "shop"]);
        assert!(store.check().unwrap().problems.is_empty());
        assert_eq!(store.check_audit().unwrap().problem, None);
        store.put(&release("shop", "2.0.0", "three"), false).unwrap();
    });
}

#[test]
fn a_file_moves_to_a_server_and_back() {
    let name = "a_file_moves_to_a_server_and_back";
    let Some(database) = server(name) else { return skip(name) };
    let (file, server) = (Place::File(tempfile::tempdir().unwrap()), Place::Server(Box::new(database)));
    let (here, there) = (file.open(), server.open());
    filled(&here);
    let (bytes, _) = dumped(&here);
    load(&there, &bytes).unwrap();
    assert_eq!(there.version("shop", None).unwrap().release, here.version("shop", None).unwrap().release);
    let (back, _) = dumped(&there);
    assert_eq!(rows(&back), rows(&bytes));
    let home = tempfile::tempdir().unwrap();
    let third = Store::open(home.path()).unwrap();
    load(&third, &back).unwrap();
    assert_eq!(third.check_audit().unwrap(), here.check_audit().unwrap());
}

#[test]
fn what_was_cut_off_or_changed_is_refused_and_nothing_is_touched() {
    both("what_was_cut_off_or_changed_is_refused_and_nothing_is_touched", |place| {
        let store = place.open();
        filled(&store);
        let (bytes, _) = dumped(&store);
        let text = String::from_utf8(bytes.clone()).unwrap();
        let bad = [
            String::new(),
            text.lines().take(5).map(|line| format!("{line}\n")).collect(),
            text.replace("\"shop\"", "\"shap\""),
            text.replacen("mcpFactoryBackup", "other", 1),
        ];
        for text in &bad {
            assert!(check_dump(Cursor::new(text)).is_err(), "{text}");
        }
        let strange = text.replace("{\"table\":\"servers\"", "{\"table\":\"servers; DROP TABLE servers\"");
        for text in [&bad[1], &strange] {
            assert!(load(&store, text.as_bytes()).is_err());
            assert_eq!(rows(&dumped(&store).0), rows(&bytes), "nothing was touched");
        }
    });
}

#[test]
fn a_backup_is_of_one_moment_while_others_write() {
    both("a_backup_is_of_one_moment_while_others_write", |place| {
        let store = Arc::new(place.open());
        store.put(&release("first", "1.0.0", "one"), false).unwrap();
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..60 {
                    store.put(&release(&format!("s{number}"), "1.0.0", "one"), false).unwrap();
                }
                ended.store(true, Ordering::Release);
            });
            let mut seen = 0;
            while !ended.load(Ordering::Acquire) {
                let (bytes, told) = dumped(&store);
                assert_eq!(check_dump(Cursor::new(&bytes)).unwrap(), told);
                // Each server has one version and one plan: half of a change would show.
                let count = |table: &str| {
                    let text = String::from_utf8(bytes.clone()).unwrap();
                    let after = text.split_once(&format!("\"table\":\"{table}\"")).unwrap().1.to_owned();
                    after.lines().skip(1).take_while(|line| line.starts_with('[')).count()
                };
                assert_eq!((count("servers"), count("versions")), (count("plans"), count("plans")));
                assert!(count("servers") >= seen);
                seen = count("servers");
            }
        });
    });
}

fn restored(dumped: &Dumped) -> Vec<AuditNote> {
    vec![AuditNote {
        kind: AuditKind::Change,
        time: None,
        operation: "platform.restore".into(),
        caller: "local".into(),
        owner: "local".into(),
        subject: "".into(),
        request: "r".to_owned(),
        outcome: "ok".into(),
        details: format!("{{\"rows\":{}}}", dumped.rows),
    }]
}

#[test]
fn a_restore_and_its_entry_are_one_change() {
    both("a_restore_and_its_entry_are_one_change", |place| {
        let store = place.open();
        filled(&store);
        let (bytes, told) = dumped(&store);
        let before = store.commits();
        let open = move || Ok(BufReader::new(Cursor::new(bytes.clone())));
        store.load(open, restored).unwrap();
        assert_eq!(store.commits(), before + 1);
        let query = AuditQuery { operation: Some("platform.restore".to_owned()), limit: 9, ..AuditQuery::default() };
        let found = store.audit(&query).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].note.details, format!("{{\"rows\":{}}}", told.rows));
        assert_eq!(store.check_audit().unwrap().problem, None);
    });
}

#[test]
fn nothing_is_restored_without_its_entry() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    filled(&store);
    let (bytes, _) = dumped(&store);
    store.remove("shop").unwrap();
    let before = rows(&dumped(&store).0);
    let file = rusqlite::Connection::open(home.path().join(store::FILE_NAME)).unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON audit WHEN NEW.operation = 'platform.restore'
                  BEGIN SELECT RAISE(ABORT, 'refused'); END";
    file.execute_batch(refuse).unwrap();
    let open = move || Ok(BufReader::new(Cursor::new(bytes.clone())));
    assert!(store.load(open, restored).is_err());
    assert_eq!(rows(&dumped(&store).0), before);
}

#[test]
fn nothing_is_restored_where_a_control_plane_is() {
    let name = "nothing_is_restored_where_a_control_plane_is";
    let Some(database) = server(name) else { return skip(name) };
    let place = Place::Server(Box::new(database));
    let (here, plane, second) = (place.open(), place.open(), place.open());
    filled(&here);
    let (bytes, _) = dumped(&here);
    plane.attend().unwrap();
    second.attend().unwrap();
    drop(second);
    let refused = load(&here, &bytes).unwrap_err();
    assert!(matches!(refused, store::Error::Held { .. }), "{refused}");
    plane.put(&release("other", "1.0.0", "one"), false).unwrap();
    drop(plane);
    // The server sees a moment later that nobody is there any more.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while let Err(refused) = load(&here, &bytes) {
        assert!(matches!(refused, store::Error::Held { .. }) && std::time::Instant::now() < until, "{refused}");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    assert_eq!(here.names().unwrap(), ["notes", "shop"]);
}

#[test]
fn more_rows_than_are_read_at_once_are_all_there_once() {
    both("more_rows_than_are_read_at_once_are_all_there_once", |place| {
        let store = place.open();
        filled(&store);
        let note = store.audit(&AuditQuery { limit: 1, ..AuditQuery::default() }).unwrap().remove(0).note;
        store.append_audit(vec![note; 4_100]).unwrap();
        let row = |number: usize| UsageRow {
            period: [UsagePeriod::Hour, UsagePeriod::Day][number % 2],
            start: i64::try_from(number / 700).unwrap(),
            server: format!("s{}", number % 3),
            version: String::new(),
            tool: format!("t{number}"),
            caller: "ada".to_owned(),
            calls: 1,
            errors: 0,
            bytes_in: 1,
            bytes_out: 1,
            micros: 1,
            slowest: 1,
            latency: vec![1],
        };
        store.add_usage((0..4_001).map(row).collect(), 0, |_, more| more.to_vec()).unwrap();
        let (bytes, told) = dumped(&store);
        let all = rows(&bytes);
        let once: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!((once.len(), told.rows > 8_100), (all.len(), true));
        let home = tempfile::tempdir().unwrap();
        let other = Store::open(home.path()).unwrap();
        assert_eq!(load(&other, &bytes).unwrap(), told);
        assert_eq!(rows(&dumped(&other).0), all);
        assert_eq!(other.check_audit().unwrap().problem, None);
    });
}
