//! Drives one run: slices of computing on a worker, and calls to the host between and beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use crate::code::{Inner, Script};
use crate::fault::{Fault, FaultKind};
use crate::flying::{Flying, Settled};
use crate::host::{Answer, Host, Level};
use crate::machine::{Ended, Finished, Machine, Setup, Step, Watch};
use crate::port::{self, Inbox, Note};
use crate::sandbox::{Call, Sandbox};

/// From the first slice to the result.
pub(crate) async fn drive(
    sandbox: &Sandbox,
    script: &Script,
    host: &dyn Host,
    call: Call<'_>,
) -> Result<Answer, Fault> {
    // The processor time of all its engines.
    let watch = Arc::new(Watch::new(call.limits.cpu));
    let mut state = None;
    loop {
        // Behind a pointer, so that a rest holds nothing of it.
        match Box::pin(awake(sandbox, script, host, &call, (&watch, state.take()))).await? {
            Ended::Answer(answer) => return Ok(answer),
            Ended::Resting(kept, rest) => {
                host.rest(&rest).await.map_err(|error| Fault::new(FaultKind::Thrown, error.message))?;
                state = Some(kept);
            }
        }
    }
}

/// One engine, from its start until the function ends or rests.
async fn awake(
    sandbox: &Sandbox,
    script: &Script,
    host: &dyn Host,
    call: &Call<'_>,
    (watch, state): (&Arc<Watch>, Option<Bytes>),
) -> Result<Ended, Fault> {
    let (port, mut inbox) = port::open(call.limits.memory);
    let mut flying = Flying::new(host, call.limits.calls, inbox.load.clone());
    let setup = Setup {
        code: script.0.code.clone(),
        entry: script.0.entry.clone(),
        origin: script.0.origin.clone(),
        surface: call.surface.to_json(),
        arguments: call.arguments.to_vec(),
        state,
        limits: call.limits,
        port,
        watch: watch.clone(),
    };
    let mut slice = Slice::begin(sandbox, script, watch, move || Machine::start(setup));
    let finished = loop {
        let mut ready = Vec::new();
        let step = beside(&mut slice, &mut inbox, &mut flying, &mut ready, host).await;
        match step.ok_or_else(|| Fault::new(FaultKind::Internal, "the script's engine failed"))? {
            Step::Finished(finished) => break finished,
            Step::Waiting(machine) => {
                if !answers(&mut flying, &mut ready).await {
                    return Err(machine.stalled());
                }
                slice = Slice::begin(sandbox, script, watch, move || machine.resume(ready));
            }
        }
    };
    farewell(&finished, &inbox, &flying, host);
    finished.result
}

/// While the engine computes: begins its calls, hands on its notes, collects answers.
async fn beside(
    slice: &mut Slice,
    inbox: &mut Inbox,
    flying: &mut Flying<'_>,
    ready: &mut Vec<Settled>,
    host: &dyn Host,
) -> Option<Step> {
    let step = loop {
        tokio::select! {
            biased;
            step = &mut slice.step => break step.ok(),
            Some(request) = inbox.requests.recv() => flying.begin(request),
            Some(note) = inbox.notes.recv() => tell(host, &note),
            settled = flying.next() => ready.push(settled),
        }
    };
    // What it left when it stopped.
    while let Ok(request) = inbox.requests.try_recv() {
        flying.begin(request);
    }
    while let Ok(note) = inbox.notes.try_recv() {
        tell(host, &note);
    }
    step
}

/// While the engine waits: at least one answer, and all that are there by then. `false` when none will come.
async fn answers(flying: &mut Flying<'_>, ready: &mut Vec<Settled>) -> bool {
    if ready.is_empty() {
        if flying.is_empty() {
            return false;
        }
        ready.push(flying.next().await);
    }
    while let Some(settled) = flying.next().now_or_never() {
        ready.push(settled);
    }
    true
}

fn tell(host: &dyn Host, note: &Note) {
    match note {
        Note::Log { level, text } => host.log(*level, text),
        Note::Progress { done, total, message } => host.progress(*done, *total, message),
    }
}

/// Nothing is dropped silently.
fn farewell(finished: &Finished, inbox: &Inbox, flying: &Flying<'_>, host: &dyn Host) {
    if inbox.load.lost() > 0 {
        let text = format!("{} log lines or progress notes came too fast and were left out", inbox.load.lost());
        host.log(Level::Warning, &text);
    }
    if finished.result.is_err() {
        return;
    }
    if flying.unanswered() > 0 {
        let text = format!(
            "the script ended before {} of its calls had an answer; they were cancelled. Put `await` before each call.",
            flying.unanswered()
        );
        host.log(Level::Warning, &text);
    }
    if finished.unhandled > 0 {
        let text = format!("{} promises were rejected and nothing handled them", finished.unhandled);
        host.log(Level::Warning, &text);
    }
}

const COMPUTING: u8 = 0;
const DONE: u8 = 1;
const ABANDONED: u8 = 2;

/// One stretch of computing on a worker. Dropped before its end, it stops the engine.
struct Slice {
    step: oneshot::Receiver<Step>,
    guard: Arc<Guard>,
}

struct Guard {
    state: AtomicU8,
    script: Arc<Inner>,
    watch: Arc<Watch>,
}

impl Slice {
    fn begin(
        sandbox: &Sandbox,
        script: &Script,
        watch: &Arc<Watch>,
        work: impl FnOnce() -> Step + Send + 'static,
    ) -> Self {
        let guard = Arc::new(Guard { state: AtomicU8::new(COMPUTING), script: script.0.clone(), watch: watch.clone() });
        let (answer, step) = oneshot::channel();
        let end = End(guard.clone());
        sandbox.workers.submit(move || {
            let end = end;
            if end.0.watch.is_stopped() {
                return;
            }
            let step = work();
            drop(end);
            // A machine that nobody waits for is dropped here, on the worker.
            let _ = answer.send(step);
        });
        Self { step, guard }
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        let Guard { state, script, watch } = &*self.guard;
        // Counted first, so that the worker never takes away what is not there.
        script.abandoned.fetch_add(1, Ordering::Relaxed);
        if state.compare_exchange(COMPUTING, ABANDONED, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            watch.stop();
        } else {
            script.abandoned.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The worker's end of a slice, also when the job panics or never begins.
struct End(Arc<Guard>);

impl Drop for End {
    fn drop(&mut self) {
        if self.0.state.swap(DONE, Ordering::AcqRel) == ABANDONED {
            self.0.script.abandoned.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
