//! The file: permissions, foreign files, newer formats, several writers.

use store::{Error, Store};

#[test]
fn a_file_that_is_no_catalogue_is_refused() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(store::FILE_NAME), "this is no database, it is a text of some length").unwrap();
    let error = Store::open(home.path()).unwrap_err();
    assert!(matches!(&error, Error::Open { reason, .. } if reason.contains("not an SQLite database")), "{error}");
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    drop(Store::open(home.path()).unwrap());
    let raw = rusqlite::Connection::open(home.path().join(store::FILE_NAME)).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Store::open(home.path()), Err(Error::TooNew { found: 99, .. })));
}

#[cfg(unix)]
#[test]
fn a_new_home_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let home = parent.path().join("a/b");
    assert!(!Store::exists(&home));
    drop(Store::open(&home).unwrap());
    assert!(Store::exists(&home));
    assert_eq!(std::fs::metadata(&home).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn many_who_make_the_same_file_at_once_all_open_it() {
    for _ in 0..20 {
        let home = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| Store::open(home.path()).map(drop))).collect();
            all.into_iter().for_each(|one| one.join().unwrap().expect("it opens"));
        });
    }
}
