//! The person behind a caller: asking them, and not counting the time that they take.

mod forward;

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

pub(crate) use forward::Forward;

use crate::permit::Held;

/// A question to a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What they are told.
    pub message: String,
    /// What they do.
    pub form: Form,
    /// Whether nothing of the call was done before, so that it can also be begun anew with the answer.
    pub is_first: bool,
    /// How long they have.
    pub timeout: Duration,
}

/// What a person does to answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Fills in a form: JSON Schema of a flat object.
    Fields(Value),
    /// Visits a page.
    Page {
        /// Its address.
        url: String,
        /// Names the question when its end is announced.
        id: String,
    },
}

/// What a person answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The form is filled in, or the page was visited.
    Accepted(Map<String, Value>),
    /// They said no.
    Declined,
    /// They closed the question without an answer.
    Cancelled,
    /// They did not answer in time.
    Late,
    /// They could not be asked, for this reason.
    Unasked(String),
}

/// An answer that is on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Carries questions to the person behind a caller.
pub trait Asker: Send + Sync {
    /// Whether they can be asked in this way.
    fn can(&self, form: &Form) -> bool;

    /// Asks. Dropping the future takes the question back.
    fn ask(&self, question: Question) -> Answering<'_>;
}

/// The person behind a caller.
pub struct Person<'a> {
    asker: &'a dyn Asker,
    waits: Mutex<Waits>,
}

/// How long a call has waited for answers: while several are waited for at once, that time counts once.
#[derive(Debug, Default)]
struct Waits {
    open: usize,
    since: Option<Instant>,
    before: Duration,
}

impl fmt::Debug for Person<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").finish_non_exhaustive()
    }
}

impl<'a> Person<'a> {
    /// The person whom `asker` reaches.
    pub fn new(asker: &'a dyn Asker) -> Self {
        Self { asker, waits: Mutex::default() }
    }

    /// Whether they can be asked in this way.
    pub(crate) fn can(&self, form: &Form) -> bool {
        self.asker.can(form)
    }

    /// Asks; nothing when the call is cancelled meanwhile. Other calls have the permit of this one until there is an answer.
    pub(crate) async fn ask(
        &self,
        question: Question,
        cancel: &CancellationToken,
        held: Option<&Held<'_>>,
    ) -> Option<Answer> {
        let timeout = question.timeout;
        let _waiting = self.wait();
        if let Some(held) = held {
            held.release();
        }
        let answer = tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            answer = tokio::time::timeout(timeout, self.asker.ask(question)) => Some(answer.unwrap_or(Answer::Late)),
        };
        if let (Some(held), Some(_)) = (held, &answer) {
            tokio::select! {
                () = cancel.cancelled() => return None,
                () = held.take_back() => {}
            }
        }
        answer
    }

    /// How long the call has waited for answers so far.
    pub(crate) fn waited(&self) -> Duration {
        let waits = self.waits.lock();
        waits.before + waits.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Ends when a call has had its time: `end` is its end if it waits for nobody any more, less what it has waited before.
    pub(crate) async fn over(&self, end: Instant) {
        loop {
            let end = end + self.waited();
            if end <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(end.into()).await;
        }
    }

    fn wait(&self) -> Waiting<'_> {
        let mut waits = self.waits.lock();
        waits.open += 1;
        waits.since.get_or_insert_with(Instant::now);
        Waiting(&self.waits)
    }
}

struct Waiting<'a>(&'a Mutex<Waits>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waits = self.0.lock();
        waits.open -= 1;
        if waits.open == 0
            && let Some(since) = waits.since.take()
        {
            waits.before += since.elapsed();
        }
    }
}
