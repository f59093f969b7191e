//! Every limit of the spec language, with its default. Over a limit is a named error.

/// Largest accepted document, bytes.
pub const DOCUMENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Deepest accepted nesting of mappings and sequences.
pub const DEPTH_MAX: usize = 64;
/// Most nodes in a document, aliases expanded: the guard against alias bombs.
pub const NODES_MAX: usize = 100_000;
/// Most problems reported for one document; the rest is counted.
pub const DIAGNOSTICS_MAX: usize = 200;
/// Longest tool name, characters (what model APIs commonly take).
pub const TOOL_NAME_CHARS_MAX: usize = 64;
/// Longest server name, characters.
pub const SERVER_NAME_CHARS_MAX: usize = 64;
/// Most tools in one spec.
pub const TOOLS_MAX: usize = 1_000;
/// Longest description, characters.
pub const DESCRIPTION_CHARS_MAX: usize = 8_192;
/// Most parameters of one tool.
pub const PARAMETERS_MAX: usize = 128;

/// Default of `limits.timeoutMs`: one call, milliseconds.
pub const TIMEOUT_MS: u64 = 30_000;
/// Largest `timeoutMs` anywhere, milliseconds.
pub const TIMEOUT_MS_MAX: u64 = 7_200_000;
/// Default of `limits.rows`: rows of one answer.
pub const ROWS: u64 = 1_000;
/// Largest `limits.rows`.
pub const ROWS_MAX: u64 = 100_000;
/// Default of `limits.resultBytes`: one answer, bytes.
pub const RESULT_BYTES: u64 = 1024 * 1024;
/// Largest `limits.resultBytes`.
pub const RESULT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Default of `limits.concurrency`: calls of one server under way at once.
pub const CONCURRENCY: u64 = 64;
/// Default of `limits.argumentBytes`: the arguments of one call, bytes.
pub const ARGUMENT_BYTES: u64 = 256 * 1024;
/// Default of `pool.max`: connections to one database.
pub const POOL_MAX: u64 = 10;
/// Default of `pool.acquireTimeoutMs`: wait for a free connection, milliseconds.
pub const ACQUIRE_TIMEOUT_MS: u64 = 5_000;
/// Default of `pool.idleTimeoutMs`: an unused connection is closed after this, milliseconds.
pub const IDLE_TIMEOUT_MS: u64 = 300_000;
/// Default page size where `page` gives none.
pub const PAGE_SIZE: u64 = 50;
/// Largest page size.
pub const PAGE_SIZE_MAX: u64 = 1_000;
/// Largest `limits.concurrency`.
pub const CONCURRENCY_MAX: u64 = 10_000;
/// Largest `limits.argumentBytes`, bytes.
pub const ARGUMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Largest `pool.max`.
pub const POOL_SIZE_MAX: u64 = 1_000;
/// Most values of one `enum`.
pub const ENUM_MAX: usize = 1_000;
/// Longest name of a parameter, a connection or a prompt, characters.
pub const NAME_CHARS_MAX: usize = 64;
/// Largest compiled regular expression of a `pattern`, bytes.
pub const PATTERN_BYTES_MAX: usize = 1024 * 1024;
/// Default of `rateLimit.periodMs`: the period of a connection's rate limit, milliseconds.
pub const RATE_PERIOD_MS: u64 = 1_000;
/// Default of `retries.max`: attempts after the first one.
pub const RETRIES: u64 = 2;
/// Largest `retries.max`.
pub const RETRIES_MAX: u64 = 10;
/// Default of `retries.backoffMs`: wait before the first repetition, milliseconds.
pub const BACKOFF_MS: u64 = 200;
/// Default of `retries.waitMaxMs`: longest wait before a repetition, milliseconds.
pub const RETRY_WAIT_MS: u64 = 10_000;
/// Default of `limits.connectTimeoutMs` of a connection: wait for a socket, milliseconds.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// Most bytes of a file that are read at once.
pub const FILE_READ_BYTES: u64 = 8 * 1024 * 1024;
/// Most bytes of a file that are written at once.
pub const FILE_WRITE_BYTES: u64 = 64 * 1024 * 1024;
/// Most bytes of a file, whatever a spec says.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Most entries of a page of a list.
pub const FILE_ENTRIES: u64 = 1_000;
/// Most entries of a page of a list, whatever a spec says. S3 gives no more at once.
pub const FILE_ENTRIES_MAX: u64 = 1_000;
/// Most files that a search gives.
pub const FILE_MATCHES: u64 = 200;
/// Most files that a search gives, whatever a spec says.
pub const FILE_MATCHES_MAX: u64 = 10_000;
/// Most bytes that a search reads.
pub const FILE_SEARCH_BYTES: u64 = 64 * 1024 * 1024;
/// Most rows that a search by meaning in SQLite looks at.
pub const VECTOR_SCAN_ROWS: u64 = 100_000;
/// Most rows that a search by meaning in SQLite looks at, whatever a spec says.
pub const VECTOR_SCAN_ROWS_MAX: u64 = 1_000_000;
/// Most numbers of a vector.
pub const VECTOR_DIMENSIONS_MAX: u64 = 8_192;
/// Longest name of a table with vectors, characters: what PostgreSQL takes.
pub const VECTOR_NAME_MAX: usize = 63;
/// Default of `limits.requestBytes` and `limits.answerBytes` of a connection, bytes.
pub const HTTP_BODY_BYTES: u64 = 8 * 1024 * 1024;
/// Largest body of a request or an answer, bytes.
pub const HTTP_BODY_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Default of `cache.bytes` of a connection, bytes.
pub const HTTP_CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// Largest `limits.concurrency` of a connection: requests under way at once.
pub const HTTP_CONCURRENCY_MAX: u64 = 10_000;
/// Default of `limits.waiting` of a connection: requests that wait for their turn.
pub const HTTP_WAITING: u64 = 1_000;
/// Largest `limits.waiting` of a connection.
pub const HTTP_WAITING_MAX: u64 = 100_000;
/// Default of `limits.redirects` of a connection.
pub const REDIRECTS: u64 = 5;
/// Largest `limits.redirects` of a connection.
pub const REDIRECTS_MAX: u64 = 20;
/// Deepest path of a field in `shape`.
pub const SHAPE_DEPTH_MAX: usize = 16;
/// Default of `pages.max` of an `http` action: pages that are followed.
pub const HTTP_PAGES: u64 = 10;
/// Largest `pages.max` of an `http` action.
pub const HTTP_PAGES_MAX: u64 = 1_000;
/// Default of `events.max` of an `http` action: events that are kept.
pub const HTTP_EVENTS: u64 = 1_000;
/// Largest `events.max` of an `http` action.
pub const HTTP_EVENTS_MAX: u64 = 100_000;
/// Most steps of a tool.
pub const STEPS_MAX: usize = 50;
/// Default of `parallel` of a step: items that are worked on at once.
pub const STEP_PARALLEL: u64 = 8;
/// Largest `parallel` of a step.
pub const STEP_PARALLEL_MAX: u64 = 64;
/// Default of `everyMs` of a step: the time between two attempts, milliseconds.
pub const STEP_EVERY_MS: u64 = 1_000;
/// Default of `withinMs` of a step: how long it is tried, milliseconds.
pub const STEP_WITHIN_MS: u64 = 60_000;
/// Default of `timeoutMs` of a question to a person: how long they have for an answer, milliseconds.
pub const ASK_MS: u64 = 5 * 60_000;
/// Largest `timeoutMs` of a question to a person, milliseconds. What clients bring back for a call is kept a little longer.
pub const ASK_MS_MAX: u64 = 10 * 60_000;
/// Default of `state.valueBytes`: one value, bytes of JSON.
pub const STATE_VALUE_BYTES: u64 = 1024 * 1024;
/// Largest `state.valueBytes`.
pub const STATE_VALUE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Default of `state.fileBytes`: all that a server remembers, bytes.
pub const STATE_FILE_BYTES: u64 = 256 * 1024 * 1024;
/// Largest `state.fileBytes`.
pub const STATE_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// Default of `state.timers`: timers that are set at once.
pub const STATE_TIMERS: u64 = 10_000;
/// Largest `state.timers`.
pub const STATE_TIMERS_MAX: u64 = 1_000_000;
/// Largest `cpuMs` of a script: processor time of one run, milliseconds.
pub const SCRIPT_CPU_MS_MAX: u64 = 120_000;
/// Default of `concurrency` of a `command` action: runs of its program at once.
pub const COMMAND_CONCURRENCY: u64 = 4;
/// Largest `concurrency` of a `command` action.
pub const COMMAND_CONCURRENCY_MAX: u64 = 64;
/// Most arguments of a program.
pub const COMMAND_ARGUMENTS_MAX: usize = 256;
/// Longest expression or template, bytes.
pub const TEMPLATE_BYTES_MAX: usize = 64 * 1024;
/// Steps that one evaluation of an expression or a template may take.
pub const TEMPLATE_FUEL: u64 = 100_000;
/// Largest text that one template may make, bytes.
pub const TEMPLATE_OUTPUT_BYTES_MAX: usize = 16 * 1024 * 1024;
