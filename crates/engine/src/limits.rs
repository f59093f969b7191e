//! Every limit of a call that a spec does not set itself.

use std::time::Duration;

/// Deepest accepted nesting of arguments.
pub const ARGUMENT_DEPTH_MAX: usize = 32;
/// Most problems told about the arguments of one call; the rest is counted.
pub const PROBLEMS_MAX: usize = 8;
/// Longest shown piece of what a caller sent, characters.
pub const SHOWN_CHARS_MAX: usize = 60;
/// Longest JSON pointer to a problem, characters.
pub const POINTER_CHARS_MAX: usize = 200;
/// Most bytes that the elements of a batch are given of the call's other arguments, which each element needs a copy of.
pub const BATCH_COPIES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How often a schema that refers to itself is written out for looking at its parts.
pub const INLINED_DEPTH_MAX: usize = 5;
/// Longest example of a correct call, bytes.
pub const EXAMPLE_BYTES_MAX: usize = 600;
/// Most values listed where one of a set is asked for.
pub const CHOICES_SHOWN_MAX: usize = 20;
/// Largest answer that is checked against its output schema on every call, bytes. The types of larger ones still come
/// from the same column targets.
pub const CHECKED_BYTES_MAX: usize = 64 * 1024;
/// Longest cursor that is looked at, bytes.
pub const CURSOR_BYTES_MAX: usize = 8 * 1024;
/// Statements of one script's connection that are kept read; a script that makes up more of them has them read each time.
pub const SCRIPT_STATEMENTS_KEPT: usize = 64;
/// Most files that one call reads.
pub const FILES_READ_MAX: usize = 100;
/// Results of a search by meaning that does not say how many.
pub const VECTOR_RESULTS: usize = 10;
/// Shortest secret that is masked, bytes: a shorter one would mask ordinary words.
pub const MASKED_BYTES_MIN: usize = 6;
/// Timers whose tools run at once.
pub const TIMERS_AT_ONCE: usize = 8;
/// How long a timer is held by a process that says nothing more: after that another one, or the next, takes it.
pub const TIMER_HOLD: Duration = Duration::from_secs(30);
/// Wait before a timer that failed is tried again, times the number of attempts.
pub const TIMER_BACKOFF: Duration = Duration::from_secs(10);
/// Longest time between two looks at timers: other processes may set some of the same server.
pub const TIMER_LOOK: Duration = Duration::from_secs(5);
/// Shortest time between two looks.
pub const TIMER_LEAST: Duration = Duration::from_millis(10);
/// Attempts after which a timer is given up.
pub const TIMER_ATTEMPTS_MAX: u32 = 10;
/// Deepest chain of tools that call each other: each link needs room on the stack while it is worked on.
pub const CALL_DEPTH_MAX: usize = 4;
/// Longest time that the questions of one script may take, in all.
pub const ASKING_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How often a person is asked for the same values when what they give cannot be used.
pub const ASK_ROUNDS_MAX: usize = 3;
/// Bytes of a program's standard error that are kept: the last ones.
pub const COMMAND_ERROR_BYTES: usize = 8 * 1024;
/// Most bytes of a program's arguments: what systems commonly take.
pub const COMMAND_ARGUMENT_BYTES_MAX: usize = 128 * 1024;
/// Backtracking steps of one `pattern` match before it is given up.
pub const PATTERN_STEPS_MAX: usize = 100_000;
/// Largest compiled `pattern`, bytes.
pub const PATTERN_BYTES_MAX: usize = 1024 * 1024;
/// Most values that one completion offers (MCP: at most 100).
pub const COMPLETIONS_MAX: usize = 100;
/// Bytes that an answer's buffer has from the start.
pub const ANSWER_BYTES_MIN: usize = 512;
/// Largest result of an action whose result is shaped, bytes: what is given of it keeps to `limits.resultBytes`.
pub const SHAPED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest shown piece of what an upstream said in an error, characters.
pub const UPSTREAM_CHARS_MAX: usize = 500;
/// Largest body of an upstream's error that is given to programs, bytes.
pub const UPSTREAM_BODY_BYTES_MAX: usize = 4 * 1024;
