//! What every store does alike: a folder, S3 and Google Cloud Storage play the same scenes.

use std::time::Duration;

use connect::ErrorKind;
use connect::files::{EntryKind, Limits, List, Mode, Move, Presign, Read, Search, Store, Write};

use super::world::{self, Tree, failed, job};

fn write(path: &str, text: &str) -> Write {
    Write { path: path.into(), bytes: text.to_owned().into(), parents: true, ..Write::default() }
}

async fn text(store: &Store, path: &str) -> String {
    let read = store.read(&Read { path: path.into(), ..Read::default() }, &job()).await;
    read.unwrap_or_else(|error| panic!("{path}: {error}")).text().expect("a text").to_owned()
}

/// The scenes. `conditions`: whether the server behind the store knows conditions; the emulator of Google's does not.
async fn play(store: &Store, conditions: bool) {
    reading_and_writing(store).await;
    listing(store).await;
    searching(store).await;
    moving(store).await;
    if conditions {
        conditional(store).await;
    }
}

async fn reading_and_writing(store: &Store) {
    let made = store.write(&write("docs/größe & co.md", "eins"), &job()).await.unwrap();
    assert_eq!(made.path, "docs/größe & co.md");
    assert_eq!(made.size, Some(4));
    assert_eq!(made.media_type.as_deref(), Some("text/markdown"));
    assert_eq!(text(store, "docs/größe & co.md").await, "eins");
    store.write(&write("docs/größe & co.md", "zwei!"), &job()).await.unwrap();
    let stat = store.stat("docs/größe & co.md", &job()).await.unwrap();
    assert_eq!((stat.size, stat.kind), (Some(5), EntryKind::File));
    assert!(stat.version.is_some() && stat.modified.is_some());
    assert_eq!(store.stat("docs", &job()).await.unwrap().kind, EntryKind::Folder);
    assert_eq!(store.stat("", &job()).await.unwrap().kind, EntryKind::Folder);
    let add = Write { mode: Mode::Append, ..write("docs/größe & co.md", " drei") };
    store.write(&add, &job()).await.unwrap();
    store.write(&Write { mode: Mode::Append, ..write("docs/log", "a") }, &job()).await.unwrap();
    assert_eq!(text(store, "docs/größe & co.md").await, "zwei! drei");
    let part = Read { path: "docs/größe & co.md".into(), offset: Some(2), length: Some(3) };
    let part = store.read(&part, &job()).await.unwrap();
    assert_eq!((part.text().unwrap(), part.total, part.has_more()), ("ei!", Some(10), true));
    let beyond = Read { path: "docs/log".into(), offset: Some(50), length: Some(3) };
    assert_eq!(store.read(&beyond, &job()).await.unwrap().bytes.len(), 0);
    store.write(&write("empty", ""), &job()).await.unwrap();
    assert_eq!(text(store, "empty").await, "");
    for outcome in [
        store.stat("nothing", &job()).await.map(drop),
        store.delete("nothing", &job()).await.map(drop),
        store.read(&Read { path: "nothing".into(), ..Read::default() }, &job()).await.map(drop),
    ] {
        assert_eq!(failed(outcome), (ErrorKind::Value, "not_found".into()));
    }
    for path in ["../x", "/x", "a/../../x", "a\\b", "%2e%2e/x"] {
        assert_eq!(failed(store.write(&write(path, "x"), &job()).await).1, "path", "{path}");
    }
}

