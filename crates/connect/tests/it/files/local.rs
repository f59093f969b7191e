//! A folder of this machine: what writing leaves behind, limits, pages, encodings.

use std::time::Duration;

use connect::ErrorKind;
use connect::files::{Limits, Lines, List, Local, Mode, Move, Presign, Read, Search, Write};

use super::world::{Tree, failed, job};

fn write(path: &str, text: &str) -> Write {
    Write { path: path.into(), bytes: text.to_owned().into(), ..Write::default() }
}

fn read(path: &str) -> Read {
    Read { path: path.into(), ..Read::default() }
}

#[tokio::test]
async fn what_is_written_is_whole_and_leaves_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let tree = Tree::new();
    let store = tree.store();
    tree.put("a.sh", "old");
    let path = tree.root().join("a.sh");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o751)).unwrap();
    let entry = store.write(&write("a.sh", "new"), &job()).await.unwrap();
    assert_eq!((entry.size, entry.permissions.as_deref()), (Some(3), Some("751")));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    let outcome = store.write(&Write { mode: Mode::Create, ..write("a.sh", "x") }, &job()).await;
    assert_eq!(failed(outcome), (ErrorKind::Constraint, "exists".into()));
    assert_eq!(failed(store.write(&write("no/such/a", "x"), &job()).await).1, "not_found");
    assert_eq!(failed(store.write(&write("a.sh/b", "x"), &job()).await).1, "not_folder");
    store.write(&Write { parents: true, ..write("x/y/z", "1") }, &job()).await.unwrap();
    assert_eq!(failed(store.write(&write("x/y", "x"), &job()).await).1, "is_folder");
    // Drafts have names that begin with a dot: none is left.
    let names: Vec<_> = std::fs::read_dir(tree.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_create_one_succeeds() {
    let tree = Tree::new();
    let store = std::sync::Arc::new(tree.store());
    for nth in 0..20 {
        let tasks: Vec<_> = (0..4)
            .map(|who| {
                let store = std::sync::Arc::clone(&store);
                let wanted = Write { mode: Mode::Create, ..write(&format!("f{nth}"), &who.to_string()) };
                tokio::spawn(async move { store.write(&wanted, &job()).await.is_ok() })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            made += usize::from(task.await.unwrap());
        }
        assert_eq!(made, 1);
    }
}

#[tokio::test]
async fn pages_of_a_tree_in_order() {
    let tree = Tree::new();
    for path in ["a/1", "a/2", "a-b", "a.c", "b/x/1", "b/x/2", "b/y", "c"] {
        tree.put(path, "");
    }
    let store = tree.store();
    let whole = store.list(&List { recursive: true, ..List::default() }, &job()).await.unwrap();
    let all: Vec<String> = whole.entries.into_iter().map(|entry| entry.path).collect();
    assert_eq!(all, ["a", "a/1", "a/2", "a-b", "a.c", "b", "b/x", "b/x/1", "b/x/2", "b/y", "c"]);
    for limit in 1..=11 {
        let mut paged = Vec::new();
        let mut cursor = None;
        loop {
            let wanted = List { recursive: true, limit: Some(limit), cursor, ..List::default() };
            let page = store.list(&wanted, &job()).await.unwrap();
            assert!(page.entries.len() <= limit);
            paged.extend(page.entries.into_iter().map(|entry| entry.path));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(paged, all, "{limit}");
    }
    let outcome = store.list(&List { cursor: Some("../x".into()), ..List::default() }, &job()).await;
    assert_eq!(failed(outcome).1, "cursor");
}

#[tokio::test]
async fn limits_are_told_of() {
    let tree = Tree::new();
    let limits = Limits { read_bytes: 10, write_bytes: 20, visited: 5, search_bytes: 25, ..Limits::default() };
    let store = tree.with(Local::default(), limits);
    tree.put("long", "0123456789abc");
    assert_eq!(failed(store.read(&read("long"), &job()).await), (ErrorKind::Limit, "too_large".into()));
    let part = store.read(&Read { offset: Some(8), length: Some(3), ..read("long") }, &job()).await.unwrap();
    assert_eq!((part.text().unwrap(), part.offset, part.total, part.has_more()), ("89a", 8, Some(13), true));
    let rest = store.read(&Read { offset: Some(8), ..read("long") }, &job()).await.unwrap();
    assert_eq!((rest.text().unwrap(), rest.has_more()), ("89abc", false));
    let beyond = store.read(&Read { offset: Some(99), ..read("long") }, &job()).await.unwrap();
    assert_eq!(beyond.text().unwrap(), "");
    let much = "x".repeat(21);
    assert_eq!(failed(store.write(&write("w", &much), &job()).await).0, ErrorKind::Limit);
    store.write(&write("w", &much[..15]), &job()).await.unwrap();
    let more = Write { mode: Mode::Append, ..write("w", "123456") };
    assert_eq!(failed(store.write(&more, &job()).await), (ErrorKind::Limit, "too_large".into()));
    for nth in 0..20 {
        tree.put(&format!("many/{nth:02}"), "some text");
    }
    let mut seen = 0;
    let mut cursor = None;
    let mut pages = 0;
    loop {
        let page = store.list(&List { folder: "many".into(), cursor, ..List::default() }, &job()).await.unwrap();
        seen += page.entries.len();
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, 20);
    assert!(pages > 1);
    let found = store.search(&Search { text: Some("text".into()), ..Search::default() }, &job()).await.unwrap();
    assert!(found.truncated && found.files.len() < 20);
}

#[tokio::test]
async fn text_and_other_bytes() {
    let tree = Tree::new();
    let store = tree.store();
    tree.put("t", "eins\nzwöi\ndrü\n");
    std::fs::write(tree.root().join("b.png"), [0x89, b'P', b'N', b'G', 0, 1]).unwrap();
    let text = store.read(&read("t"), &job()).await.unwrap();
    for (count, head, tail) in [
        (0, "", ""),
        (1, "eins\n", "drü\n"),
        (2, "eins\nzwöi\n", "zwöi\ndrü\n"),
        (3, "eins\nzwöi\ndrü\n", "eins\nzwöi\ndrü\n"),
        (9, "eins\nzwöi\ndrü\n", "eins\nzwöi\ndrü\n"),
    ] {
        assert_eq!(text.lines(Lines::Head(count)).unwrap(), head, "{count}");
        assert_eq!(text.lines(Lines::Tail(count)).unwrap(), tail, "{count}");
    }
    tree.put("open", "eins\n\ndrü");
    let open = store.read(&read("open"), &job()).await.unwrap();
    assert_eq!(open.lines(Lines::Tail(2)).unwrap(), "\ndrü");
    assert_eq!(open.lines(Lines::Head(2)).unwrap(), "eins\n\n");
    tree.put("empty", "");
    let empty = store.read(&read("empty"), &job()).await.unwrap();
    assert_eq!((empty.lines(Lines::Head(1)).unwrap(), empty.lines(Lines::Tail(1)).unwrap()), ("", ""));
    // Through the middle of `ö`.
    let start = store.read(&Read { length: Some(8), ..read("t") }, &job()).await.unwrap();
    assert_eq!(start.text().unwrap(), "eins\nzw");
    let end = store.read(&Read { offset: Some(8), ..read("t") }, &job()).await.unwrap();
    assert_eq!(end.text().unwrap(), "i\ndrü\n");
    let image = store.read(&read("b.png"), &job()).await.unwrap();
    assert_eq!(image.entry.media_type.as_deref(), Some("image/png"));
    assert_eq!(image.base64(), "iVBORwAB");
    let error = image.text().unwrap_err();
    assert_eq!(error.code.as_deref(), Some("encoding"));
    assert_eq!(
        error.to_string(),
        "cannot read a file as text on connection `files`: `b.png` is not UTF-8 text (byte 0) (encoding); read it as base64"
    );
}

#[tokio::test]
async fn folders_are_made_moved_and_removed() {
    let tree = Tree::new();
    let store = tree.store();
    store.make_folder("a/b/c", &job()).await.unwrap();
    store.make_folder("a/b/c", &job()).await.unwrap();
    tree.put("a/b/f", "1");
    assert_eq!(failed(store.delete("a/b", &job()).await).1, "not_empty");
    let moved = Move { from: "a/b".into(), to: "z".into(), overwrite: false };
    assert_eq!(store.rename(&moved, &job()).await.unwrap().path, "z");
    tree.put("g", "2");
    let onto = |overwrite| Move { from: "z/f".into(), to: "g".into(), overwrite };
    assert_eq!(failed(store.rename(&onto(false), &job()).await).1, "exists");
    store.rename(&onto(true), &job()).await.unwrap();
    assert_eq!(std::fs::read_to_string(tree.root().join("g")).unwrap(), "1");
    let inside = Move { from: "z".into(), to: "z/c/z".into(), overwrite: false };
    assert!(store.rename(&inside, &job()).await.is_err());
    store.delete("z/c", &job()).await.unwrap();
    store.delete("z", &job()).await.unwrap();
    assert_eq!(failed(store.delete("z", &job()).await).1, "not_found");
    for root in ["", ".", "./"] {
        assert_eq!(failed(store.delete(root, &job()).await).0, ErrorKind::Value);
    }
    let wanted = Presign { path: "g".into(), write: false, expires: Duration::from_secs(60) };
    assert_eq!(failed(store.presign(&wanted, &job()).await).0, ErrorKind::Value);
}

#[tokio::test]
async fn a_caller_that_goes_away() {
    let tree = Tree::new();
    let store = tree.store();
    let gone = job();
    gone.cancel.cancel();
    assert_eq!(failed(store.list(&List::default(), &gone).await).0, ErrorKind::Cancelled);
    let late = connect::files::Job { deadline: tokio::time::Instant::now() - Duration::from_secs(1), ..job() };
    let outcome = store.list(&List::default(), &late).await;
    assert!(outcome.is_ok() || failed(outcome).0 == ErrorKind::Timeout);
}
