//! Nothing leads out of a root: spellings of paths, links, devices, and folders that change while they are used.

use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connect::files::{List, Local, Move, Read, Search, Write};

use super::world::{Tree, failed, job};

/// One spelling a line, escapes as in JSON.
const SPELLINGS: &str = include_str!("data/traversals.txt");

fn spellings() -> Vec<String> {
    let lines = SPELLINGS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| serde_json::from_str(&format!("\"{line}\"")).expect(line)).collect()
}

/// Every spelling, with every operation: refused before anything is touched.
#[tokio::test]
async fn no_spelling_leads_out() {
    let spellings = spellings();
    assert!(spellings.len() >= 150, "{}", spellings.len());
    for (hidden, absolute) in [(false, false), (true, false), (true, true)] {
        let tree = Tree::new();
        tree.put("docs/a.txt", "a");
        let store = tree.with(Local { hidden, absolute, ..Local::default() }, connect::files::Limits::default());
        for path in &spellings {
            let path = path.replace("$OUTER", &tree.outer.path().display().to_string());
            let read = store.read(&Read { path: path.clone(), ..Read::default() }, &job()).await;
            let (_, code) = failed(read);
            assert_eq!(code, "path", "{path:?}");
            let write = Write { path: path.clone(), bytes: "x".into(), parents: true, ..Write::default() };
            assert_eq!(failed(store.write(&write, &job()).await).1, "path", "{path:?}");
            assert_eq!(failed(store.delete(&path, &job()).await).1, "path", "{path:?}");
            assert_eq!(failed(store.stat(&path, &job()).await).1, "path", "{path:?}");
            assert_eq!(failed(store.make_folder(&path, &job()).await).1, "path", "{path:?}");
            let list = List { folder: path.clone(), ..List::default() };
            assert_eq!(failed(store.list(&list, &job()).await).1, "path", "{path:?}");
            let search = Search { folder: path.clone(), ..Search::default() };
            assert_eq!(failed(store.search(&search, &job()).await).1, "path", "{path:?}");
            let out = Move { from: "docs/a.txt".into(), to: path.clone(), overwrite: true };
            assert_eq!(failed(store.rename(&out, &job()).await).1, "path", "{path:?}");
        }
        assert_eq!(std::fs::read_to_string(tree.outer.path().join("secret.txt")).unwrap(), "the secret");
        assert_eq!(std::fs::read_dir(tree.outer.path()).unwrap().count(), 2);
        assert_eq!(std::fs::read_dir(tree.root()).unwrap().count(), 1);
    }
}

