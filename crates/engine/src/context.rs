//! What a call brings along besides its arguments.

use std::time::Instant;

use base::Secret;
use connect::http::Subject;
use serde_json::{Map, Value};
use spec::expression::Scope;
use tokio_util::sync::CancellationToken;

use crate::permit::Held;
use crate::person::Person;
use crate::toolset::Tool;

/// Takes progress: how much is done, of how much in all, and a word about it.
pub type Progress<'a> = &'a (dyn Fn(f64, Option<f64>, &str) + Send + Sync);

/// Takes what a tool says while it runs.
pub type Log<'a> = &'a (dyn Fn(script::Level, &str) + Send + Sync);

/// What is known of a caller: `subject`, and `claims`, an object. Asked for by those tools alone that use it, which are few.
pub trait Known: Sync {
    /// All of it.
    fn known(&self) -> &Map<String, Value>;
}

impl Known for Map<String, Value> {
    fn known(&self) -> &Self {
        self
    }
}

/// What a call brings along besides its arguments.
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    pub(crate) cancel: &'a CancellationToken,
    /// When it must have ended, less the time that the call has waited for the person behind it.
    pub(crate) deadline: Option<Instant>,
    pub(crate) progress: Option<Progress<'a>>,
    pub(crate) log: Option<Log<'a>>,
    pub(crate) caller: Option<&'a dyn Known>,
    pub(crate) bindings: Option<&'a Map<String, Value>>,
    pub(crate) token: Option<&'a Secret>,
    pub(crate) person: Option<&'a Person<'a>>,
    /// The id of the task that the call is.
    pub(crate) task: Option<&'a str>,
    /// Further names that templates look up: those of a step.
    pub(crate) more: Option<&'a Scope>,
    /// How many tools have called another one on the way here.
    pub(crate) depth: usize,
    /// Whether a caller of this call holds a permit already.
    pub(crate) is_held: bool,
    /// That permit, where it is given back while a person is waited for.
    pub(crate) held: Option<&'a Held<'a>>,
}

impl<'a> CallContext<'a> {
    /// A call that ends early when the token is cancelled: the statement is then cancelled at the database.
    pub fn new(cancel: &'a CancellationToken) -> Self {
        Self {
            cancel,
            deadline: None,
            progress: None,
            log: None,
            caller: None,
            bindings: None,
            token: None,
            person: None,
            task: None,
            more: None,
            depth: 0,
            is_held: false,
            held: None,
        }
    }

    /// Ends the call at this moment, if the tool's own limit has not ended it before.
    #[must_use]
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The call is this task, and may be one that goes on after a restart.
    #[must_use]
    pub fn task(mut self, id: &'a str) -> Self {
        self.task = Some(id);
        self
    }

    /// The person behind the caller can be asked.
    #[must_use]
    pub fn person(mut self, person: &'a Person<'a>) -> Self {
        self.person = Some(person);
        self
    }

    /// When a call of this tool that began at `started` must have ended, as it is now: the time that a person takes to answer
    /// does not count.
    pub(crate) fn end(&self, tool: &Tool, started: Instant) -> Instant {
        let own = started + tool.timeout;
        self.deadline.map_or(own, |deadline| own.min(self.now(deadline)))
    }

    /// A deadline that was kept, as it is now.
    pub(crate) fn now(&self, kept: Instant) -> Instant {
        self.person.map_or(kept, |person| kept + person.waited())
    }

    /// A deadline as it is now, to be kept.
    pub(crate) fn kept(&self, deadline: Instant) -> Instant {
        self.person.and_then(|person| deadline.checked_sub(person.waited())).unwrap_or(deadline)
    }

    /// Whether nothing of the call that came from outside was done yet.
    pub(crate) fn is_first(&self) -> bool {
        self.depth == 0
    }

    /// Hands progress on.
    #[must_use]
    pub fn progress(mut self, progress: Progress<'a>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Hands on what tools say.
    #[must_use]
    pub fn logger(mut self, log: Log<'a>) -> Self {
        self.log = Some(log);
        self
    }

    /// What is known of the caller: `subject`, and `claims`, an object. Templates look them up as `caller.subject` and
    /// `caller.claims.NAME`.
    #[must_use]
    pub fn caller(mut self, known: &'a dyn Known) -> Self {
        self.caller = Some(known);
        self
    }

    /// The token that the caller showed, for connections that exchange it for one of their own. It goes to their token
    /// endpoint alone.
    #[must_use]
    pub fn token(mut self, token: &'a Secret) -> Self {
        self.token = Some(token);
        self
    }

    /// What a connection needs to know of the caller.
    pub(crate) fn upstream(&self, subject: Subject) -> Option<Secret> {
        match subject {
            Subject::None => None,
            Subject::Token => self.token.cloned(),
            Subject::Name => self.known()?.get("subject")?.as_str().map(Secret::new),
        }
    }

    /// What the URL of the connection says of parameters; see [`crate::Toolset::bindings`].
    #[must_use]
    pub fn bindings(mut self, bindings: &'a Map<String, Value>) -> Self {
        self.bindings = Some(bindings);
        self
    }

    /// What is known of the caller.
    pub(crate) fn known(&self) -> Option<&'a Map<String, Value>> {
        self.caller.map(Known::known)
    }

    /// A claim of the caller: by its whole name, else by its path. `sub` is who calls.
    pub(crate) fn claim(&self, path: &str) -> Option<&'a Value> {
        let caller = self.known()?;
        let claims = caller.get("claims").and_then(Value::as_object);
        if let Some(claim) = claims.and_then(|claims| claims.get(path)) {
            return Some(claim);
        }
        if path == "sub" {
            return caller.get("subject");
        }
        let mut parts = path.split('.');
        let first = claims?.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    }

    pub(crate) fn log(&self, level: script::Level, text: &str) {
        if let Some(log) = self.log {
            log(level, text);
        }
    }

    pub(crate) fn report(&self, done: f64, total: Option<f64>, message: &str) {
        if let Some(progress) = self.progress {
            progress(done, total, message);
        }
    }
}

impl std::fmt::Debug for CallContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallContext").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}
