-- Objects that our own organisation holds to be wrong, since when: the watch stays silent about them.
CREATE TABLE alert_verdict(object TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
-- What was answered before there was this table.
INSERT OR IGNORE INTO alert_verdict
  SELECT indicator, max(opened) FROM alert
  WHERE CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.state') END = 'false-positive'
  GROUP BY indicator;
