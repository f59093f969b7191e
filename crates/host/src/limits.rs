//! Limits of what a host does itself.

use std::time::Duration;

/// Longest look at one database at create time.
pub const CATALOGUE_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest check of one statement at create time.
pub const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(10);
/// Statements that are checked at once.
pub const DESCRIBE_CONCURRENCY: usize = 4;
/// Most rounds of describing and refining a plan.
pub const REFINE_ROUNDS_MAX: usize = 3;
/// Largest file behind `${file:…}`, bytes.
pub const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;
/// Longest key that a caller may show, bytes: longer ones are refused without being looked at.
pub const KEY_BYTES_MAX: usize = 4 * 1024;
/// Lists that are kept for groups and for URLs that set parameters; more are made each time.
pub const VIEWS_KEPT: usize = 64;
/// Most calls that wait for the answer of a person behind a stateless client.
pub const WAITING_CALLS_MAX: usize = 1_000;
/// Most bytes of answers that travel with a stateless client; a call with more waits at the server.
pub const ASKED_STATE_BYTES_MAX: usize = 16 * 1024;
/// Largest result of a task that is kept, bytes of JSON.
pub const TASK_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Largest file of tasks, bytes.
pub const TASKS_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// How long a task and its result are kept, milliseconds.
pub const TASK_TTL_MS: u64 = 24 * 60 * 60 * 1_000;
/// Longest wait for the secrets of Doppler.
pub const DOPPLER_TIMEOUT: Duration = Duration::from_secs(10);
/// Most secrets of Doppler, bytes.
pub const DOPPLER_BYTES_MAX: usize = 4 * 1024 * 1024;
