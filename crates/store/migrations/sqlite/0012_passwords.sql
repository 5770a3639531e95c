-- Passwords of humans, as Argon2id hashes in the PHC format.
CREATE TABLE password (
    pos        INTEGER PRIMARY KEY,
    env        BLOB NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    user_id    BLOB NOT NULL,
    hash       TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (env, user_id)
) STRICT;

-- How the human signed in; null for element sessions, and for those from before, which were opened with links.
ALTER TABLE session ADD COLUMN opened_with TEXT;
CREATE INDEX session_of_user ON session (env, user_id);
