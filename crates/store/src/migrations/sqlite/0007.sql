-- What is derived from all servers looks here whether one of them changed.
CREATE INDEX servers_by_update ON servers (updated_at);

-- What was done, in order. Each row holds a hash over itself and the hash of the row before it.
CREATE TABLE audit (
    seq         INTEGER PRIMARY KEY,
    time        TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('change', 'call', 'note')),
    operation   TEXT NOT NULL,
    caller      TEXT NOT NULL,
    owner       TEXT NOT NULL,
    subject     TEXT NOT NULL,
    request     TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    details     TEXT NOT NULL,
    hash        TEXT NOT NULL
) STRICT;

CREATE INDEX audit_of_subject ON audit (subject, seq);
CREATE INDEX audit_of_caller ON audit (caller, seq);

-- What the oldest row that is kept follows.
CREATE TABLE audit_start (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    seq         INTEGER NOT NULL,
    hash        TEXT NOT NULL
) STRICT;

INSERT INTO audit_start (id, seq, hash) VALUES (1, 0, '');

-- Calls of tools, summed up for hours and days. Times are seconds since 1970; `latency` is a histogram.
CREATE TABLE usage (
    period      TEXT NOT NULL CHECK (period IN ('hour', 'day')),
    start       INTEGER NOT NULL,
    server      TEXT NOT NULL,
    version     TEXT NOT NULL,
    tool        TEXT NOT NULL,
    caller      TEXT NOT NULL,
    calls       INTEGER NOT NULL,
    errors      INTEGER NOT NULL,
    bytes_in    INTEGER NOT NULL,
    bytes_out   INTEGER NOT NULL,
    micros      INTEGER NOT NULL,
    slowest     INTEGER NOT NULL,
    latency     BLOB NOT NULL,
    PRIMARY KEY (period, start, server, version, tool, caller)
) STRICT, WITHOUT ROWID;
