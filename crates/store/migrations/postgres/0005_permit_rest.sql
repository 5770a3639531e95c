-- Invitations. `wish` is what no two pending ones share.
CREATE TABLE user_invite (
    pos        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env        UUID NOT NULL,
    id         UUID NOT NULL,
    status     TEXT NOT NULL,
    role_id    UUID NOT NULL,
    tenant_id  UUID NOT NULL,
    wish       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    body       TEXT NOT NULL,
    revision   BIGINT NOT NULL,
    UNIQUE (env, id)
);
CREATE UNIQUE INDEX user_invite_pending_once ON user_invite (env, wish) WHERE status = 'pending';
CREATE INDEX user_invite_list ON user_invite (env, pos);
CREATE INDEX user_invite_status ON user_invite (env, status, pos);
CREATE INDEX user_invite_role ON user_invite (env, role_id, pos);
CREATE INDEX user_invite_tenant ON user_invite (env, tenant_id, pos);
