//! Specs that stand for what people build by hand, each served by the binary and called by a client over standard input and
//! output. `tests/golden/README.md` says how such a case is written.

#[allow(dead_code, reason = "the list of fakes is for the program that serves them")]
#[path = "../../examples/fakes/all.rs"]
mod all;
mod case;
mod client;
mod place;
mod play;
mod safety;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Cases that are played at once.
const AT_ONCE: usize = 4;

/// A file of the repository.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The folders of the cases, by name.
fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(file("tests/golden")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Plays every case. `GOLDEN=NAME` plays those whose name contains NAME only; `UPDATE_CASES=1` writes the answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn golden_specs() {
    let only = std::env::var("GOLDEN").unwrap_or_default();
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut playing = JoinSet::new();
    for folder in folders() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !name.contains(&only) {
            continue;
        }
        let turns = Arc::clone(&turns);
        playing.spawn(async move {
            let _turn = turns.acquire_owned().await.unwrap();
            play::play(&name, &folder).await.map_err(|fault| format!("=== {name}\n{fault}"))
        });
    }
    assert!(!playing.is_empty(), "there is no case {only}");
    let mut faults = playing.join_all().await.into_iter().filter_map(Result::err).collect::<Vec<String>>();
    faults.sort();
    assert!(faults.is_empty(), "{} cases failed\n{}", faults.len(), faults.join("\n"));
}
