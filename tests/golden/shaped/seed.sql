CREATE TABLE number (n INTEGER PRIMARY KEY)

INSERT INTO number VALUES (1), (2), (3), (4), (5), (6), (7)
