-- Work that goes on after its request was answered.
CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    operation   TEXT NOT NULL,
    owner       TEXT NOT NULL,
    caller      TEXT NOT NULL,
    input       TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    result      TEXT,
    created_at  TEXT NOT NULL,
    started_at  TEXT,
    ended_at    TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_of_owner ON jobs (owner, id);

-- Answers that are given again to a request with the same key. A row without a status is a request that runs.
CREATE TABLE replies (
    owner       TEXT NOT NULL,
    key         TEXT NOT NULL,
    request     TEXT NOT NULL,
    status      INTEGER,
    headers     TEXT NOT NULL DEFAULT '{}',
    body        BLOB,
    created_at  TEXT NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX replies_by_age ON replies (created_at);

-- What is wanted of each deployed server, and what the control plane made of it.
CREATE TABLE deployments (
    name        TEXT PRIMARY KEY REFERENCES servers (name) ON DELETE CASCADE,
    target      TEXT NOT NULL,
    version     TEXT,
    previous    TEXT,
    wanted      TEXT NOT NULL CHECK (wanted IN ('running', 'stopped')),
    generation  INTEGER NOT NULL,
    seen        INTEGER NOT NULL DEFAULT 0,
    state       TEXT NOT NULL,
    serves      TEXT,
    reason      TEXT,
    created_at  TEXT NOT NULL,
    changed_at  TEXT NOT NULL,
    seen_at     TEXT
) STRICT, WITHOUT ROWID;
