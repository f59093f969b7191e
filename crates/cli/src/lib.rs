//! Arguments to operations; printing, progress, JSON output. Knows no HTTP handler and no SQL.
