-- What the library spec's database holds.
CREATE TABLE books (id INTEGER PRIMARY KEY, author TEXT NOT NULL, title TEXT NOT NULL, year INTEGER NOT NULL);
INSERT INTO books (author, title, year) VALUES
    ('Ursula K. Le Guin', 'The Dispossessed', 1974),
    ('Ursula K. Le Guin', 'A Wizard of Earthsea', 1968),
    ('Jorge Luis Borges', 'Ficciones', 1944);
