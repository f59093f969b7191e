CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL)

INSERT INTO note VALUES (1, 'first', 'north-west-region', 'note'), (2, 'second', 'south', 'note'), (3, 'third', 'north-west-region', 'secret')
