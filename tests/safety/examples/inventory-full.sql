CREATE TABLE products (id INTEGER PRIMARY KEY, sku VARCHAR(32) NOT NULL UNIQUE, name VARCHAR(120) NOT NULL, category VARCHAR(20) NOT NULL, price NUMERIC(10, 2) NOT NULL, stock INTEGER NOT NULL DEFAULT 0)

INSERT INTO products VALUES (1, 'LAP-1', 'Laptop', 'electronics', 999.00, 3), (2, 'SH-1', 'Shirt', 'clothing', 9.90, 30)

CREATE TABLE canary (secret VARCHAR(40) NOT NULL)

INSERT INTO canary VALUES ('c4n4ry-s3cr3t')

CREATE TABLE proof (n INTEGER CHECK (n = 1))

