//! What goes from a script's engine to the task that drives it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use crate::fault::truncate;
use crate::host::Level;
use crate::limits::{CALLS_WAITING_MAX, NOTE_BYTES_MAX, NOTES_WAITING_MAX};

/// A call to the host.
#[derive(Debug)]
pub(crate) struct Request {
    /// The number that the answer carries.
    pub(crate) id: u32,
    /// 0 is `sleep`; the functions of the surface follow.
    pub(crate) function: u32,
    /// JSON.
    pub(crate) arguments: String,
}

/// Something for the host to know. Nobody waits for it.
#[derive(Debug)]
pub(crate) enum Note {
    Log { level: Level, text: String },
    Progress { done: f64, total: Option<f64>, message: String },
}

/// The engine's end.
#[derive(Debug)]
pub(crate) struct Port {
    requests: mpsc::Sender<Request>,
    notes: mpsc::Sender<Note>,
    load: Arc<Load>,
    bytes_max: usize,
}

/// What is on its way.
#[derive(Debug, Default)]
pub(crate) struct Load {
    waiting: AtomicUsize,
    bytes: AtomicUsize,
    lost: AtomicUsize,
}

impl Load {
    /// A call has got its answer.
    pub(crate) fn answered(&self, bytes: usize) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Notes that there was no room for.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }
}

/// The driving task's end.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) notes: mpsc::Receiver<Note>,
    pub(crate) load: Arc<Load>,
}

/// Both ends. The arguments of all calls that wait have at most `bytes_max` bytes.
pub(crate) fn open(bytes_max: usize) -> (Port, Inbox) {
    let (requests_in, requests) = mpsc::channel(CALLS_WAITING_MAX);
    let (notes_in, notes) = mpsc::channel(NOTES_WAITING_MAX);
    let load = Arc::new(Load::default());
    (Port { requests: requests_in, notes: notes_in, load: load.clone(), bytes_max }, Inbox { requests, notes, load })
}

impl Port {
    /// Hands a call on; an empty text, or why not.
    pub(crate) fn send(&self, request: Request) -> &'static str {
        let bytes = request.arguments.len();
        if self.load.waiting.load(Ordering::Relaxed) >= CALLS_WAITING_MAX {
            return "too many calls to the host wait for an answer (1000); await some before making more";
        }
        if self.load.bytes.load(Ordering::Relaxed) + bytes > self.bytes_max {
            return "the arguments of the calls to the host that wait for an answer are larger than the memory limit";
        }
        self.load.waiting.fetch_add(1, Ordering::Relaxed);
        self.load.bytes.fetch_add(bytes, Ordering::Relaxed);
        match self.requests.try_send(request) {
            Ok(()) => "",
            Err(_) => {
                self.load.answered(bytes);
                "the run has ended"
            }
        }
    }

    /// Hands a note on, or counts it as lost.
    pub(crate) fn note(&self, mut note: Note) {
        match &mut note {
            Note::Log { text, .. } => truncate(text, NOTE_BYTES_MAX),
            Note::Progress { message, .. } => truncate(message, NOTE_BYTES_MAX),
        }
        if self.notes.try_send(note).is_err() {
            self.load.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}
