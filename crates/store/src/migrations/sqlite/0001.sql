CREATE TABLE migrations (
    number      INTEGER PRIMARY KEY,
    applied_at  TEXT NOT NULL
) STRICT;

CREATE TABLE servers (
    name        TEXT PRIMARY KEY,
    current     TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    FOREIGN KEY (name, current) REFERENCES versions (name, version) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

-- A version is not changed after it was made; only `create --force` replaces it as a whole.
CREATE TABLE versions (
    name         TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    version      TEXT NOT NULL,
    digest       TEXT NOT NULL,
    title        TEXT,
    description  TEXT,
    transport    TEXT NOT NULL,
    tools        INTEGER NOT NULL,
    source       TEXT NOT NULL,
    format       TEXT NOT NULL CHECK (format IN ('yaml', 'json')),
    canonical    TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

-- Every plan that was stored is kept; the one with the highest revision is what runs.
CREATE TABLE plans (
    name        TEXT NOT NULL,
    version     TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    plan        TEXT NOT NULL,
    dev         INTEGER NOT NULL CHECK (dev IN (0, 1)),
    created_at  TEXT NOT NULL,
    PRIMARY KEY (name, version, revision),
    FOREIGN KEY (name, version) REFERENCES versions (name, version) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
