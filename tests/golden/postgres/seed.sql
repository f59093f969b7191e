CREATE TABLE product (id integer PRIMARY KEY, name text NOT NULL, price numeric(10,2), tags text[], made timestamptz, extra jsonb)

INSERT INTO product VALUES (1, 'Pen', 1.50, '{a,b}', '2026-01-02T03:04:05Z', '{"k": [1, null]}'), (2, 'Ink', NULL, NULL, NULL, NULL)