async fn listing(store: &Store) {
    for path in ["list/a.txt", "list/b.md", "list/sub/c.md", "list/sub/deep/d.md"] {
        store.write(&write(path, "x"), &job()).await.unwrap();
    }
    let paths = async |list: List| {
        let mut list = List { folder: "list".into(), ..list };
        let mut found = Vec::new();
        for _ in 0..20 {
            let page = store.list(&list, &job()).await.unwrap();
            found.extend(page.entries.into_iter().map(|entry| (entry.path, entry.kind)));
            list.cursor = page.next;
            if list.cursor.is_none() {
                break;
            }
        }
        found
    };
    let flat = paths(List::default()).await;
    assert_eq!(
        flat,
        [
            ("list/a.txt".to_owned(), EntryKind::File),
            ("list/b.md".to_owned(), EntryKind::File),
            ("list/sub".to_owned(), EntryKind::Folder)
        ]
    );
    let files = |found: Vec<(String, EntryKind)>| -> Vec<String> {
        found.into_iter().filter(|(_, kind)| *kind == EntryKind::File).map(|(path, _)| path).collect()
    };
    let everything = ["list/a.txt", "list/b.md", "list/sub/c.md", "list/sub/deep/d.md"];
    assert_eq!(files(paths(List { recursive: true, ..List::default() }).await), everything);
    assert_eq!(files(paths(List { recursive: true, limit: Some(1), ..List::default() }).await), everything);
    let glob = |glob: &str| List { recursive: true, glob: Some(glob.into()), ..List::default() };
    assert_eq!(files(paths(glob("*.md")).await), everything[1..]);
    assert_eq!(files(paths(glob("sub/*.md")).await), everything[2..3]);
    let exclude = List { recursive: true, exclude: vec!["sub".into()], ..List::default() };
    assert_eq!(files(paths(exclude).await), everything[..2]);
}

async fn searching(store: &Store) {
    store.write(&write("find/one.txt", "alpha\nbeta Gamma\n"), &job()).await.unwrap();
    store.write(&write("find/two.md", "gamma\r\ndelta"), &job()).await.unwrap();
    let bytes: Vec<u8> = b"gamma\0".to_vec();
    store.write(&Write { path: "find/raw.bin".into(), bytes: bytes.into(), ..Write::default() }, &job()).await.unwrap();
    let search = |search: Search| Search { folder: "find".into(), ..search };
    let names = search(Search { glob: Some("*.md".into()), ..Search::default() });
    let found = store.search(&names, &job()).await.unwrap();
    assert_eq!(found.files.iter().map(|file| file.entry.path.as_str()).collect::<Vec<_>>(), ["find/two.md"]);
    let text = search(Search { text: Some("gamma".into()), any_case: true, ..Search::default() });
    let found = store.search(&text, &job()).await.unwrap();
    assert_eq!((found.files.len(), found.skipped, found.truncated), (2, 1, false));
    assert_eq!((found.files[0].lines[0].number, found.files[0].lines[0].text.as_str()), (2, "beta Gamma"));
    let regex = search(Search { regex: Some("^(alpha|delta)$".into()), limit: Some(1), ..Search::default() });
    let found = store.search(&regex, &job()).await.unwrap();
    assert_eq!((found.files.len(), found.truncated), (1, true));
    let broken = search(Search { regex: Some("(".into()), ..Search::default() });
    assert_eq!(failed(store.search(&broken, &job()).await).1, "pattern");
}

async fn moving(store: &Store) {
    store.write(&write("move/from here.txt", "1"), &job()).await.unwrap();
    store.write(&write("move/there", "2"), &job()).await.unwrap();
    let to = |to: &str, overwrite| Move { from: "move/from here.txt".into(), to: to.into(), overwrite };
    assert_eq!(failed(store.rename(&to("move/there", false), &job()).await).1, "exists");
    assert_eq!(store.rename(&to("move/new+name.txt", false), &job()).await.unwrap().path, "move/new+name.txt");
    assert_eq!(failed(store.rename(&to("move/x", false), &job()).await).1, "not_found");
    let over = Move { from: "move/new+name.txt".into(), to: "move/there".into(), overwrite: true };
    store.rename(&over, &job()).await.unwrap();
    assert_eq!(text(store, "move/there").await, "1");
    store.delete("move/there", &job()).await.unwrap();
    assert_eq!(failed(store.stat("move/there", &job()).await).1, "not_found");
}

