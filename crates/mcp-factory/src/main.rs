//! The one binary: `mcp-factory`, and under other names `mcp-create`, `mcp-list` and so on.

use std::process::ExitCode;

/// Calls allocate much that is small and short-lived, on several threads: this one is faster at it than the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
