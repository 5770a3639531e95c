-- Passwords of humans, as Argon2id hashes in the PHC format.
CREATE TABLE password (
    pos        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env        UUID NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    user_id    UUID NOT NULL,
    hash       TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (env, user_id)
);

-- How the human signed in; null for element sessions, and for those from before, which were opened with links.
ALTER TABLE session ADD COLUMN opened_with TEXT;
CREATE INDEX session_of_user ON session (env, user_id);
