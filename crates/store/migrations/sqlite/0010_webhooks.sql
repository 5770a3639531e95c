-- Webhooks that an environment sets by itself. The secret is kept as it is, since messages are signed with it.
CREATE TABLE webhook (
    pos    INTEGER PRIMARY KEY,
    id     BLOB NOT NULL UNIQUE,
    env    BLOB NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    body   TEXT NOT NULL,
    secret TEXT NOT NULL
) STRICT;
CREATE INDEX webhook_env ON webhook (env);

-- Whom an item of the outbox is for; null for items from before.
ALTER TABLE outbox ADD COLUMN receiver BLOB;
