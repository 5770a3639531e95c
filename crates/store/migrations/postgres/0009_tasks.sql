-- What was submitted over the AuthZEN access request endpoint. Where it stands is read from its requests.
CREATE TABLE access_task (
    env        UUID NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    id         TEXT NOT NULL,
    body       TEXT NOT NULL,
    kept_until BIGINT NOT NULL,
    PRIMARY KEY (env, id)
);
CREATE INDEX access_task_end ON access_task (kept_until);

-- Names that stand for one task and are taken once: a caller's idempotency keys, tokens and evaluations that were used.
CREATE TABLE access_task_name (
    env        UUID NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    task       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    kept_until BIGINT NOT NULL,
    PRIMARY KEY (env, name)
);
CREATE INDEX access_task_name_end ON access_task_name (kept_until);
CREATE INDEX access_task_name_task ON access_task_name (env, task);

-- The public halves of the keys that sign tokens, as long as one of their tokens may count. The private ones are nowhere in
-- the database: each process has its own and forgets it.
CREATE TABLE token_key (
    id         TEXT PRIMARY KEY,
    public     BYTEA NOT NULL,
    kept_until BIGINT NOT NULL
);
CREATE INDEX token_key_end ON token_key (kept_until);
