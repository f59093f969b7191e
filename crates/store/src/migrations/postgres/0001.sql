CREATE TABLE migrations (
    number      BIGINT PRIMARY KEY,
    applied_at  TEXT NOT NULL
);

CREATE TABLE servers (
    name        TEXT COLLATE "C" PRIMARY KEY,
    current     TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
);

-- A version is not changed after it was made; only `create --force` replaces it as a whole.
CREATE TABLE versions (
    name         TEXT COLLATE "C" NOT NULL REFERENCES servers (name) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    version      TEXT NOT NULL,
    digest       TEXT NOT NULL,
    title        TEXT,
    description  TEXT,
    transport    TEXT NOT NULL,
    tools        BIGINT NOT NULL,
    source       TEXT NOT NULL,
    format       TEXT NOT NULL CHECK (format IN ('yaml', 'json')),
    canonical    TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    PRIMARY KEY (name, version)
);

ALTER TABLE servers ADD FOREIGN KEY (name, current) REFERENCES versions (name, version) DEFERRABLE INITIALLY DEFERRED;

-- Every plan that was stored is kept; the one with the highest revision is what runs.
CREATE TABLE plans (
    name        TEXT COLLATE "C" NOT NULL,
    version     TEXT NOT NULL,
    revision    BIGINT NOT NULL,
    plan        TEXT NOT NULL,
    dev         BIGINT NOT NULL CHECK (dev IN (0, 1)),
    created_at  TEXT NOT NULL,
    PRIMARY KEY (name, version, revision),
    FOREIGN KEY (name, version) REFERENCES versions (name, version) ON DELETE CASCADE
);
