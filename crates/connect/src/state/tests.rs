use super::{Done, Fault, Limits, Moment, Only, SetTimer, State, Step, behind};

fn open(folder: &tempfile::TempDir, limits: Limits) -> State {
    State::open(&folder.path().join("state/shop.db"), limits).unwrap()
}

fn timer(name: &str, due: Moment) -> SetTimer {
    SetTimer { name: name.into(), due, tool: "work".into(), arguments: "{\"n\":1}".into(), sooner: false }
}

#[test]
fn values_have_versions_that_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, Limits::default());
    let first = state.set("a", "1", None, Some(Only::Absent), 0).unwrap();
    assert_eq!(state.set("a", "2", None, Some(Only::Absent), 0), Err(Fault::Conflict(Some(first))));
    let second = state.set("a", "2", None, Some(Only::Version(first)), 0).unwrap();
    assert_eq!(state.set("a", "3", None, Some(Only::Version(first)), 0), Err(Fault::Conflict(Some(second))));
    assert!(state.delete("a", None, 0).unwrap() && !state.delete("a", None, 0).unwrap());
    assert_eq!(state.set("a", "3", None, Some(Only::Version(second)), 0), Err(Fault::Conflict(None)));
    assert!(state.set("a", "3", None, None, 0).unwrap() > second, "a version is never given twice");
}

#[test]
fn values_expire_and_are_listed_by_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, Limits::default());
    for key in ["a/1", "a/2", "a/3", "a0", "b"] {
        state.set(key, "true", (key == "a/2").then_some(50), None, 0).unwrap();
    }
    let keys = |after: Option<&str>, limit, now| {
        let page = state.list("a/", after, limit, now).unwrap();
        (page.entries.into_iter().map(|entry| entry.key).collect::<Vec<_>>().join(" "), page.more)
    };
    assert_eq!(keys(None, 10, 0), ("a/1 a/2 a/3".to_owned(), false));
    assert_eq!(keys(None, 1, 50), ("a/1".to_owned(), true));
    assert_eq!(keys(Some("a/1"), 10, 50), ("a/3".to_owned(), false));
    assert_eq!(state.get("a/2", 49).unwrap().unwrap().expires, Some(50));
    assert_eq!(state.get("a/2", 50).unwrap(), None);
    assert_eq!(state.list("", None, 10, 0).unwrap().entries.len(), 5);
    let back = |after: Option<&str>, limit| {
        let page = state.list_back("a/", after, limit, 50).unwrap();
        (page.entries.into_iter().map(|entry| entry.key).collect::<Vec<_>>().join(" "), page.more)
    };
    assert_eq!((back(None, 10), back(None, 1)), (("a/3 a/1".to_owned(), false), ("a/3".to_owned(), true)));
    assert_eq!(back(Some("a/3"), 10), ("a/1".to_owned(), false));
    assert_eq!((behind("a/").as_deref(), behind(""), behind("\u{10ffff}")), (Some("a0"), None, None));
}

#[test]
fn limits_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, Limits { key_bytes: 4, value_bytes: 8_192, file_bytes: 128 << 10, timers: 1 });
    assert!(matches!(state.set("", "1", None, None, 0), Err(Fault::Limit(_))));
    assert!(matches!(state.set("abcde", "1", None, None, 0), Err(Fault::Limit(_))));
    let value = format!("\"{}\"", "x".repeat(8_000));
    let full = (0..100).find_map(|number| state.set(&number.to_string(), &value, None, None, 0).err());
    assert!(matches!(full, Some(Fault::Limit(_))), "{full:?}");
    state
        .set_timer(&timer("t", 1), 0)
        .or_else(|fault| if matches!(fault, Fault::Limit(_)) { Ok(()) } else { Err(fault) })
        .unwrap();
}

#[test]
fn a_timer_is_taken_once_and_comes_back_when_its_holder_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, Limits::default());
    state.set_timer(&timer("t", 100), 0).unwrap();
    assert_eq!(state.take_timer(99, 200).unwrap(), None);
    let taken = state.take_timer(100, 200).unwrap().unwrap();
    assert_eq!((taken.tool.as_str(), taken.arguments.as_str(), taken.attempts), ("work", "{\"n\":1}", 1));
    assert_eq!((state.take_timer(150, 250).unwrap(), state.next_timer().unwrap()), (None, Some(200)));
    // Another process finds it when the holder says nothing.
    let other = open(&folder, Limits::default());
    assert_eq!(other.take_timer(200, 300).unwrap().unwrap().attempts, 2);
    // Set again while it runs: the new one stays.
    state.set_timer(&timer("t", 500), 250).unwrap();
    other.end_timer(&taken, None).unwrap();
    assert_eq!(state.next_timer().unwrap(), Some(500));
    let again = state.take_timer(500, 600).unwrap().unwrap();
    state.end_timer(&again, Some(700)).unwrap();
    assert_eq!(state.next_timer().unwrap(), Some(700));
    assert!(state.cancel_timer("t").unwrap() && state.next_timer().unwrap().is_none());
}

