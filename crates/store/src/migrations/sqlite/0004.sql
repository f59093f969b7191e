-- Whose things a server is one of. What was there before is the operator's.
ALTER TABLE servers ADD COLUMN owner TEXT NOT NULL DEFAULT 'local';

CREATE INDEX servers_of_owner ON servers (owner, name);
