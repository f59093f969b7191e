-- Who the people of accounts are at a provider of OpenID Connect. An address of mail may change hands; a subject does not.
CREATE TABLE account_identities (
    issuer      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    account     TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX account_identities_of_account ON account_identities (account, issuer);
