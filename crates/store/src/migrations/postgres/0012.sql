-- Calls in the audit log, many in a row: they are by far most of it. A row stands for the entries `first_seq` to `last_seq`;
-- `follows` is the hash of the entry before them, `hash` that of the last one.
CREATE TABLE audit_calls (
    last_seq    BIGINT PRIMARY KEY,
    first_seq   BIGINT NOT NULL,
    ended       TEXT COLLATE "C" NOT NULL,
    follows     TEXT COLLATE "C" NOT NULL,
    hash        TEXT COLLATE "C" NOT NULL,
    entries     TEXT COLLATE "C" NOT NULL
);

-- Which rows of calls hold one of a caller, about a subject, or one that failed.
CREATE TABLE audit_calls_of (
    word        TEXT COLLATE "C" NOT NULL,
    last_seq    BIGINT NOT NULL,
    PRIMARY KEY (word, last_seq)
);
