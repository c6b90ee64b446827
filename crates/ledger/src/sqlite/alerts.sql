-- Alerts of the watch, and what waits to be told of them.
CREATE TABLE alert(
  id TEXT PRIMARY KEY, grouped BLOB NOT NULL, indicator TEXT NOT NULL, is_open INTEGER NOT NULL, opened INTEGER NOT NULL,
  changed INTEGER NOT NULL, due INTEGER, body BLOB NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX alert_group ON alert(grouped) WHERE is_open = 1;
CREATE INDEX alert_indicator ON alert(indicator) WHERE is_open = 1;
CREATE INDEX alert_due ON alert(due) WHERE due IS NOT NULL;
CREATE INDEX alert_opened ON alert(opened, id);
CREATE UNIQUE INDEX alert_changed ON alert(changed);
CREATE TABLE telling(
  way TEXT NOT NULL, alert TEXT NOT NULL, number INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL,
  since INTEGER NOT NULL, PRIMARY KEY(way, alert)) WITHOUT ROWID;
CREATE INDEX telling_due ON telling(way, due);
INSERT INTO meta VALUES('alert_changed', 0), ('alerts_open', 0);
