-- Sharing groups and their organisations, what an organisation may get, and what the operator says that markings mean.
CREATE TABLE circle(
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  owner TEXT NOT NULL COLLATE NOCASE REFERENCES organisation(name),
  hidden INTEGER NOT NULL, opens INTEGER, closes INTEGER);
CREATE TABLE circle_member(
  circle TEXT NOT NULL REFERENCES circle(id) ON DELETE CASCADE,
  organisation TEXT NOT NULL COLLATE NOCASE REFERENCES organisation(name),
  PRIMARY KEY(circle, organisation)) WITHOUT ROWID;
CREATE TABLE standing(
  organisation TEXT PRIMARY KEY COLLATE NOCASE REFERENCES organisation(name), ceiling TEXT, personal TEXT NOT NULL);
CREATE TABLE identity(
  id TEXT PRIMARY KEY, organisation TEXT NOT NULL COLLATE NOCASE REFERENCES organisation(name));
CREATE TABLE meaning(marking TEXT PRIMARY KEY, means TEXT NOT NULL) WITHOUT ROWID;