async fn conditional(store: &Store) {
    let create = Write { mode: Mode::Create, ..write("once", "1") };
    let first = store.write(&create, &job()).await.unwrap();
    assert_eq!(failed(store.write(&create, &job()).await), (ErrorKind::Constraint, "exists".into()));
    let change = Write { if_version: first.version, ..write("once", "22") };
    store.write(&change, &job()).await.unwrap();
    let late = Write { if_version: change.if_version.clone(), ..write("once", "333") };
    assert_eq!(failed(store.write(&late, &job()).await), (ErrorKind::Constraint, "changed".into()));
    let append = Write { mode: Mode::Append, ..late };
    assert_eq!(failed(store.write(&append, &job()).await).1, "changed");
    assert_eq!(text(store, "once").await, "22");
}

#[tokio::test]
async fn a_folder() {
    let tree = Tree::new();
    play(&tree.store(), true).await;
}

#[tokio::test]
async fn s3() {
    let Some(settings) = world::s3("files::stores::s3").await else { return };
    play(&Store::s3("bucket", settings.clone(), Limits::default()).unwrap(), true).await;
    // The same below a prefix: nothing of the bucket around it is seen.
    let below = connect::files::S3 { prefix: "team/a".into(), ..settings };
    let store = Store::s3("bucket", below, Limits::default()).unwrap();
    assert!(store.list(&List { recursive: true, ..List::default() }, &job()).await.unwrap().entries.is_empty());
    play(&store, true).await;
}

#[tokio::test]
async fn gcs() {
    let Some(settings) = world::gcs("files::stores::gcs").await else { return };
    play(&Store::gcs("bucket", settings, Limits::default()).unwrap(), false).await;
}

/// More than one part, with the bytes of each where they belong.
#[tokio::test]
async fn s3_in_parts() {
    let Some(settings) = world::s3("files::stores::s3_in_parts").await else { return };
    let limits = Limits { read_bytes: 32 << 20, ..Limits::default() };
    let store = Store::s3("bucket", settings, limits).unwrap();
    let bytes: Vec<u8> = (0..18_000_000_u32).map(|n| (n % 251) as u8).collect();
    let large = Write { path: "large".into(), bytes: bytes.clone().into(), mode: Mode::Create, ..Write::default() };
    let made = store.write(&large, &job()).await.unwrap();
    assert_eq!(made.size, Some(18_000_000));
    assert!(made.version.unwrap().ends_with("-3"));
    let read = store.read(&Read { path: "large".into(), ..Read::default() }, &job()).await.unwrap();
    assert!(read.bytes == bytes);
    assert_eq!(failed(store.write(&large, &job()).await).1, "exists");
}

/// Their signatures are held against published ones where they are made.
#[tokio::test]
async fn s3_urls_for_others() {
    let keys = Some(("AKIA".to_owned(), base::Secret::new("a key that is not shown")));
    let prefix = "team".to_owned();
    let settings = connect::files::S3 { keys, prefix, ..connect::files::S3::new("my-bucket", "eu-central-1") };
    let store = Store::s3("bucket", settings, Limits::default()).unwrap();
    let presign = async |write, seconds| {
        let wanted = Presign { path: "a b/ü+.txt".into(), write, expires: Duration::from_secs(seconds) };
        store.presign(&wanted, &job()).await
    };
    let url = presign(false, 60).await.unwrap();
    let start =
        "https://my-bucket.s3.eu-central-1.amazonaws.com/team/a%20b/%C3%BC%2B.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&";
    assert!(url.starts_with(start) && url.contains("&X-Amz-Expires=60&") && !url.contains("shown"), "{url}");
    let signature = |url: &str| url.rsplit_once("X-Amz-Signature=").unwrap().1.to_owned();
    assert_ne!(signature(&url), signature(&presign(true, 60).await.unwrap()));
    for seconds in [0, 8 * 24 * 3600] {
        assert_eq!(failed(presign(false, seconds).await).0, ErrorKind::Value);
    }
    let public = Store::s3("bucket", connect::files::S3::new("my-bucket", "eu-central-1"), Limits::default()).unwrap();
    let wanted = Presign { path: "a".into(), write: false, expires: Duration::from_secs(60) };
    assert_eq!(failed(public.presign(&wanted, &job()).await).0, ErrorKind::Config);
}