/// Names that only look odd are names.
#[tokio::test]
async fn odd_names_are_taken() {
    let tree = Tree::new();
    let store = tree.store();
    let names = [
        "a..b",
        "100%",
        "50%25 off.txt",
        "Notes… 2026.txt",
        "a b",
        "größe.md",
        "日本語",
        "-rf",
        "a;b",
        "x~",
        "👩‍👩‍👧.png",
        "a:b",
        "%",
        "%zz",
    ];
    for name in names {
        let write =
            Write { path: format!("d/{name}"), bytes: name.to_owned().into(), parents: true, ..Write::default() };
        store.write(&write, &job()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let read = store.read(&Read { path: format!("d/{name}"), ..Read::default() }, &job()).await.expect(name);
        assert_eq!(read.text().unwrap(), name);
    }
    let list = store.list(&List { folder: "d".into(), ..List::default() }, &job()).await.unwrap();
    assert_eq!(list.entries.len(), names.len());
}

#[tokio::test]
async fn hidden_files_are_not_there() {
    let tree = Tree::new();
    tree.put(".git/config", "x");
    tree.put("a/.env", "x");
    tree.put("a/b", "x");
    let store = tree.store();
    for path in
        [".git/config", ".GIT/config", "a/.env", "GIT~1/config", "a/\u{200b}.env", "．git/config", " .git/config"]
    {
        assert_eq!(failed(store.stat(path, &job()).await).1, "path", "{path}");
    }
    let all = List { recursive: true, ..List::default() };
    let paths = |list: connect::files::Listing| list.entries.into_iter().map(|entry| entry.path).collect::<Vec<_>>();
    assert_eq!(paths(store.list(&all, &job()).await.unwrap()), ["a", "a/b"]);
    let open = tree.with(Local { hidden: true, ..Local::default() }, connect::files::Limits::default());
    assert_eq!(paths(open.list(&all, &job()).await.unwrap()), [".git", ".git/config", "a", "a/.env", "a/b"]);
}

#[tokio::test]
async fn an_absolute_path_below_the_root() {
    let tree = Tree::new();
    tree.put("a/b.txt", "b");
    let store = tree.with(Local { absolute: true, ..Local::default() }, connect::files::Limits::default());
    let root = store.root().unwrap().display().to_string();
    for path in [format!("{root}/a/b.txt"), "a/b.txt".to_owned()] {
        assert_eq!(store.stat(&path, &job()).await.unwrap().path, "a/b.txt");
    }
    assert_eq!(store.stat(&root, &job()).await.unwrap().path, "");
    for path in
        [format!("{root}2/a"), format!("{root}/../secret.txt"), format!("{root}//etc/passwd"), "/etc/passwd".to_owned()]
    {
        let outcome = store.stat(&path, &job()).await;
        assert!(matches!(failed(outcome).1.as_str(), "path" | "not_found"), "{path}");
    }
    assert_eq!(failed(tree.store().stat(&root, &job()).await).1, "path");
}

#[tokio::test]
async fn links_are_told_of_and_not_followed() {
    let tree = Tree::new();
    tree.put("docs/a.txt", "a");
    let root = tree.root();
    symlink(tree.outer.path().join("secret.txt"), root.join("out.txt")).unwrap();
    symlink(tree.outer.path(), root.join("up")).unwrap();
    symlink("docs", root.join("in")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink(tree.outer.path().join("new.txt"), root.join("dangling.txt")).unwrap();
    let store = tree.store();
    for path in ["out.txt", "up/secret.txt", "in/a.txt", "loop", "loop/x", "dangling.txt"] {
        assert_eq!(
            failed(store.read(&Read { path: path.into(), ..Read::default() }, &job()).await).1,
            "link",
            "{path}"
        );
        let write = Write { path: path.into(), bytes: "x".into(), parents: true, ..Write::default() };
        assert_eq!(failed(store.write(&write, &job()).await).1, "link", "{path}");
    }
    for path in ["up", "in", "loop"] {
        let list = List { folder: path.into(), ..List::default() };
        assert_eq!(failed(store.list(&list, &job()).await).1, "link", "{path}");
    }
    let out = Move { from: "docs/a.txt".into(), to: "up/a.txt".into(), overwrite: true };
    assert_eq!(failed(store.rename(&out, &job()).await).1, "link");
    let all = store.list(&List { recursive: true, ..List::default() }, &job()).await.unwrap();
    let links = all.entries.iter().filter(|entry| entry.kind == connect::files::EntryKind::Link).count();
    assert_eq!((all.entries.len(), links), (7, 5));
    let found = store.search(&Search { text: Some("secret".into()), ..Search::default() }, &job()).await.unwrap();
    assert!(found.files.is_empty());
    // A link itself may be removed.
    store.delete("out.txt", &job()).await.unwrap();
    assert!(tree.outer.path().join("secret.txt").exists());
    assert!(!tree.outer.path().join("new.txt").exists());
}

#[tokio::test]
async fn pipes_and_sockets_are_not_opened() {
    let tree = Tree::new();
    let pipe = tree.root().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(tree.root().join("socket")).unwrap();
    let store = tree.store();
    for path in ["pipe", "socket"] {
        assert_eq!(failed(store.read(&Read { path: path.into(), ..Read::default() }, &job()).await).1, "no_file");
        let write = Write { path: path.into(), ..Write::default() };
        assert_eq!(failed(store.write(&write, &job()).await).1, "no_file");
    }
}

/// A folder becomes a link to the outside and a folder again, all the time: no read ever gives what is outside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_becomes_a_link() {
    let tree = Tree::new();
    tree.put("docs/secret.txt", "harmless");
    symlink(tree.outer.path(), tree.root().join("spare")).unwrap();
    let store = Arc::new(tree.store());
    let done = Arc::new(AtomicBool::new(false));
    let (root, stop) = (tree.root(), Arc::clone(&done));
    let swapper = std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            for (from, to) in [("docs", "kept"), ("spare", "docs"), ("docs", "spare"), ("kept", "docs")] {
                std::fs::rename(root.join(from), root.join(to)).unwrap();
            }
        }
    });
    let mut read = 0;
    for _ in 0..2000 {
        if let Ok(content) = store.read(&Read { path: "docs/secret.txt".into(), ..Read::default() }, &job()).await {
            assert_eq!(content.text().unwrap(), "harmless");
            read += 1;
        }
    }
    done.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    assert!(read > 0);
}
