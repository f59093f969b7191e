-- People. A password is kept as an Argon2id hash; an account without one was invited and has not answered yet.
-- Times are seconds since 1970.
CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    role          TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    password      TEXT,
    created_at    INTEGER NOT NULL,
    signed_in_at  INTEGER
) STRICT, WITHOUT ROWID;

-- Links that are used once, as keyed hashes: to set the password of an account, or, without one, to make the first.
CREATE TABLE account_links (
    hash        BLOB PRIMARY KEY,
    account     TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Browsers and programs that signed in, as keyed hashes.
CREATE TABLE account_sessions (
    hash        BLOB PRIMARY KEY,
    account     TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_sessions_of_account ON account_sessions (account, created_at);
