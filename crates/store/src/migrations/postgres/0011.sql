-- What a provider of OpenID Connect last called a person, for people to read: nobody has to have verified it.
ALTER TABLE account_identities ADD COLUMN called TEXT COLLATE "C";
-- How somebody signed in: password, link or openid. What was there before could have been a password.
ALTER TABLE account_sessions ADD COLUMN way TEXT COLLATE "C" NOT NULL DEFAULT 'password';
