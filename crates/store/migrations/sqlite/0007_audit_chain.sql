-- The audit log as a hash chain: `n` is the place of an event in its chain, from 1; `body` becomes what is hashed, and
-- `private` holds what can be erased. Events from before get theirs when a server starts; until then `n` is null.
ALTER TABLE audit_event ADD COLUMN n INTEGER;
ALTER TABLE audit_event ADD COLUMN hash BLOB;
ALTER TABLE audit_event ADD COLUMN private TEXT;
CREATE UNIQUE INDEX audit_event_chain ON audit_event (env, n);
CREATE INDEX audit_event_unchained ON audit_event (seq) WHERE n IS NULL;

-- Where each chain ends. The chain of the installation has an id of zeros. Stays when the environment is gone.
CREATE TABLE audit_head (
    env  BLOB PRIMARY KEY,
    n    INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Heads that were signed.
CREATE TABLE audit_signature (
    env          BLOB NOT NULL,
    n            INTEGER NOT NULL,
    epoch        BLOB NOT NULL,
    installation BLOB NOT NULL,
    hash         BLOB NOT NULL,
    at           INTEGER NOT NULL,
    key          TEXT NOT NULL,
    signature    TEXT NOT NULL,
    PRIMARY KEY (env, n, epoch)
) STRICT, WITHOUT ROWID;

-- The public keys with which heads were ever signed. The private ones are nowhere in the database.
CREATE TABLE audit_key (
    id         TEXT PRIMARY KEY,
    public     BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('audit_event', 'audit_event_chain', '1000000 50000 1');
