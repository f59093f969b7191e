-- The authorization server. Codes and tokens are stored as keyed hashes alone. Times are seconds since 1970.

-- Keys of this store, made once: whoever has the hashes alone cannot test a guess.
CREATE TABLE sealing_keys (
    purpose     TEXT COLLATE "C" PRIMARY KEY,
    key         BYTEA NOT NULL
);

-- Counts changes that other processes must hear of: `revocations` goes up when something lost its force.
CREATE TABLE counters (
    name        TEXT COLLATE "C" PRIMARY KEY,
    value       BIGINT NOT NULL
);

INSERT INTO counters (name, value) VALUES ('revocations', 0);

-- Registered programs, each known to one realm: the server, or the platform, that it may ask.
CREATE TABLE oauth_clients (
    id          TEXT COLLATE "C" PRIMARY KEY,
    realm       TEXT COLLATE "C" NOT NULL,
    document    TEXT NOT NULL,
    secret      BYTEA,
    created_at  BIGINT NOT NULL,
    used_at     BIGINT
);

CREATE INDEX oauth_clients_of_realm ON oauth_clients (realm, used_at, created_at);

-- What a person let a program do. Every code and token hangs on one; it ends as a whole.
CREATE TABLE oauth_grants (
    id          TEXT COLLATE "C" PRIMARY KEY,
    realm       TEXT COLLATE "C" NOT NULL,
    client      TEXT COLLATE "C" NOT NULL,
    owner       TEXT COLLATE "C" NOT NULL,
    scope       TEXT NOT NULL,
    resource    TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    revoked_at  BIGINT
);

CREATE INDEX oauth_grants_by_end ON oauth_grants (expires_at);
CREATE INDEX oauth_grants_of_client ON oauth_grants (client);

CREATE TABLE oauth_codes (
    hash          BYTEA PRIMARY KEY,
    grant_id      TEXT COLLATE "C" NOT NULL REFERENCES oauth_grants (id) ON DELETE CASCADE,
    redirect_uri  TEXT NOT NULL,
    challenge     TEXT NOT NULL,
    expires_at    BIGINT NOT NULL,
    taken_at      BIGINT
);

CREATE INDEX oauth_codes_of_grant ON oauth_codes (grant_id);

CREATE TABLE oauth_tokens (
    hash        BYTEA PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('access', 'refresh')),
    grant_id    TEXT COLLATE "C" NOT NULL REFERENCES oauth_grants (id) ON DELETE CASCADE,
    scope       TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT
);

CREATE INDEX oauth_tokens_of_grant ON oauth_tokens (grant_id);
CREATE INDEX oauth_tokens_by_end ON oauth_tokens (expires_at);

-- API keys, as keyed hashes alone. A key that is revoked is gone.
CREATE TABLE api_keys (
    id          TEXT COLLATE "C" PRIMARY KEY,
    hash        BYTEA NOT NULL UNIQUE,
    owner       TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    start       TEXT NOT NULL,
    scope       TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT
);

CREATE INDEX api_keys_of_owner ON api_keys (owner, created_at);