#[test]
fn a_timer_that_is_set_for_sooner_never_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, Limits::default());
    let sooner = |due, now| {
        state.set_timer(&SetTimer { sooner: true, ..timer("t", due) }, now).unwrap();
        state.next_timer().unwrap()
    };
    assert_eq!((sooner(300, 0), sooner(400, 0), sooner(200, 0)), (Some(300), Some(300), Some(200)));
    // Who runs it may have looked before: it rings again.
    let taken = state.take_timer(200, 250).unwrap().unwrap();
    assert_eq!(sooner(220, 210), Some(220));
    state.end_timer(&taken, None).unwrap();
    assert_eq!(state.next_timer().unwrap(), Some(220));
}

#[test]
fn changes_are_made_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, Limits { timers: 1, ..Limits::default() });
    let set = |key: &str, only| Step::Set { key: key.into(), value: "1".into(), expires: None, only };
    let all = |steps: &[Step]| state.together(steps, 0);
    let version = state.set("a", "0", None, None, 0).unwrap();
    state.set("b", "0", None, None, 0).unwrap();
    let delete = Step::Delete { key: "b".into(), only: None };
    let good = [set("a", Some(Only::Version(version))), delete.clone(), set("c", None), Step::Timer(timer("t", 5))];
    let done = all(&good).unwrap();
    let Some(Done::Version(now)) = done.first().copied() else { panic!("{done:?}") };
    assert!(now > version && done[1] == Done::Deleted(true) && done[3] == Done::Due(5), "{done:?}");
    // The second fails, and so the first was not made either.
    let late = [set("d", None), set("a", Some(Only::Version(version)))];
    assert_eq!(all(&late), Err(Fault::Conflict(Some(now))));
    let full = [set("d", None), Step::Timer(timer("u", 5))];
    assert!(matches!(all(&full), Err(Fault::Limit(_))));
    assert!(matches!(all(&vec![delete; super::together::STEPS_MAX + 1]), Err(Fault::Limit(_))));
    let keys: Vec<String> = state.list("", None, 10, 0).unwrap().entries.into_iter().map(|one| one.key).collect();
    assert_eq!(keys, ["a", "c"]);
}

#[tokio::test]
async fn a_change_is_seen_by_all_who_watch_its_key_and_by_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, Limits::default());
    let (mut one, mut two, mut other) = (state.watch("a"), state.watch("a"), state.watch("b"));
    // Nobody waits yet, and it is seen all the same.
    state.set("a", "1", None, None, 0).unwrap();
    state.set("a", "2", None, None, 0).unwrap();
    one.next().await;
    two.next().await;
    let is_quiet = |change: &mut super::Change<'_>| {
        let mut next = std::pin::pin!(change.next());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        next.as_mut().poll(&mut context).is_pending()
    };
    assert!(is_quiet(&mut one) && is_quiet(&mut other), "changes that came together are one");
    drop(two);
    assert!(state.delete("a", None, 0).unwrap());
    one.next().await;
    drop((one, other));
    assert!(state.changes.is_empty(), "nothing is kept of who has gone");
}

#[tokio::test(start_paused = true)]
async fn what_another_process_changes_is_seen_and_one_look_serves_everybody_for_a_moment() {
    let folder = tempfile::tempdir().unwrap();
    let state = std::sync::Arc::new(open(&folder, Limits::default()));
    let other = open(&folder, Limits::default());
    let later = std::time::Duration::from_secs(3);
    let first = state.elsewhere().await.unwrap();
    other.set("a", "1", None, None, 0).unwrap();
    assert_eq!(state.elsewhere().await.unwrap(), first, "the last look is not old");
    tokio::time::advance(later).await;
    let second = state.elsewhere().await.unwrap();
    assert_ne!(second, first);
    state.set("a", "2", None, None, 0).unwrap();
    tokio::time::advance(later).await;
    assert_eq!(state.elsewhere().await.unwrap(), second, "what this process changes is told otherwise");
}
