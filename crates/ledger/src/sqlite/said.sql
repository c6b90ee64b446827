-- What is said of many bodies in the same words is kept once: `uses` counts the entries of both indexes, and the statements,
-- that lead to a row. A seal that came with a statement hangs on the statement's row (`seal`), and needs no entry of its own;
-- one that has an entry comes before it.
ALTER TABLE said ADD COLUMN seal INTEGER;
ALTER TABLE said ADD COLUMN uses INTEGER NOT NULL DEFAULT 1;
