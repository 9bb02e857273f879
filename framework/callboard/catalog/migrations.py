"""The catalog's tables, as steps that only ever grow: step N takes a file from version N-1 to N.

``PRAGMA user_version`` holds the version. Each step runs in one transaction with its version number, so a
crash leaves the old version or the new one.
"""

from __future__ import annotations

import sqlite3

_V1 = """
CREATE TABLE events(
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, source TEXT NOT NULL, type TEXT NOT NULL, run TEXT NOT NULL,
  hops INTEGER NOT NULL, received REAL NOT NULL, state TEXT NOT NULL,
  note TEXT NOT NULL DEFAULT '', body BLOB NOT NULL,
  UNIQUE(source, id));
CREATE INDEX events_waiting ON events(state) WHERE state != 'routed';
CREATE TABLE places(
  root TEXT NOT NULL, path BLOB NOT NULL, digest TEXT NOT NULL, kind TEXT NOT NULL, size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, device INTEGER NOT NULL,
  sequence BLOB, state TEXT NOT NULL, seen REAL NOT NULL, PRIMARY KEY(root, path)) WITHOUT ROWID;
CREATE INDEX places_digest ON places(digest);
CREATE TABLE notes(
  seq INTEGER PRIMARY KEY, root TEXT NOT NULL, path BLOB NOT NULL, at REAL NOT NULL, state TEXT NOT NULL,
  detail TEXT NOT NULL);
CREATE INDEX notes_path ON notes(root, path);
CREATE TABLE runs(id TEXT PRIMARY KEY, trigger TEXT NOT NULL, started REAL NOT NULL, state TEXT NOT NULL)
  WITHOUT ROWID;
CREATE INDEX runs_interrupted ON runs(id) WHERE state = 'interrupted';
CREATE TABLE jobs(
  key TEXT PRIMARY KEY, plugin TEXT NOT NULL, version TEXT NOT NULL, parameters BLOB NOT NULL, models BLOB NOT NULL,
  asset BLOB, digest TEXT NOT NULL, event INTEGER NOT NULL, run TEXT NOT NULL, deadline REAL NOT NULL,
  state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,
  not_before REAL NOT NULL DEFAULT 0, failure BLOB, created REAL NOT NULL, finished REAL, seconds REAL) WITHOUT ROWID;
CREATE INDEX jobs_waiting ON jobs(created) WHERE state = 'queued';
CREATE INDEX jobs_due ON jobs(not_before) WHERE state = 'queued';
CREATE INDEX jobs_digest ON jobs(digest);
CREATE TABLE run_jobs(run TEXT NOT NULL, job TEXT NOT NULL, cached INTEGER NOT NULL, PRIMARY KEY(run, job))
  WITHOUT ROWID;
CREATE TABLE proposals(
  id TEXT PRIMARY KEY, job TEXT NOT NULL, run TEXT NOT NULL, plugin TEXT NOT NULL, kind TEXT NOT NULL,
  result TEXT NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL, confidence REAL NOT NULL,
  provenance BLOB NOT NULL, body BLOB NOT NULL,
  checksum TEXT NOT NULL, created REAL NOT NULL, decided_by TEXT NOT NULL DEFAULT '', decided REAL,
  decided_run TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE INDEX proposals_digest ON proposals(digest);
CREATE INDEX proposals_open ON proposals(created) WHERE state = 'proposed';
CREATE INDEX proposals_run ON proposals(decided_run);
CREATE TABLE decisions(
  seq INTEGER PRIMARY KEY, proposal TEXT NOT NULL, decision TEXT NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL,
  at REAL NOT NULL, chain TEXT NOT NULL);
CREATE TABLE syncs(
  digest TEXT NOT NULL, media BLOB NOT NULL, root TEXT NOT NULL, path BLOB NOT NULL, folder BLOB NOT NULL,
  wanted INTEGER NOT NULL, run TEXT NOT NULL, not_before REAL NOT NULL DEFAULT 0, empty INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(digest, media, folder)) WITHOUT ROWID;
CREATE INDEX syncs_due ON syncs(not_before);
CREATE TABLE sidecars(
  path BLOB PRIMARY KEY, role TEXT NOT NULL, asset TEXT NOT NULL, media BLOB NOT NULL, digest TEXT NOT NULL,
  size INTEGER NOT NULL, previous BLOB, state TEXT NOT NULL, run TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE INDEX sidecars_media ON sidecars(asset, media);
CREATE TABLE receipts(
  seq INTEGER PRIMARY KEY, run TEXT NOT NULL, target BLOB NOT NULL, state TEXT NOT NULL, digest TEXT NOT NULL,
  note TEXT NOT NULL, proposals BLOB NOT NULL, at REAL NOT NULL);
CREATE INDEX receipts_run ON receipts(run);
CREATE TABLE outbox(
  seq INTEGER PRIMARY KEY, subject TEXT NOT NULL UNIQUE, body BLOB NOT NULL, created REAL NOT NULL, sent REAL);
CREATE INDEX outbox_waiting ON outbox(seq) WHERE sent IS NULL;
CREATE TABLE dead(
  id TEXT PRIMARY KEY, what TEXT NOT NULL, ref TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
  hint TEXT NOT NULL, detail TEXT NOT NULL, path BLOB NOT NULL, body BLOB NOT NULL, at REAL NOT NULL,
  state TEXT NOT NULL) WITHOUT ROWID;
"""

