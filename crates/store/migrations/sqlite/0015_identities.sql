-- Who a user is at an OpenID Connect issuer: nobody else is there, and one user is one person at each issuer.
CREATE TABLE identity (
    env       BLOB NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    issuer    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    user_id   BLOB NOT NULL,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (env, issuer, subject),
    UNIQUE (env, user_id, issuer)
) STRICT, WITHOUT ROWID;

-- Whom an address belongs to is asked at a first sign-in.
CREATE INDEX user_email ON user_ (env, lower(email));
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('user_', 'user_email', '1000000 50000 1');
