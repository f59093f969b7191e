//! Requests that wait for their answer.

use std::collections::HashMap;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::limits::{NOTES_MAX, QUESTIONS_MAX};
use crate::message::{self, Message};

/// How far a request is.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) done: f64,
    pub(crate) total: Option<f64>,
    pub(crate) message: String,
}

/// The result of a request, or the error object that the server answered with.
pub(crate) type Answer = Result<Value, Value>;

/// What a server asks while a request is under way.
#[derive(Debug)]
pub(crate) enum Question {
    /// A question to a person: its identifier and its parameters.
    Asked(Value, Value),
    /// The question of this identifier is taken back.
    TakenBack(Value),
}

struct Waiting {
    answer: oneshot::Sender<Answer>,
    notes: mpsc::Sender<Note>,
    /// Where its questions go, if there is a person to be asked.
    questions: Option<mpsc::Sender<Question>>,
}

/// The requests of a conversation that wait for their answer.
#[derive(Default)]
pub(crate) struct Pending {
    waiting: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    by_id: HashMap<u64, Waiting>,
    next: u64,
    /// Why there will be no answer any more.
    closed: Option<String>,
}

/// A request that waits.
pub(crate) struct Expected {
    pub(crate) id: u64,
    pub(crate) answer: oneshot::Receiver<Answer>,
    pub(crate) notes: mpsc::Receiver<Note>,
    pub(crate) questions: mpsc::Receiver<Question>,
}

impl Pending {
    /// A new request. After the conversation has ended its answer never comes.
    pub(crate) fn expect(&self, can_ask: bool) -> Expected {
        let (ask, questions) = mpsc::channel(QUESTIONS_MAX);
        let ask = can_ask.then_some(ask);
        let (answer, answered) = oneshot::channel();
        let (notes, noted) = mpsc::channel(NOTES_MAX);
        let mut table = self.waiting.lock();
        table.next += 1;
        let id = table.next;
        if table.closed.is_none() {
            table.by_id.insert(id, Waiting { answer, notes, questions: ask });
        }
        Expected { id, answer: answered, notes: noted, questions }
    }

    pub(crate) fn forget(&self, id: u64) {
        self.waiting.lock().by_id.remove(&id);
    }

    /// Whether a request still waits.
    pub(crate) fn awaits(&self, id: u64) -> bool {
        self.waiting.lock().by_id.contains_key(&id)
    }

    /// Ends the conversation: nothing waits any more.
    pub(crate) fn close(&self, why: &str) {
        let mut table = self.waiting.lock();
        table.closed.get_or_insert_with(|| why.to_owned());
        table.by_id.clear();
    }

    /// Why the conversation has ended.
    pub(crate) fn closed(&self) -> Option<String> {
        self.waiting.lock().closed.clone()
    }

    /// Takes a text of the server; gives what has to be sent back. `of` is the request whose own stream it came on, to which an error
    /// without a request belongs.
    pub(crate) fn take(&self, text: &[u8], of: Option<u64>) -> Vec<Bytes> {
        let messages = match message::read(text) {
            Ok(messages) => messages,
            Err(why) => {
                tracing::debug!(why, "a message of another server is no JSON and is left out");
                return Vec::new();
            }
        };
        let mut replies = Vec::new();
        for message in messages {
            match message {
                Message::Answer(id, answer) => self.settle(id, answer),
                Message::Stray(error) => {
                    if let Some(id) = of {
                        self.settle(id, Err(error));
                    }
                }
                Message::Progress { token, done, total, message } => {
                    if let Some(waiting) = self.waiting.lock().by_id.get(&token) {
                        // What does not fit is left out: the next one says more.
                        let _ = waiting.notes.try_send(Note { done, total, message });
                    }
                }
                Message::Request(reply) => replies.push(reply),
                Message::Question(id, params, refusal) => {
                    if !self.ask(Question::Asked(id, params), of) {
                        replies.push(refusal);
                    }
                }
                Message::Cancelled(id) => drop(self.ask(Question::TakenBack(id), of)),
                Message::Other => {}
            }
        }
        replies
    }

    /// Hands a question to the request that it belongs to: the one on whose stream it came, else the only one under way. With several
    /// under way nobody knows whose person is meant, so nobody is asked.
    fn ask(&self, question: Question, of: Option<u64>) -> bool {
        let table = self.waiting.lock();
        let waiting = match of {
            Some(id) => table.by_id.get(&id),
            None if table.by_id.len() == 1 => table.by_id.values().next(),
            None => None,
        };
        let questions = waiting.and_then(|waiting| waiting.questions.as_ref());
        questions.is_some_and(|questions| questions.try_send(question).is_ok())
    }

    fn settle(&self, id: u64, answer: Answer) {
        let waiting = self.waiting.lock().by_id.remove(&id);
        if let Some(waiting) = waiting {
            let _ = waiting.answer.send(answer);
        }
    }
}
