//! MCP on the wire: every revision in use, three transports, any toolset. Knows no connector.
