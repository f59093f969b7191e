//! The catalogue of servers and their versions on an embedded SQLite file. Its callers write no SQL.
