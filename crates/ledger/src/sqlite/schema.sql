-- The book and the register. One statement of what each table holds; every number is local to this file.

CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('last_seq', 0), ('generation', 1);

-- Short numbers for the strings that repeat.
CREATE TABLE kind(no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE author(no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE class(no INTEGER PRIMARY KEY, definition BLOB NOT NULL UNIQUE);

-- Some hundred records of one collection. `heads` are fixed-width rows (head.rs), `names` the keys and versions they
-- point into, `body.bytes` the bodies joined by commas. `sum` is BLAKE3 over heads, names and bodies.
CREATE TABLE leaf(
  no INTEGER PRIMARY KEY, collection INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
  count INTEGER NOT NULL, size INTEGER NOT NULL, kinds INTEGER NOT NULL, sum BLOB NOT NULL,
  heads BLOB NOT NULL, names BLOB NOT NULL);
CREATE UNIQUE INDEX leaf_order ON leaf(collection, first_seq);
CREATE INDEX leaf_seq ON leaf(last_seq);
CREATE TABLE body(leaf INTEGER PRIMARY KEY, bytes BLOB NOT NULL);

-- Every version of every key that is live, in conflict or in quarantine.
CREATE TABLE version(
  collection INTEGER NOT NULL, key BLOB NOT NULL, micros INTEGER NOT NULL, picos INTEGER NOT NULL, seq INTEGER NOT NULL,
  class INTEGER NOT NULL, dialect INTEGER NOT NULL, state INTEGER NOT NULL, author INTEGER, revoked INTEGER NOT NULL,
  PRIMARY KEY(collection, key, micros, picos, seq)) WITHOUT ROWID;

CREATE TABLE organisation(name TEXT PRIMARY KEY COLLATE NOCASE, relation INTEGER NOT NULL);
CREATE TABLE account(
  name TEXT PRIMARY KEY COLLATE NOCASE, organisation TEXT NOT NULL COLLATE NOCASE REFERENCES organisation(name),
  role INTEGER NOT NULL, password TEXT, created INTEGER NOT NULL);
CREATE TABLE key(
  name TEXT PRIMARY KEY COLLATE NOCASE, account TEXT NOT NULL COLLATE NOCASE REFERENCES account(name) ON DELETE CASCADE,
  digest BLOB NOT NULL UNIQUE, scope TEXT NOT NULL, expires INTEGER, created INTEGER NOT NULL);
CREATE TABLE collection(
  no INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE COLLATE NOCASE, alias TEXT NOT NULL UNIQUE COLLATE NOCASE,
  title TEXT NOT NULL, description TEXT, readers TEXT NOT NULL, writers TEXT NOT NULL);
CREATE TABLE status(id TEXT PRIMARY KEY, owner TEXT NOT NULL, made INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX status_age ON status(made);
CREATE TABLE note(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
