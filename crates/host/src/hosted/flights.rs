//! Calls of stateless clients that ask: a call ends its request with the question, and goes on when the client comes back with the
//! answer. A call that did nothing yet is begun anew with the answers that it was given, which travel with the client; one that did
//! something before it asked waits here.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use base::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::{Answer, Answering, Asker, CallContext, Form, Outcome, Person, Question, Toolset, Unknown};
use parking_lot::{Mutex, RwLock};
use protocol::{Context, Error, Reply, ToolCall, ToolResult};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Bound, Caller, adapt, asking, inside};
use crate::limits::{ASKED_STATE_BYTES_MAX, WAITING_CALLS_MAX};

/// The key of the one question that a call has at a time.
const QUESTION: &str = "question";

/// Calls that wait for their client, by name.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<String, Flight>>);

/// What travels with the client. It is sealed: bound to the caller, the tool and its arguments.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum State {
    /// The call is begun anew: what was asked and answered, and what is asked now.
    Anew { answers: Vec<(Digest, Value)>, asked: Digest },
    /// The call waits here.
    Waiting(String),
}

/// A question on its way, and where its answer goes.
#[derive(Debug)]
struct Asked {
    question: Question,
    answer: oneshot::Sender<Answer>,
}

/// A call under way. Dropping it cancels the call.
#[derive(Debug)]
struct Flight {
    task: JoinHandle<Result<Outcome, Unknown>>,
    questions: mpsc::Receiver<Asked>,
    /// What the client was asked last.
    open: Option<Asked>,
    /// The request that the call works for now.
    context: Arc<RwLock<Context>>,
    /// What it was begun with.
    answers: Vec<(Digest, Value)>,
    _cancel: DropGuard,
}

/// Calls a tool, or goes on with a call that asked.
pub(super) async fn call(
    flights: &Flights,
    toolset: Arc<Toolset>,
    context: &Context,
    call: ToolCall<'_>,
) -> Result<Reply<ToolResult>, Error> {
    let state = context.state().and_then(|state| serde_json::from_slice::<State>(state).ok());
    let given = context.input(QUESTION);
    let flight = match state {
        None => Flight::start(toolset, context, call, Vec::new()),
        Some(State::Anew { mut answers, asked }) => {
            answers.extend(given.map(|input| (asked, input.value())));
            Flight::start(toolset, context, call, answers)
        }
        Some(State::Waiting(name)) => {
            let Some(mut flight) = flights.0.lock().remove(&name) else {
                let why = "The call that asked is not there any more: nobody answered in time, its answer came twice, or the server was started anew. What it did before it asked is done; look before you call the tool again.";
                return Ok(Reply::Done(asking::given_up(why)));
            };
            *flight.context.write() = context.clone();
            match (given, flight.open.take()) {
                (Some(input), Some(asked)) => drop(asked.answer.send(asking::answer(&input))),
                // Without an answer the same is asked again.
                (None, Some(asked)) if !asked.answer.is_closed() => return Ok(flights.wait(flight, asked)),
                _ => {}
            }
            flight
        }
    };
    flights.go_on(flight, context).await
}

impl Flights {
    async fn go_on(&self, mut flight: Flight, context: &Context) -> Result<Reply<ToolResult>, Error> {
        let asked = tokio::select! {
            biased;
            Some(asked) = flight.questions.recv() => asked,
            ended = &mut flight.task => {
                let outcome = ended.map_err(|_| Error::internal("The call failed in a way that its authors did not foresee"))?;
                let outcome = outcome.map_err(|unknown| Error::invalid_params(unknown.0))?;
                return Ok(Reply::Done(adapt::result(outcome)));
            }
        };
        let anew = State::Anew { answers: flight.answers.clone(), asked: digest(&asked.question) };
        match serde_json::to_vec(&anew) {
            Ok(state) if asked.question.is_first && state.len() <= ASKED_STATE_BYTES_MAX => {
                let request = asking::request(asked.question, context.revision());
                Ok(Reply::ask_all(vec![(QUESTION.to_owned(), request)], Some(state.into())))
            }
            _ => Ok(self.wait(flight, asked)),
        }
    }

