CREATE TABLE stock (sku TEXT PRIMARY KEY, place TEXT NOT NULL, n INTEGER NOT NULL, price NUMERIC NOT NULL)

INSERT INTO stock VALUES ('pen', 'shelf', 40, 1.5), ('ink', 'shelf', 3, 4.25)

CREATE TABLE canary (secret VARCHAR(40) NOT NULL)

INSERT INTO canary VALUES ('c4n4ry-s3cr3t')

CREATE TABLE proof (n INTEGER CHECK (n = 1))

