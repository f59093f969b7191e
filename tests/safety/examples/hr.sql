CREATE TABLE departments (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL)

CREATE TABLE employees (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, title VARCHAR(40), department_id INTEGER NOT NULL, manager_id INTEGER)

INSERT INTO departments VALUES (1, 'Sales')

INSERT INTO employees VALUES (1, 'Anna', 'Head', 1, NULL), (2, 'Hans', 'Clerk', 1, 1)

CREATE TABLE canary (secret VARCHAR(40) NOT NULL)

INSERT INTO canary VALUES ('c4n4ry-s3cr3t')

CREATE TABLE proof (n INTEGER CHECK (n = 1))

