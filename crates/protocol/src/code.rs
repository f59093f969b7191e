//! Every JSON-RPC error code that this server can send, in one place.

/// The body is not JSON (JSON-RPC 2.0).
pub const PARSE_ERROR: i32 = -32700;
/// The body is JSON but not an acceptable message (JSON-RPC 2.0).
pub const INVALID_REQUEST: i32 = -32600;
/// Nobody answers to this method (JSON-RPC 2.0).
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The method exists and its parameters are wrong (JSON-RPC 2.0); in 2026-07-28 also: no such resource.
pub const INVALID_PARAMS: i32 = -32602;
/// The server failed (JSON-RPC 2.0).
pub const INTERNAL_ERROR: i32 = -32603;
/// No such resource, up to 2025-11-25. Must not be sent to newer peers.
pub const RESOURCE_NOT_FOUND_LEGACY: i32 = -32002;
/// A request header contradicts the body or is missing (2026-07-28).
pub const HEADER_MISMATCH: i32 = -32020;
/// The request needs a client capability that the client did not declare (2026-07-28).
pub const MISSING_CAPABILITY: i32 = -32021;
/// The revision named by the request is not spoken here (2026-07-28).
pub const UNSUPPORTED_VERSION: i32 = -32022;
/// The HTTP layer refused the request before it was read as MCP (origin, host, media type, session, size). The range
/// -32000..-32019 is left to implementations; clients give it no meaning.
pub const REFUSED: i32 = -32000;
