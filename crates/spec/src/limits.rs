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
pub const TIMEOUT_MS_MAX: u64 = 3_600_000;
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
