-- The template that a server was made from.
ALTER TABLE servers ADD COLUMN template TEXT;
