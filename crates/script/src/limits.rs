//! Every limit of a script, with its default.

use std::time::Duration;

/// Largest text of a script, bytes.
pub const SOURCE_BYTES_MAX: usize = 256 << 10;
/// Memory of one run's engine, bytes.
pub const MEMORY_BYTES: usize = 32 << 20;
/// Least memory limit of a run, bytes: what the largest script needs to be loaded, several times over. The engine's reader of
/// compiled code is not safe when memory ends while it reads.
pub const MEMORY_BYTES_MIN: usize = 8 << 20;
/// Processor time of one run, over all its slices.
pub const CPU: Duration = Duration::from_secs(2);
/// Stack of one run, bytes.
pub const STACK_BYTES: usize = 512 << 10;
/// Largest result, bytes of JSON.
pub const OUTPUT_BYTES: usize = 8 << 20;
/// Calls to the host that are under way at once in one run; further ones wait for their turn.
pub const CALLS_AT_ONCE: usize = 64;
/// Calls to the host that one run may have made and not yet got an answer to, `sleep` included.
pub const CALLS_WAITING_MAX: usize = 1_000;
/// Log lines and progress notes of one run that wait for the host; further ones are counted and left out.
pub const NOTES_WAITING_MAX: usize = 256;
/// Longest log line or progress message, bytes; the rest is cut off.
pub const NOTE_BYTES_MAX: usize = 8 << 10;
/// Runs under way at once in one sandbox; further ones wait for their turn. Most of them wait for something and hold little: long
/// watches must not keep others out. How many a server may have is its `limits.concurrency`.
pub const RUNS_AT_ONCE: usize = 2_048;
/// Threads of a sandbox. A run needs one only while it computes.
pub const THREADS_MAX: usize = 32;
/// Threads beyond the processors that are started at once. Each further one is started when work has waited for [`PATIENCE`]: what
/// computes for a moment needs none of its own, and the memory that a thread has touched outlives its work.
pub const THREADS_BEYOND: usize = 2;
/// How long work waits for a thread before a further one is started for it.
pub const PATIENCE: Duration = Duration::from_millis(100);
/// How long a thread without work is kept.
pub const THREAD_IDLE: Duration = Duration::from_secs(2);
/// Runs of one script that were given up and still hold a thread, because the engine was inside one long native operation,
/// before the script is refused.
pub const UNSTOPPABLE_MAX: usize = 2;
/// Compiled code that the process keeps, bytes; later scripts are parsed at each run.
pub const BYTECODE_BYTES_MAX: usize = 64 << 20;
/// Processor time of what a script does when it is loaded, outside its function.
pub const LOAD_CPU: Duration = Duration::from_millis(250);
/// Longest wait for a script to be compiled.
pub const COMPILE_WAIT: Duration = Duration::from_secs(20);
/// Lines of an error's trace that are kept.
pub const FRAMES_MAX: usize = 8;
/// Longest text of an error, bytes; the rest is cut off.
pub const MESSAGE_BYTES_MAX: usize = 4 << 10;

/// The limits of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory of the engine, bytes; at least [`MEMORY_BYTES_MIN`].
    pub memory: usize,
    /// Processor time, over all slices of the run.
    pub cpu: Duration,
    /// Stack, bytes; at most [`STACK_BYTES`], which is what the threads are made for.
    pub stack: usize,
    /// The result, bytes of JSON.
    pub output: usize,
    /// Calls to the host that are under way at once.
    pub calls: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: MEMORY_BYTES, cpu: CPU, stack: STACK_BYTES, output: OUTPUT_BYTES, calls: CALLS_AT_ONCE }
    }
}
