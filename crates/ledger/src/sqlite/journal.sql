-- The journal, in a file of its own. An erased part is NULL in all its columns but the last, which then holds its digest.
CREATE TABLE entry(
  number INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL,
  about TEXT, first INTEGER, last INTEGER, body BLOB, packed BLOB, matter_digest BLOB,
  salt BLOB, who TEXT COLLATE NOCASE, whom TEXT COLLATE NOCASE, details BLOB, person_digest BLOB,
  chain BLOB NOT NULL);
-- What was handed out, found without reading the entries.
CREATE INDEX entry_span ON entry(about, last, first) WHERE first IS NOT NULL;
-- What retention may erase.
CREATE INDEX entry_matter ON entry(time) WHERE body IS NOT NULL AND kind <> 'audit-erased';
CREATE INDEX entry_person ON entry(time) WHERE salt IS NOT NULL;
-- How far those have come who follow it.
CREATE TABLE follower(name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
