//! Versions, plans, lists.

use base::Digest;
use store::{Error, Format, Outcome, Page, Release};

use crate::world::both;

/// A release whose meaning is `content`.
pub(crate) fn release(name: &str, version: &str, content: &str) -> Release {
    Release {
        name: name.to_owned(),
        version: version.to_owned(),
        digest: Digest::of(content.as_bytes()),
        title: None,
        description: Some(format!("about {name}")),
        transport: "stdio".to_owned(),
        tools: 3,
        source: content.to_owned(),
        format: Format::Yaml,
        canonical: format!("{{\"name\":\"{name}\"}}"),
        plan: "{\"format\":1}".to_owned(),
        dev: false,
        template: None,
    }
}

#[test]
fn a_version_is_created_kept_and_guarded() {
    both("a_version_is_created_kept_and_guarded", |place| {
        let store = place.open();
        let first = release("shop", "1.0.0", "one");
        assert_eq!(store.put(&first, false).unwrap(), Outcome::Created);
        assert_eq!(store.put(&first, false).unwrap(), Outcome::Unchanged);

        let changed = release("shop", "1.0.0", "two");
        let Err(Error::Conflict { stored, offered, .. }) = store.put(&changed, false) else { panic!("no conflict") };
        assert_eq!((stored, offered), (first.digest.clone(), changed.digest.clone()));
        assert_eq!(store.version("shop", None).unwrap().release, first);

        assert_eq!(store.put(&changed, true).unwrap(), Outcome::Updated);
        assert_eq!(store.version("shop", Some("1.0.0")).unwrap().release, changed);
    });
}

#[test]
fn versions_are_kept_side_by_side_and_one_is_current() {
    both("versions_are_kept_side_by_side_and_one_is_current", |place| {
        let store = place.open();
        store.put(&release("shop", "1.0.0", "one"), false).unwrap();
        assert_eq!(store.put(&release("shop", "1.1.0", "two"), false).unwrap(), Outcome::Updated);
        assert_eq!(store.server("shop").unwrap().version, "1.1.0");
        assert_eq!(store.server("shop").unwrap().versions, 2);

        assert_eq!(store.put(&release("shop", "1.0.0", "one"), false).unwrap(), Outcome::Unchanged);
        let planned = Release { plan: "{\"format\":3}".to_owned(), ..release("shop", "1.0.0", "one") };
        assert_eq!(store.put(&planned, false).unwrap(), Outcome::Updated);
        assert_eq!(
            store.server("shop").unwrap().version,
            "1.1.0",
            "an older one that is sent again is not gone back to"
        );
        assert!(store.version("shop", Some("1.0.0")).is_ok_and(|version| !version.current));
        let Err(Error::NoVersion { known, .. }) = store.version("shop", Some("9.0.0")) else { panic!("found") };
        assert_eq!(known, ["1.1.0", "1.0.0"]);
    });
}

#[test]
fn plans_are_revised_and_the_newest_is_given() {
    both("plans_are_revised_and_the_newest_is_given", |place| {
        let store = place.open();
        store.put(&release("shop", "1.0.0", "one"), false).unwrap();
        let stored = store.put_plan("shop", "1.0.0", "{\"format\":2}", true).unwrap();
        assert_eq!((stored.revision, stored.changed), (2, true));
        assert!(!store.put_plan("shop", "1.0.0", "{\"format\":2}", true).unwrap().changed);
        let version = store.version("shop", None).unwrap();
        assert_eq!(
            (version.release.plan.as_str(), version.release.dev, version.plan_revision),
            ("{\"format\":2}", true, 2)
        );
        assert!(matches!(store.put_plan("shop", "2.0.0", "{}", false), Err(Error::NoVersion { .. })));
        assert!(matches!(store.put_plan("other", "2.0.0", "{}", false), Err(Error::NoServer { .. })));
    });
}

#[test]
fn removing_takes_everything_and_names_what_is_left() {
    both("removing_takes_everything_and_names_what_is_left", |place| {
        let store = place.open();
        store.put(&release("shop", "1.0.0", "one"), false).unwrap();
        store.put(&release("shop", "1.1.0", "two"), false).unwrap();
        store.put(&release("notes", "1.0.0", "one"), false).unwrap();
        assert_eq!(store.remove("shop").unwrap(), 2);
        let Err(Error::NoServer { known, .. }) = store.remove("shop") else { panic!("still there") };
        assert_eq!(known, ["notes"]);
        assert_eq!(store.put(&release("shop", "1.0.0", "other"), false).unwrap(), Outcome::Created);
        assert!(store.check().unwrap().problems.is_empty());
    });
}

#[test]
fn pages_cover_every_server_once_while_others_come_and_go() {
    both("pages_cover_every_server_once_while_others_come_and_go", |place| {
        let store = place.open();
        for number in 0..25 {
            store.put(&release(&format!("server-{number:02}"), "1.0.0", "one"), false).unwrap();
        }
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = store.list(&Page { limit: Some(4), cursor }).unwrap();
            seen.extend(page.servers.into_iter().map(|server| server.name));
            store.put(&release(&format!("aaa-{}", seen.len()), "1.0.0", "one"), false).unwrap();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<String> = (0..25).map(|number| format!("server-{number:02}")).collect();
        assert_eq!(seen, expected);
        let bad = Page { limit: None, cursor: Some("x".to_owned()) };
        assert!(matches!(store.list(&bad), Err(Error::Cursor { .. })));
    });
}
