//! The HTTP face: MCP endpoints, later REST and the console. Decides nothing that an operation could decide.
