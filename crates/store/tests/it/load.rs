//! Group commit: what waits together shares one flush.

use std::sync::atomic::{AtomicUsize, Ordering};

use store::Store;

use crate::catalogue::release;

#[test]
fn changes_that_wait_together_are_one_transaction() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for writer in 0..32 {
            let (store, done) = (&store, &done);
            scope.spawn(move || {
                for number in 0..8 {
                    store.put(&release(&format!("w{writer}-{number}"), "1.0.0", "one"), false).unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(done.load(Ordering::Relaxed), 256);
    let commits = store.commits();
    assert!((8..=128).contains(&commits), "256 changes of 32 writers took {commits} transactions");
    assert_eq!(Store::open(home.path()).unwrap().names().unwrap().len(), 256);
}
