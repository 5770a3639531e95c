-- What was submitted over the AuthZEN access request endpoint. Where it stands is read from its requests.
CREATE TABLE access_task (
    env        BLOB NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    id         TEXT NOT NULL,
    body       TEXT NOT NULL,
    kept_until INTEGER NOT NULL,
    PRIMARY KEY (env, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_task_end ON access_task (kept_until);

-- Names that stand for one task and are taken once: a caller's idempotency keys, tokens and evaluations that were used.
CREATE TABLE access_task_name (
    env        BLOB NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    task       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    kept_until INTEGER NOT NULL,
    PRIMARY KEY (env, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_task_name_end ON access_task_name (kept_until);
CREATE INDEX access_task_name_task ON access_task_name (env, task);

-- The public halves of the keys that sign tokens, as long as one of their tokens may count. The private ones are nowhere in
-- the database: each process has its own and forgets it.
CREATE TABLE token_key (
    id         TEXT PRIMARY KEY,
    public     BLOB NOT NULL,
    kept_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_key_end ON token_key (kept_until);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('access_task', 'access_task_end', '1000000 10'),
    ('access_task_name', 'access_task_name_end', '1000000 10'),
    ('access_task_name', 'access_task_name_task', '1000000 50000 2'),
    ('token_key', 'token_key_end', '1000 1');
