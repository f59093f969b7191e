use std::sync::Arc;
use std::time::Duration;

use identity::{Kind, Principal, Scopes};
use serde_json::{Value, json};
use store::JobState;
use store::keys::Key;

use super::{Jobs, begin};
use crate::operation::{Boxed, Declared, Done, Erased};
use crate::{Caller, Context, Environment, Error, Home};

const DECLARED: Declared = Declared::reads("test.halt", "/test", None);

/// Panics when it is told to.
struct Halts;

impl Erased for Halts {
    fn declared(&self) -> &'static Declared {
        const { &DECLARED }
    }

    fn input_schema(&self) -> Value {
        json!({})
    }

    fn output_schema(&self) -> Value {
        json!({})
    }

    fn check<'a>(&'a self, _: &'a Context, _: Value) -> Boxed<'a, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn run<'a>(&'a self, _: &'a Context, input: Value) -> Boxed<'a, Result<Done, Error>> {
        Box::pin(async move {
            assert_ne!(input["halt"], true, "it was told to");
            Ok(Done { output: json!({"fine": true}), made: None, tag: None })
        })
    }
}

/// How a job of this caller ended, and what is said of it.
async fn ended(home: &std::path::Path, caller: Caller, input: Value) -> (JobState, String) {
    let environment = Environment::only([]);
    let mut context = Context::new(Home::at(home), environment, caller, "test");
    context.jobs = Some(Arc::new(Jobs::default()));
    let job = begin(&context, &Halts, input).await.unwrap();
    let wait = async {
        loop {
            let id = job.id.clone();
            let now = context.store(move |store| store.job(&id)).await.unwrap().unwrap();
            if now.ended_at.is_some() {
                return (now.state, now.result.unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the job ends");
    assert!(context.jobs.iter().all(|jobs| jobs.running.lock().len() <= 1));
    ended
}

#[tokio::test]
async fn a_job_that_panics_has_failed() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(ended(home.path(), Caller::Local, json!({})).await.0, JobState::Done);
    let (state, said) = ended(home.path(), Caller::Local, json!({"halt": true})).await;
    assert!(state == JobState::Failed && said.contains("came to a halt"), "{said}");
}

#[tokio::test]
async fn a_job_of_a_key_that_was_revoked_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let key = |id: &str, end: Option<i64>| Key {
        id: id.to_owned(),
        hash: [id.as_bytes()[0]; 32],
        owner: "ada".to_owned(),
        name: id.to_owned(),
        start: "mf_".to_owned(),
        scope: "admin".to_owned(),
        created_at: 1,
        expires_at: end,
    };
    let store = store::Store::open(home.path()).unwrap();
    for key in [key("good", None), key("expired", Some(2)), key("revoked", None)] {
        assert!(store.add_key(&key, 9).unwrap());
    }
    store.remove_key("revoked", None).unwrap();
    for (id, wanted) in [("good", JobState::Done), ("expired", JobState::Failed), ("revoked", JobState::Failed)] {
        let shown = Principal::new(Kind::Key, format!("key:{id}"), Scopes::of([identity::ADMIN])).owned_by("ada");
        let (state, said) = ended(home.path(), Caller::Remote(Arc::new(shown)), json!({})).await;
        assert_eq!(state, wanted, "{id}: {said}");
        assert_eq!(said.contains("lost its force"), wanted == JobState::Failed, "{said}");
    }
}
