-- The audit log as a hash chain: `n` is the place of an event in its chain, from 1; `body` becomes what is hashed, and
-- `private` holds what can be erased. Events from before get theirs when a server starts; until then `n` is null.
ALTER TABLE audit_event ADD COLUMN n BIGINT;
ALTER TABLE audit_event ADD COLUMN hash BYTEA;
ALTER TABLE audit_event ADD COLUMN private TEXT;
CREATE UNIQUE INDEX audit_event_chain ON audit_event (env, n);
CREATE INDEX audit_event_unchained ON audit_event (seq) WHERE n IS NULL;

-- Where each chain ends. The chain of the installation has an id of zeros. Stays when the environment is gone.
CREATE TABLE audit_head (
    env  UUID PRIMARY KEY,
    n    BIGINT NOT NULL,
    hash BYTEA NOT NULL
);

-- Heads that were signed.
CREATE TABLE audit_signature (
    env          UUID NOT NULL,
    n            BIGINT NOT NULL,
    epoch        UUID NOT NULL,
    installation UUID NOT NULL,
    hash         BYTEA NOT NULL,
    at           BIGINT NOT NULL,
    key          TEXT NOT NULL,
    signature    TEXT NOT NULL,
    PRIMARY KEY (env, n, epoch)
);

-- The public keys with which heads were ever signed. The private ones are nowhere in the database.
CREATE TABLE audit_key (
    id         TEXT PRIMARY KEY,
    public     BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
