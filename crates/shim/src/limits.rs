//! Every limit of the shim, with its default.

use std::time::Duration;

/// How far the time of a request may be from this machine's clock.
pub const CLOCK_WINDOW: Duration = Duration::from_secs(300);
/// Signatures that are remembered at once. When there are more within the window, requests are refused.
pub const SIGNATURES_MAX: usize = 100_000;
/// Largest body of a request, bytes.
pub const BODY_BYTES_MAX: usize = 2 << 20;
/// Longest prompt that is given to a program as an argument, bytes: Linux takes no longer argument than 128 KiB. `droid exec` is given a
/// longer one in a file.
pub const ARGUMENT_BYTES_MAX: usize = (128 << 10) - 1;
/// Longest wait for the head or the body of a request.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections that are open at once.
pub const CONNECTIONS_MAX: usize = 1_024;
/// Default of `--concurrency`: programs that run at once.
pub const RUNS: usize = 4;
/// Default of `--timeout`: longest run of a program.
pub const RUN_TIME: Duration = Duration::from_secs(3600);
/// Default of `--max-output`: most bytes of a program's output.
pub const OUTPUT_BYTES: usize = 8 << 20;
/// Longest line of a program's output, bytes. A longer one is handed on in pieces.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// Bytes of a program's standard error that are kept: the last ones.
pub const ERROR_BYTES: usize = 8 << 10;
/// Time that a program has to end after its conversation is over.
pub const CLOSING_TIME: Duration = Duration::from_secs(5);
/// Time that is waited for what a program that has ended left in its output.
pub const DRAIN_TIME: Duration = Duration::from_secs(1);
/// Time between two signs of life while a program says nothing, so that tunnels keep the connection.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Events that wait for a slow caller.
pub const EVENTS_WAITING_MAX: usize = 64;
/// Messages to an agent that it has not read yet.
pub const SAYINGS_WAITING_MAX: usize = 64;
/// Longest name of a session or a mission, characters.
pub const SESSION_CHARS_MAX: usize = 200;
