-- The one schema of a swarm's file. Every store creates it from this text.
-- application_id is "RSW1"; user_version is the schema's version.

CREATE TABLE swarm (              -- the head: one row
  id      TEXT    NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL,       -- seq of the last event
  chain   BLOB    NOT NULL,       -- 32 bytes: the chain's hash after it
  epoch   INTEGER NOT NULL,       -- grows when a log is compacted or restored
  config  TEXT    NOT NULL        -- JSON: the answer of swarm_init
) STRICT, WITHOUT ROWID;

CREATE TABLE event (              -- the log; seq is its only key
  seq   INTEGER PRIMARY KEY,
  swarm TEXT    NOT NULL,
  at_ms INTEGER NOT NULL,
  kind  TEXT    NOT NULL,
  body  TEXT    NOT NULL,         -- the whole canonical line, the bytes that the chain covers
  chain BLOB    NOT NULL          -- SHA-256(previous chain, body)
) STRICT;

CREATE TABLE snapshot (
  seq  INTEGER PRIMARY KEY,
  hash BLOB    NOT NULL,          -- SHA-256 of body
  body TEXT    NOT NULL           -- the canonical snapshot after event seq
) STRICT;

CREATE TABLE artifact (           -- bytes by content: datasets, models, large outputs
  hash    TEXT    NOT NULL PRIMARY KEY,
  size    INTEGER NOT NULL,
  content BLOB    NOT NULL
) STRICT;

-- Projections: rows that the core hands out with its events; a replay makes the same rows. The number of an
-- id is the key, so that new rows come at the end of their table; `id` is for reading.
CREATE TABLE agent   (number INTEGER PRIMARY KEY, state TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, id TEXT NOT NULL AS ('a' || number)) STRICT;
CREATE TABLE task    (number INTEGER PRIMARY KEY, state TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, id TEXT NOT NULL AS ('t' || number)) STRICT;
CREATE TABLE goal    (number INTEGER PRIMARY KEY, state TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, id TEXT NOT NULL AS ('g' || number)) STRICT;
CREATE TABLE message (id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE metric  (id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE memory  (id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE INDEX task_by_state ON task (state);

PRAGMA application_id = 1381193521;
PRAGMA user_version = 1;
