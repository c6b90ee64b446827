-- Status resources lie in the order in which they were made: a commit of many then writes few pages of them, and only
-- the index of their names, which are random, is written here and there.
CREATE TABLE status_in_order(
  no INTEGER PRIMARY KEY, id TEXT NOT NULL, owner TEXT NOT NULL, made INTEGER NOT NULL, body BLOB NOT NULL);
INSERT INTO status_in_order(id, owner, made, body) SELECT id, owner, made, body FROM status ORDER BY made;
DROP TABLE status;
ALTER TABLE status_in_order RENAME TO status;
CREATE UNIQUE INDEX status_id ON status(id);
CREATE INDEX status_age ON status(made);
