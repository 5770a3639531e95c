-- Invitations. `wish` is what no two pending ones share.
CREATE TABLE user_invite (
    pos        INTEGER PRIMARY KEY,
    env        BLOB NOT NULL,
    id         BLOB NOT NULL,
    status     TEXT NOT NULL,
    role_id    BLOB NOT NULL,
    tenant_id  BLOB NOT NULL,
    wish       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    body       TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    UNIQUE (env, id)
) STRICT;
CREATE UNIQUE INDEX user_invite_pending_once ON user_invite (env, wish) WHERE status = 'pending';
CREATE INDEX user_invite_list ON user_invite (env);
CREATE INDEX user_invite_status ON user_invite (env, status);
CREATE INDEX user_invite_role ON user_invite (env, role_id);
CREATE INDEX user_invite_tenant ON user_invite (env, tenant_id);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('user_invite', 'sqlite_autoindex_user_invite_1', '1000000 50000 1'),
    ('user_invite', 'user_invite_pending_once', '1000000 50000 1'),
    ('user_invite', 'user_invite_list', '1000000 50000'),
    ('user_invite', 'user_invite_status', '1000000 50000 10000'),
    ('user_invite', 'user_invite_role', '1000000 50000 1000'),
    ('user_invite', 'user_invite_tenant', '1000000 50000 5000');
