-- How members sign in beside a password: second factors, recovery codes, sessions, client certificates, identities at a
-- provider. Nothing here gives a credential back: secrets are sealed or hashed with the node's secret, which lies elsewhere.
ALTER TABLE key ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE key ADD COLUMN last_used INTEGER;

-- `step` is the newest time step whose code was used: no code opens twice.
CREATE TABLE second_factor(
  account TEXT PRIMARY KEY COLLATE NOCASE REFERENCES account(name) ON DELETE CASCADE,
  algorithm TEXT NOT NULL, digits INTEGER NOT NULL, sealed BLOB NOT NULL, confirmed INTEGER NOT NULL, step INTEGER NOT NULL);
CREATE TABLE recovery_code(
  account TEXT NOT NULL COLLATE NOCASE REFERENCES account(name) ON DELETE CASCADE, digest BLOB NOT NULL,
  PRIMARY KEY(account, digest)) WITHOUT ROWID;
CREATE TABLE session(
  digest BLOB PRIMARY KEY, account TEXT NOT NULL COLLATE NOCASE REFERENCES account(name) ON DELETE CASCADE,
  address TEXT NOT NULL, made INTEGER NOT NULL, seen INTEGER NOT NULL, ends INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX session_account ON session(account);
CREATE TABLE certificate(
  fingerprint BLOB PRIMARY KEY, account TEXT NOT NULL COLLATE NOCASE REFERENCES account(name) ON DELETE CASCADE,
  ends INTEGER NOT NULL, added INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE link(
  issuer TEXT NOT NULL, subject TEXT NOT NULL,
  account TEXT NOT NULL COLLATE NOCASE REFERENCES account(name) ON DELETE CASCADE, made INTEGER NOT NULL,
  PRIMARY KEY(issuer, subject)) WITHOUT ROWID;
