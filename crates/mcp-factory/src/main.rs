//! The one binary: `mcp-factory`, and under other names `mcp-create`, `mcp-list` and so on.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
