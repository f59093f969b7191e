//! Puts a compiled toolset on the wire: joins engine and protocol.
