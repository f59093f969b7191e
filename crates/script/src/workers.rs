//! Threads that scripts compute on. They are the sandbox's own, so that a script which computes for long, or cannot be
//! stopped, holds up neither the server's tasks nor the end of the process.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::limits::{PATIENCE, STACK_BYTES, THREAD_IDLE, THREADS_BEYOND};

/// Stack of a thread: the script's, and room for the engine's own functions and for ours.
const THREAD_STACK_BYTES: usize = STACK_BYTES + (1 << 20);

type Job = Box<dyn FnOnce() + Send>;

/// A pool that starts threads when there is work and lets them go when there is none.
#[derive(Clone)]
pub(crate) struct Workers(Arc<Pool>);

struct Pool {
    state: Mutex<State>,
    wake: Condvar,
    /// Threads that are started whenever there is work.
    usual: usize,
    max: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<(Instant, Job)>,
    threads: usize,
    idle: usize,
    /// Whether somebody looks after work that waits.
    is_watched: bool,
}

impl Workers {
    /// A pool of at most `max` threads.
    pub(crate) fn new(max: usize) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let max = max.max(1);
        let usual = (processors + THREADS_BEYOND).min(max);
        Self(Arc::new(Pool { state: Mutex::default(), wake: Condvar::new(), usual, max }))
    }

    /// Runs a job when there is a thread for it. Jobs come from runs, which are limited in number.
    pub(crate) fn submit(&self, job: impl FnOnce() + Send + 'static) {
        let mut state = self.0.state.lock();
        state.jobs.push_back((Instant::now(), Box::new(job)));
        if state.jobs.len() <= state.idle {
            drop(state);
            self.0.wake.notify_one();
        } else if state.threads < self.0.usual {
            self.start(&mut state);
        } else if state.threads < self.0.max && !state.is_watched {
            // Those who work may do so for long.
            let pool = self.clone();
            let watch = std::thread::Builder::new().name("script-watch".to_owned());
            match watch.spawn(move || pool.watch()) {
                Ok(_) => state.is_watched = true,
                Err(error) => tracing::warn!(%error, "cannot start a thread that looks after scripts"),
            }
        }
    }

    /// Starts threads for work that waits for too long, until nothing waits.
    fn watch(&self) {
        loop {
            std::thread::park_timeout(PATIENCE / 2);
            let mut state = self.0.state.lock();
            match state.jobs.front() {
                None => return state.is_watched = false,
                Some((since, _)) if since.elapsed() >= PATIENCE && state.threads < self.0.max => self.start(&mut state),
                Some(_) => {}
            }
        }
    }

    fn start(&self, state: &mut State) {
        let pool = self.0.clone();
        let thread = std::thread::Builder::new().name("script".to_owned()).stack_size(THREAD_STACK_BYTES);
        match thread.spawn(move || pool.work()) {
            Ok(_) => state.threads += 1,
            Err(error) => {
                tracing::error!(%error, "cannot start a thread for scripts");
                if state.threads == 0 {
                    // Nobody will come for them; dropping a job tells who waits for it.
                    state.jobs.clear();
                }
            }
        }
    }
}

impl Pool {
    fn work(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some((_, job)) = state.jobs.pop_front() {
                drop(state);
                // Whoever waits for the job sees that its channel has closed.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.state.lock();
                continue;
            }
            state.idle += 1;
            let timeout = self.wake.wait_for(&mut state, THREAD_IDLE);
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_panic_costs_a_job_and_no_thread() {
        let workers = Workers::new(1);
        workers.submit(|| panic!("for the test"));
        let (done, wait) = mpsc::channel();
        workers.submit(move || done.send(7).unwrap_or_default());
        assert_eq!(wait.recv_timeout(Duration::from_secs(10)), Ok(7));
    }

    #[test]
    fn what_computes_for_long_keeps_nobody_out_and_what_computes_for_a_moment_needs_few_threads() {
        let workers = Workers::new(32);
        for _ in 0..200 {
            workers.submit(|| std::thread::park_timeout(Duration::from_micros(50)));
        }
        assert!(workers.0.state.lock().threads <= workers.0.usual);
        let (begin, hogs) = mpsc::channel::<()>();
        let hogs = Arc::new(Mutex::new(hogs));
        for _ in 0..workers.0.usual {
            let hogs = hogs.clone();
            workers.submit(move || {
                let _ = hogs.lock().recv_timeout(Duration::from_secs(20));
            });
        }
        let (done, wait) = mpsc::channel();
        workers.submit(move || done.send(7).unwrap_or_default());
        assert_eq!(wait.recv_timeout(Duration::from_secs(10)), Ok(7));
        drop(begin);
    }

    #[test]
    fn jobs_run_side_by_side() {
        let workers = Workers::new(4);
        let barrier = Arc::new(std::sync::Barrier::new(4));
        let (done, wait) = mpsc::channel();
        for _ in 0..4 {
            let (barrier, done) = (barrier.clone(), done.clone());
            workers.submit(move || {
                barrier.wait();
                done.send(()).unwrap_or_default();
            });
        }
        for _ in 0..4 {
            assert_eq!(wait.recv_timeout(Duration::from_secs(10)), Ok(()));
        }
    }
}
