CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, count INTEGER NOT NULL, state TEXT NOT NULL)

INSERT INTO orders (item, count, state) VALUES ('pen', 3, 'sent'), ('a/b & c', 1, 'new')
