-- Who the people of accounts are at a provider of OpenID Connect. An address of mail may change hands; a subject does not.
CREATE TABLE account_identities (
    issuer      TEXT COLLATE "C" NOT NULL,
    subject     TEXT COLLATE "C" NOT NULL,
    account     TEXT COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE UNIQUE INDEX account_identities_of_account ON account_identities (account, issuer);
