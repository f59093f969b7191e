CREATE EXTENSION vector

CREATE TABLE memory (id serial PRIMARY KEY, text text NOT NULL, vector vector(8) NOT NULL)
