-- Calls in the audit log, many in a row: they are by far most of it. A row stands for the entries `first_seq` to `last_seq`;
-- `follows` is the hash of the entry before them, `hash` that of the last one.
CREATE TABLE audit_calls (
    last_seq    INTEGER PRIMARY KEY,
    first_seq   INTEGER NOT NULL,
    ended       TEXT NOT NULL,
    follows     TEXT NOT NULL,
    hash        TEXT NOT NULL,
    entries     TEXT NOT NULL
) STRICT;

-- Which rows of calls hold one of a caller, about a subject, or one that failed.
CREATE TABLE audit_calls_of (
    word        TEXT NOT NULL,
    last_seq    INTEGER NOT NULL,
    PRIMARY KEY (word, last_seq)
) STRICT, WITHOUT ROWID;
