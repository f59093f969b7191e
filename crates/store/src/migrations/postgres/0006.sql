-- Who may use what, and how much: rules and quotas as JSON documents, each by its name. `policies` in `counters` goes up
-- with every change of one.
CREATE TABLE policies (
    kind        TEXT COLLATE "C" NOT NULL CHECK (kind IN ('rule', 'quota')),
    name        TEXT COLLATE "C" NOT NULL,
    owner       TEXT NOT NULL,
    document    TEXT NOT NULL,
    changed_at  TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);

INSERT INTO counters (name, value) VALUES ('policies', 0);

-- What each owner used of a day (UTC).
CREATE TABLE spent (
    owner  TEXT COLLATE "C" NOT NULL,
    day    TEXT COLLATE "C" NOT NULL,
    calls  BIGINT NOT NULL,
    bytes  BIGINT NOT NULL,
    PRIMARY KEY (owner, day)
);
