-- People. A password is kept as an Argon2id hash; an account without one was invited and has not answered yet.
-- Times are seconds since 1970.
CREATE TABLE accounts (
    id            TEXT COLLATE "C" PRIMARY KEY,
    name          TEXT COLLATE "C" NOT NULL UNIQUE,
    role          TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    password      TEXT,
    created_at    BIGINT NOT NULL,
    signed_in_at  BIGINT
);

-- Links that are used once, as keyed hashes: to set the password of an account, or, without one, to make the first.
CREATE TABLE account_links (
    hash        BYTEA PRIMARY KEY,
    account     TEXT COLLATE "C" REFERENCES accounts (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

-- Browsers and programs that signed in, as keyed hashes.
CREATE TABLE account_sessions (
    hash        BYTEA PRIMARY KEY,
    account     TEXT COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

CREATE INDEX account_sessions_of_account ON account_sessions (account, created_at);
