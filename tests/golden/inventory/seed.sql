CREATE TABLE product (id integer PRIMARY KEY, name text NOT NULL, category text NOT NULL, price numeric(10,2) NOT NULL, stock integer NOT NULL CHECK (stock >= 0))

INSERT INTO product VALUES (1, 'Apple', 'food', 0.50, 100), (2, 'Saw', 'tools', 19.90, 3), (3, 'Bread 50%', 'food', 3.20, 0), (4, 'Hammer', 'tools', 12.00, 7), (5, 'O''Neill''s', 'food', 123456.78, 1)