    /// Keeps a call until its client comes back.
    fn wait(&self, mut flight: Flight, asked: Asked) -> Reply<ToolResult> {
        let request = asking::request(asked.question.clone(), flight.context.read().revision());
        flight.open = Some(asked);
        let mut name = [0_u8; 16];
        if getrandom::fill(&mut name).is_err() {
            return Reply::Done(asking::given_up(
                "The call cannot wait for the answer of a person: there is no randomness for its name.",
            ));
        }
        let name = URL_SAFE_NO_PAD.encode(name);
        let mut waiting = self.0.lock();
        // Those whose time is over have ended by themselves.
        waiting.retain(|_, flight| !flight.task.is_finished());
        if waiting.len() >= WAITING_CALLS_MAX {
            let why = format!(
                "{WAITING_CALLS_MAX} calls wait for the answers of people already, so nobody was asked. What this one did before is done; try again later."
            );
            return Reply::Done(asking::given_up(why));
        }
        waiting.insert(name.clone(), flight);
        drop(waiting);
        let state = serde_json::to_vec(&State::Waiting(name)).unwrap_or_default();
        Reply::ask_all(vec![(QUESTION.to_owned(), request)], Some(state.into()))
    }
}

impl Flight {
    fn start(toolset: Arc<Toolset>, context: &Context, call: ToolCall<'_>, answers: Vec<(Digest, Value)>) -> Self {
        let (ask, questions) = mpsc::channel(1);
        let cancel = CancellationToken::new();
        let context = Arc::new(RwLock::new(context.clone()));
        let way = Way {
            toolset,
            context: Arc::clone(&context),
            name: call.name.to_owned(),
            arguments: call.arguments.map(ToOwned::to_owned),
            asker: Comeback {
                can: [Form::Fields(Value::Null), Form::Page { url: String::new(), id: String::new() }]
                    .map(|form| context.read().supports(asking::capability(&form))),
                questions: ask,
                answers: Mutex::new(answers.iter().cloned().collect()),
            },
            cancel: cancel.clone(),
        };
        let task = tokio::spawn(way.run());
        Self { task, questions, open: None, context, answers, _cancel: cancel.drop_guard() }
    }
}

/// A call with all that it needs to outlive its request.
struct Way {
    toolset: Arc<Toolset>,
    context: Arc<RwLock<Context>>,
    name: String,
    arguments: Option<Box<RawValue>>,
    asker: Comeback,
    cancel: CancellationToken,
}

impl Way {
    async fn run(self) -> Result<Outcome, Unknown> {
        let first = self.context.read().clone();
        let caller = Caller::of(first.principal());
        let person = Person::new(&self.asker);
        let report =
            |done: f64, total: Option<f64>, message: &str| self.context.read().progress(done, total, Some(message));
        let say = |level: engine::LogLevel, text: &str| {
            self.context.read().log(adapt::level(level), Some(&self.name), text);
        };
        let bound = first.binding::<Bound>();
        let mut inside: CallContext<'_> = inside(&self.cancel, caller.as_deref(), bound).person(&person).logger(&say);
        if first.wants_progress() {
            inside = inside.progress(&report);
        }
        self.toolset.call(&inside, &self.name, self.arguments.as_deref()).await
    }
}

/// The person behind a client that comes back with answers.
struct Comeback {
    /// Whether they fill in forms, and visit pages.
    can: [bool; 2],
    questions: mpsc::Sender<Asked>,
    /// What was asked and answered before the call was begun anew.
    answers: Mutex<VecDeque<(Digest, Value)>>,
}

impl Comeback {
    /// The answer that was given to this question before. An answer to another question, such as one of a spec that was changed
    /// meanwhile, counts for nothing, and neither does what follows it.
    fn known(&self, question: &Question) -> Option<Value> {
        let mut answers = self.answers.lock();
        let (asked, answer) = answers.pop_front()?;
        if question.is_first && asked == digest(question) {
            return Some(answer);
        }
        answers.clear();
        None
    }
}

impl Asker for Comeback {
    fn can(&self, form: &Form) -> bool {
        match form {
            Form::Fields(_) => self.can[0],
            Form::Page { .. } => self.can[1],
        }
    }

    fn ask(&self, question: Question) -> Answering<'_> {
        Box::pin(async move {
            if let Some(answer) = self.known(&question).and_then(|known| RawValue::from_string(known.to_string()).ok())
            {
                return asking::answer(&protocol::Input::of(&answer));
            }
            let (answer, coming) = oneshot::channel();
            if self.questions.send(Asked { question, answer }).await.is_err() {
                return Answer::Cancelled;
            }
            coming.await.unwrap_or(Answer::Cancelled)
        })
    }
}

/// What a question is known by.
fn digest(question: &Question) -> Digest {
    let form = match &question.form {
        Form::Fields(schema) => schema.to_string(),
        Form::Page { url, id } => format!("{url}\n{id}"),
    };
    Digest::of(format!("{}\n{form}", question.message).as_bytes())
}
