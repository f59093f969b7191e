-- What is derived from all servers looks here whether one of them changed.
CREATE INDEX servers_by_update ON servers (updated_at);

-- What was done, in order. Each row holds a hash over itself and the hash of the row before it.
CREATE TABLE audit (
    seq         BIGINT PRIMARY KEY,
    time        TEXT COLLATE "C" NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('change', 'call', 'note')),
    operation   TEXT COLLATE "C" NOT NULL,
    caller      TEXT COLLATE "C" NOT NULL,
    owner       TEXT COLLATE "C" NOT NULL,
    subject     TEXT COLLATE "C" NOT NULL,
    request     TEXT COLLATE "C" NOT NULL,
    outcome     TEXT COLLATE "C" NOT NULL,
    details     TEXT NOT NULL,
    hash        TEXT NOT NULL
);

CREATE INDEX audit_of_subject ON audit (subject, seq);
CREATE INDEX audit_of_caller ON audit (caller, seq);

-- What the oldest row that is kept follows.
CREATE TABLE audit_start (
    id          BIGINT PRIMARY KEY CHECK (id = 1),
    seq         BIGINT NOT NULL,
    hash        TEXT NOT NULL
);

INSERT INTO audit_start (id, seq, hash) VALUES (1, 0, '');

-- Calls of tools, summed up for hours and days. Times are seconds since 1970; `latency` is a histogram.
CREATE TABLE usage (
    period      TEXT COLLATE "C" NOT NULL CHECK (period IN ('hour', 'day')),
    start       BIGINT NOT NULL,
    server      TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    tool        TEXT COLLATE "C" NOT NULL,
    caller      TEXT COLLATE "C" NOT NULL,
    calls       BIGINT NOT NULL,
    errors      BIGINT NOT NULL,
    bytes_in    BIGINT NOT NULL,
    bytes_out   BIGINT NOT NULL,
    micros      BIGINT NOT NULL,
    slowest     BIGINT NOT NULL,
    latency     BYTEA NOT NULL,
    PRIMARY KEY (period, start, server, version, tool, caller)
);