_V2 = """
CREATE TABLE texts(
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL DEFAULT '', tags TEXT NOT NULL DEFAULT '',
  about TEXT NOT NULL DEFAULT '', said TEXT NOT NULL DEFAULT '', screen TEXT NOT NULL DEFAULT '');
CREATE VIRTUAL TABLE words USING fts5(
  name, tags, about, said, screen, content = 'texts', content_rowid = 'id',
  tokenize = 'unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);
CREATE TABLE unindexed(digest TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO unindexed
  SELECT digest FROM places WHERE state != 'gone' UNION SELECT digest FROM proposals WHERE digest != '';
CREATE TABLE spaces(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE prints(
  id INTEGER PRIMARY KEY AUTOINCREMENT, space INTEGER NOT NULL, asset INTEGER NOT NULL, plugin TEXT NOT NULL,
  frame INTEGER, start REAL, "end" REAL, vector BLOB NOT NULL);
CREATE INDEX prints_space ON prints(space);
CREATE INDEX prints_asset ON prints(asset, space);
"""

_V3 = """
ALTER TABLE proposals ADD COLUMN without BLOB NOT NULL DEFAULT '[]';
ALTER TABLE decisions ADD COLUMN without BLOB NOT NULL DEFAULT '[]';
ALTER TABLE decisions ADD COLUMN run TEXT NOT NULL DEFAULT '';
CREATE INDEX decisions_proposal ON decisions(proposal);
"""

_V4 = """
CREATE TABLE hosts(
  host TEXT PRIMARY KEY, application TEXT NOT NULL, version TEXT NOT NULL, project TEXT NOT NULL,
  revision TEXT NOT NULL, capabilities BLOB NOT NULL, seen REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE host_projects(
  application TEXT NOT NULL, project TEXT NOT NULL, host TEXT NOT NULL, capabilities BLOB NOT NULL,
  seen REAL NOT NULL, PRIMARY KEY(application, project)) WITHOUT ROWID;
CREATE TABLE host_uses(
  application TEXT NOT NULL, project TEXT NOT NULL, ref TEXT NOT NULL, position INTEGER NOT NULL,
  root TEXT NOT NULL, path BLOB NOT NULL, digest TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(application, project, ref)) WITHOUT ROWID;
CREATE INDEX host_uses_digest ON host_uses(digest) WHERE digest != '';
CREATE INDEX host_uses_place ON host_uses(root, path);
CREATE TABLE host_requests(
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, run TEXT NOT NULL, host TEXT NOT NULL, application TEXT NOT NULL,
  project TEXT NOT NULL, what TEXT NOT NULL, body BLOB NOT NULL, caused INTEGER, state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '', at REAL NOT NULL);
CREATE INDEX host_requests_open ON host_requests(host) WHERE state = 'open';
CREATE INDEX host_requests_project ON host_requests(application, project);
CREATE INDEX host_requests_caused ON host_requests(caused) WHERE caused IS NOT NULL;
CREATE TABLE host_commands(
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, application TEXT NOT NULL, project TEXT NOT NULL,
  proposal TEXT NOT NULL, digest TEXT NOT NULL, run TEXT NOT NULL, route TEXT NOT NULL, why TEXT NOT NULL,
  verb TEXT NOT NULL, ref TEXT NOT NULL, body BLOB NOT NULL, content BLOB NOT NULL, state TEXT NOT NULL,
  created REAL NOT NULL, expires REAL NOT NULL DEFAULT 0, posted REAL, settled REAL, host TEXT NOT NULL DEFAULT '',
  landed BLOB NOT NULL DEFAULT '[]', missing BLOB NOT NULL DEFAULT '[]', note TEXT NOT NULL DEFAULT '');
CREATE INDEX host_commands_pending ON host_commands(application, project) WHERE state = 'pending';
CREATE INDEX host_commands_proposal ON host_commands(proposal);
CREATE INDEX host_commands_placeholder ON host_commands(seq) WHERE verb = 'placeholder.insert';
CREATE INDEX host_commands_use ON host_commands(application, project, ref) WHERE ref != '';
"""

_V5 = """
CREATE INDEX proposals_standins ON proposals(result, state) WHERE result IN ('placeholder', 'swap');
CREATE INDEX events_arrivals ON events(seq) WHERE type = 'shot.arrived';
"""

STEPS: tuple[str, ...] = (_V1, _V2, _V3, _V4, _V5)
"""Every step in order; a released step never changes."""


def version(conn: sqlite3.Connection) -> int:
    """Read the version of an open catalog."""
    number: int = conn.execute("PRAGMA user_version").fetchone()[0]
    return number


def migrate(conn: sqlite3.Connection, steps: tuple[str, ...] = STEPS) -> None:
    """Bring an open catalog to the newest version, one transaction a step."""
    for number in range(version(conn) + 1, len(steps) + 1):
        conn.execute("BEGIN IMMEDIATE")
        try:
            for statement in steps[number - 1].split(";"):
                if statement.strip():
                    conn.execute(statement)
            conn.execute(f"PRAGMA user_version = {number}")
            conn.execute("COMMIT")
        except BaseException:
            conn.execute("ROLLBACK")
            raise
