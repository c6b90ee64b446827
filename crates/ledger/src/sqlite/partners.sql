-- Partners with their cards and links; what authors and sources said of bodies; recalls and who got them; what waits.
CREATE TABLE partner(
  organisation TEXT PRIMARY KEY COLLATE NOCASE REFERENCES organisation(name), kind INTEGER NOT NULL,
  terms BLOB NOT NULL, added INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE card(
  organisation TEXT NOT NULL COLLATE NOCASE REFERENCES partner(organisation) ON DELETE CASCADE,
  serial INTEGER NOT NULL, state INTEGER NOT NULL, body BLOB NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(organisation, serial)) WITHOUT ROWID;
CREATE UNIQUE INDEX card_pinned ON card(organisation) WHERE state = 1;
CREATE TABLE partner_link(
  name TEXT PRIMARY KEY COLLATE NOCASE,
  organisation TEXT NOT NULL COLLATE NOCASE REFERENCES partner(organisation) ON DELETE CASCADE,
  definition BLOB NOT NULL, secret BLOB, paused INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX partner_link_of ON partner_link(organisation);

-- Seals and statements in the order in which they came: those of one page lie together. `said_of` finds them by the mark of
-- a stored body and the number of who said it, 0 for the seal. Marks are spread evenly, so what is new goes to the small
-- `said_new`, with the same columns, and from there into `said_of` many at once (provenance.rs).
CREATE TABLE said(no INTEGER PRIMARY KEY, first INTEGER, last INTEGER, body BLOB NOT NULL);
CREATE TABLE said_of(
  mark BLOB NOT NULL, source INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY(mark, source)) WITHOUT ROWID;
CREATE TABLE said_new(
  mark BLOB NOT NULL, source INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY(mark, source)) WITHOUT ROWID;
CREATE TABLE source(
  no INTEGER PRIMARY KEY, organisation TEXT NOT NULL UNIQUE COLLATE NOCASE REFERENCES organisation(name));

CREATE TABLE recall(
  id TEXT PRIMARY KEY, object TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
  bringer TEXT COLLATE NOCASE REFERENCES organisation(name)) WITHOUT ROWID;
CREATE INDEX recall_object ON recall(object, at);
CREATE INDEX recall_at ON recall(at);
CREATE TABLE delivery(
  recall TEXT NOT NULL REFERENCES recall(id), organisation TEXT NOT NULL COLLATE NOCASE REFERENCES organisation(name),
  state INTEGER NOT NULL, attempts INTEGER NOT NULL, last INTEGER, answer TEXT NOT NULL,
  PRIMARY KEY(recall, organisation)) WITHOUT ROWID;
CREATE INDEX delivery_to ON delivery(organisation, state);

-- `last_mail` is the newest number that was ever given, whatever is left of the mail; `seals` and `said_new`
-- count, because a table is slow to count.
CREATE TABLE mail(
  organisation TEXT NOT NULL COLLATE NOCASE REFERENCES partner(organisation) ON DELETE CASCADE,
  no INTEGER NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(organisation, no)) WITHOUT ROWID;
CREATE UNIQUE INDEX mail_id ON mail(organisation, id);
INSERT INTO meta VALUES('last_mail', 0), ('seals', 0), ('said_new', 0);

-- What a group gives to those who come, and asks of those who go.
ALTER TABLE circle ADD COLUMN backfill INTEGER NOT NULL DEFAULT 0;
ALTER TABLE circle ADD COLUMN on_leave INTEGER NOT NULL DEFAULT 0;
