//! People: wrong passwords, owners, sessions.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use identity::Clock;
use identity::accounts::{Accounts, Refused, Role};
use store::Store;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
const PASSWORD: &str = "correct horse battery";

/// A store with one owner, `root`. The clock goes on by a second whenever it is looked at.
fn world() -> (tempfile::TempDir, Arc<Store>, Accounts) {
    let home = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(home.path()).unwrap());
    let now = AtomicI64::new(1_700_000_000);
    let clock = Clock::of(move || now.fetch_add(1, Ordering::Relaxed));
    let accounts = Accounts::open(store.clone(), clock).unwrap();
    let link = accounts.set_up_link().unwrap().expect("nobody is there yet");
    accounts.set_up(&link, "root", PASSWORD).unwrap();
    (home, store, accounts)
}

#[test]
fn many_wrong_passwords_at_once_are_as_many_as_one_after_another() {
    let (_home, _store, accounts) = world();
    let accounts = Arc::new(accounts);
    let tries: Vec<_> = (0..40)
        .map(|_| {
            let accounts = accounts.clone();
            std::thread::spawn(move || accounts.sign_in(HERE, "root", "not this one").map(drop))
        })
        .collect();
    let answers: Vec<_> = tries.into_iter().map(|one| one.join().unwrap()).collect();
    let wrong = answers.iter().filter(|answer| matches!(answer, Err(Refused::Wrong))).count();
    let slow = answers.iter().filter(|answer| matches!(answer, Err(Refused::Slow { .. }))).count();
    assert!(wrong <= 12 && slow == 40 - wrong, "{wrong} were looked at, {slow} were told to wait");
    // From elsewhere they come in, as often as they like.
    let elsewhere = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
    for _ in 0..12 {
        accounts.sign_in(elsewhere, "root", PASSWORD).unwrap();
    }
}

#[test]
fn strangers_who_try_a_name_from_many_addresses_keep_nobody_of_that_name_out() {
    let (_home, _store, accounts) = world();
    for network in 0..12_u8 {
        for host in 0..5_u8 {
            let stranger = IpAddr::V4(Ipv4Addr::new(100, 64, network, host));
            assert!(matches!(accounts.sign_in(stranger, "root", "not this one"), Err(Refused::Wrong)));
        }
    }
    accounts.sign_in(HERE, "root", PASSWORD).unwrap();
    // Who has every address of a network has no more tries than a network has.
    let slow = (0..70_u8)
        .map(|host| accounts.sign_in(IpAddr::V4(Ipv4Addr::new(203, 0, 113, host)), "root", "not this one").map(drop))
        .find_map(|answer| match answer {
            Err(Refused::Slow(spent)) => Some(spent.policy),
            _ => None,
        });
    assert_eq!(slow, Some("passwords-network"));
    accounts.sign_in(HERE, "root", PASSWORD).unwrap();
}

#[test]
fn the_end_of_a_sign_in_cuts_streams_as_signing_out_does() {
    let home = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(home.path()).unwrap());
    let now = Arc::new(AtomicI64::new(1_700_000_000));
    let clock = now.clone();
    let accounts = Accounts::open(store, Clock::of(move || clock.load(Ordering::Relaxed))).unwrap();
    let entered = accounts.set_up(&accounts.set_up_link().unwrap().unwrap(), "root", PASSWORD).unwrap();
    accounts.follow().unwrap();
    now.store(entered.expires_at - 1, Ordering::Relaxed);
    assert!(accounts.follow().unwrap().is_empty() && accounts.known(&entered.token).is_some());
    now.store(entered.expires_at, Ordering::Relaxed);
    assert_eq!(accounts.follow().unwrap(), [Arc::<str>::from(format!("account:{}", entered.account.id))]);
    assert!(accounts.follow().unwrap().is_empty(), "it is told once");
}

#[test]
fn the_last_owner_who_can_sign_in_stays() {
    let (_home, store, accounts) = world();
    let root = store.account_named("root").unwrap().expect("root");
    let second = accounts.create("second", Role::Owner).unwrap();
    assert!(!store.remove_account(&root.id, "owner", None, 1).unwrap(), "the second one never chose a password");
    accounts.choose_password(&accounts.password_link(&second.id).unwrap(), PASSWORD).unwrap();
    assert!(store.remove_account(&root.id, "owner", None, 1).unwrap());
    assert!(!store.remove_account(&second.id, "owner", None, 1).unwrap());
}

#[test]
fn where_no_passwords_are_taken_only_other_owners_and_sessions_count() {
    let (_home, store, accounts) = world();
    let root = store.account_named("root").unwrap().expect("root");
    let second = accounts.create("second", Role::Owner).unwrap();
    let identity = store::accounts::Identity { issuer: "https://id.example".to_owned(), subject: "2".to_owned() };
    store.arrive(&identity, &second, true, "owner", 10).unwrap();
    let on =
        |passwords: bool, issuer: Option<&str>| store::accounts::Ways { passwords, issuer: issuer.map(str::to_owned) };
    let provider = Some("https://id.example");
    for (ways, expected) in [
        (on(true, None), true),
        (on(false, provider), true),
        (on(false, Some("https://other.example")), false),
        (on(false, None), false),
    ] {
        assert_eq!(store.can_come("owner", &ways).unwrap(), expected, "{ways:?}");
    }
    assert!(!store.remove_account(&second.id, "owner", Some(&on(false, provider)), 1).unwrap(), "only they come in");
    assert!(
        !store.remove_account(&root.id, "owner", Some(&on(true, None)), 1).unwrap(),
        "the other one is of no provider"
    );

    let by_password = accounts.sign_in(HERE, "root", PASSWORD).unwrap();
    let by_link = accounts.choose_password(&accounts.password_link(&second.id).unwrap(), PASSWORD).unwrap();
    let clock = Clock::of(|| 1_700_000_100);
    let others = Accounts::open(store.clone(), clock).unwrap().without_passwords();
    assert!(others.known(&by_password.token).is_none() && others.look_up(&by_password.token).unwrap().is_none());
    assert!(others.known(&by_link.token).is_some());
    assert!(accounts.known(&by_password.token).is_some());
    assert!(store.remove_account(&root.id, "owner", Some(&on(false, provider)), 1).unwrap());
}

#[test]
fn the_oldest_session_makes_way_at_once() {
    let (_home, _store, accounts) = world();
    let first = accounts.sign_in(HERE, "root", PASSWORD).unwrap().token;
    for _ in 0..20 {
        accounts.sign_in(HERE, "root", PASSWORD).unwrap();
    }
    accounts.follow().unwrap();
    assert!(accounts.known(&first).is_none() && accounts.look_up(&first).unwrap().is_none());
}

#[test]
fn the_end_of_one_sign_in_cuts_streams_though_there_is_another() {
    let (_home, store, accounts) = world();
    accounts.follow().unwrap();
    let root: Arc<str> = format!("account:{}", store.account_named("root").unwrap().expect("root").id).into();
    let lost = || accounts.follow().unwrap();
    let (first, _second) =
        (accounts.sign_in(HERE, "root", PASSWORD).unwrap(), accounts.sign_in(HERE, "root", PASSWORD).unwrap());
    assert!(lost().is_empty());
    accounts.sign_out(&first.token).unwrap();
    assert_eq!(lost(), std::slice::from_ref(&root));
    // A new password signs in anew at once.
    let id = root.strip_prefix("account:").unwrap();
    accounts.choose_password(&accounts.password_link(id).unwrap(), "another horse battery").unwrap();
    assert_eq!(lost(), [root]);
    assert!(lost().is_empty());
}
