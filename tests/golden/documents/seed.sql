CREATE TABLE rule (id INTEGER PRIMARY KEY, text TEXT)

INSERT INTO rule VALUES (1, 'Be brief'), (2, 'Be "exact"')
