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

#[cfg(unix)]
mod gone {
    //! What happens to a file while it is in use.

    use std::path::Path;

    use store::{Error, Store};

    const NAMES: [&str; 3] = ["catalogue.db", "catalogue.db-wal", "catalogue.db-shm"];

    fn opened() -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path()).unwrap();
        change(&store).unwrap();
        (home, store)
    }

    fn change(store: &Store) -> Result<(), Error> {
        store.prune_audit(10).map(drop)
    }

    fn is_gone(store: &Store, became: &str) {
        for result in [store.look(), store.server("any").map(drop), change(store)] {
            let error = result.unwrap_err();
            assert!(matches!(&error, Error::Gone { .. }) && error.to_string().contains(became), "{error}");
        }
    }

    fn moved(from: &Path, to: &Path) {
        for name in NAMES {
            if from.join(name).exists() {
                std::fs::rename(from.join(name), to.join(name)).unwrap();
            }
        }
    }

    #[test]
    fn a_file_that_was_removed_is_refused_and_not_made_again() {
        let (home, store) = opened();
        NAMES.iter().for_each(|name| drop(std::fs::remove_file(home.path().join(name))));
        is_gone(&store, "removed");
        assert!(!Store::exists(home.path()));
    }

    #[test]
    fn a_file_that_comes_back_goes_on_and_another_one_does_not() {
        let ((home, store), (other, _held), away) = (opened(), opened(), tempfile::tempdir().unwrap());
        moved(home.path(), away.path());
        is_gone(&store, "moved away");
        moved(other.path(), home.path());
        is_gone(&store, "replaced");
        moved(home.path(), other.path());
        moved(away.path(), home.path());
        store.look().unwrap();
        change(&store).unwrap();
        assert!(matches!(store.server("any"), Err(Error::NoServer { .. })));
    }

    #[test]
    fn a_file_that_was_emptied_is_refused_whatever_is_put_into_it_then() {
        let (home, store) = opened();
        let file = home.path().join(store::FILE_NAME);
        let before = std::fs::read(&file).unwrap();
        std::fs::write(&file, "").unwrap();
        is_gone(&store, "emptied");
        std::fs::write(&file, before).unwrap();
        is_gone(&store, "emptied");
    }
}
