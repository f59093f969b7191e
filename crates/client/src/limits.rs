//! Every limit of a client.

use std::time::Duration;

/// Longest wait until another server is ready: its program is started, the connection is there, the session is open.
pub const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for the answer of a server that is asked whether it speaks a stateless revision.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// After a server could not be reached, it is left alone for this long; calls are answered at once.
pub const REST: Duration = Duration::from_secs(1);
/// Largest message of another server, bytes.
pub const MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// Largest line of a program's standard error that is logged, bytes; the rest of the line is left out.
pub const LOG_LINE_BYTES_MAX: usize = 2 * 1024;
/// Most bytes of a program's standard error that are logged; what follows is read and thrown away.
pub const LOG_BYTES_MAX: usize = 1024 * 1024;
/// The last lines of standard error that an error quotes, bytes.
pub const QUOTED_BYTES_MAX: usize = 600;
/// Most pages of a list that are read.
pub const PAGES_MAX: usize = 50;
/// Most tools of another server that are looked at.
pub const TOOLS_MAX: usize = 2_000;
/// Most times that a stream which the server closed before the answer is taken up again.
pub const RESUMES_MAX: usize = 100;
/// Wait before a closed stream is taken up again.
pub const RESUME_WAIT: Duration = Duration::from_millis(500);
/// Longest wait until a notification is sent, such as that of a cancellation.
pub const NOTIFY_TIMEOUT: Duration = Duration::from_secs(5);
/// Rounds of questions within one call of a stateless server.
pub const ROUNDS_MAX: usize = 16;
/// Questions of one call that wait to be asked; further ones are refused.
pub const QUESTIONS_MAX: usize = 16;
/// Longest answer of a server over Streamable HTTP that asks people meanwhile.
pub const ASKING_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Messages of a server that wait for the call which they belong to; further ones are dropped: they tell progress.
pub const NOTES_MAX: usize = 64;
/// Requests of a client of a bridge that wait for their answers; further ones are refused.
pub const BRIDGED_MAX: usize = 256;
/// Messages on their way to the client of a bridge; the server waits when it does not read them.
pub const BRIDGE_QUEUE: usize = 64;
/// Longest wait for answers, and for the end of what runs, after the client of a bridge has closed its end.
pub const BRIDGE_DRAIN: Duration = Duration::from_secs(5);
/// How often is looked whether every request of a bridge is answered.
pub const BRIDGE_LOOK: Duration = Duration::from_millis(5);
/// How long a server that went away is looked for before a request is answered with an error.
pub const RENEW_TIMEOUT: Duration = Duration::from_secs(10);
/// Wait between two tries to reach a server that went away.
pub const RENEW_PAUSE: Duration = Duration::from_millis(250);
/// Longest wait for metadata, a registration or a token.
pub const METADATA_TIMEOUT: Duration = Duration::from_secs(20);
/// Largest answer with one of these, bytes.
pub const METADATA_BYTES_MAX: usize = 256 * 1024;
/// Most tokens that one request is sent with: one that is old, one that is new, one with more scopes.
pub const TOKENS_MAX: usize = 3;
/// Most times that one message of a bridge is sent anew.
pub const RENEWALS_MAX: usize = 3;
