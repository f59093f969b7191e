-- Who may use what, and how much: rules and quotas as JSON documents, each by its name. `policies` in `counters` goes up
-- with every change of one.
CREATE TABLE policies (
    kind        TEXT NOT NULL CHECK (kind IN ('rule', 'quota')),
    name        TEXT NOT NULL,
    owner       TEXT NOT NULL,
    document    TEXT NOT NULL,
    changed_at  TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

INSERT INTO counters (name, value) VALUES ('policies', 0);

-- What each owner used of a day (UTC).
CREATE TABLE spent (
    owner  TEXT NOT NULL,
    day    TEXT NOT NULL,
    calls  INTEGER NOT NULL,
    bytes  INTEGER NOT NULL,
    PRIMARY KEY (owner, day)
) STRICT, WITHOUT ROWID;
