-- `pos` is the order of creation, within an environment; lists are given in it, and the indexes of lists end in it.
-- Times are microseconds since 1970, bodies and attributes are JSON as it was written.

CREATE TABLE organization (
    pos  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id   UUID NOT NULL UNIQUE,
    key  TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
);

CREATE TABLE project (
    pos  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id   UUID NOT NULL UNIQUE,
    org  UUID NOT NULL REFERENCES organization (id),
    key  TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (org, key)
);

CREATE TABLE environment (
    pos             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              UUID NOT NULL UNIQUE,
    project         UUID NOT NULL REFERENCES project (id),
    key             TEXT NOT NULL,
    body            TEXT NOT NULL,
    epoch           UUID NOT NULL,
    head_revision   BIGINT NOT NULL,
    -- the revision that wrote a resource, role, relation or element last
    schema_revision BIGINT NOT NULL,
    UNIQUE (project, key)
);

CREATE TABLE api_key (
    pos         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          UUID NOT NULL UNIQUE,
    org         UUID NOT NULL REFERENCES organization (id),
    project     UUID REFERENCES project (id) ON DELETE CASCADE,
    env         UUID REFERENCES environment (id) ON DELETE CASCADE,
    scope       TEXT NOT NULL,
    name        TEXT,
    secret_hash TEXT NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    revoked_at  BIGINT
);
CREATE INDEX api_key_project ON api_key (project) WHERE project IS NOT NULL;
CREATE INDEX api_key_env ON api_key (env) WHERE env IS NOT NULL;

CREATE TABLE session (
    pos        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         UUID NOT NULL UNIQUE,
    env        UUID NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    user_id    UUID NOT NULL,
    tenant_id  UUID,
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_env ON session (env);

CREATE TABLE link (
    pos        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         UUID NOT NULL UNIQUE,
    env        UUID NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    user_id    UUID NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX link_env ON link (env);

-- The change log: the truth. The tables below say what it comes to, written in the same transaction.
CREATE TABLE change (
    env      UUID NOT NULL,
    revision BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    actor    TEXT NOT NULL,
    call     TEXT,
    kind     TEXT NOT NULL,
    payload  TEXT NOT NULL,
    PRIMARY KEY (env, revision, seq)
);

-- Resources, roles, relations and elements. `scope` is the resource of a resource role, the object's resource of a
-- relation, and empty otherwise; `subject` is the subject's resource of a relation.
CREATE TABLE schema_object (
    pos      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env      UUID NOT NULL,
    kind     TEXT NOT NULL,
    id       UUID NOT NULL,
    scope    TEXT NOT NULL,
    key      TEXT NOT NULL,
    subject  TEXT,
    body     TEXT NOT NULL,
    revision BIGINT NOT NULL,
    UNIQUE (env, kind, id),
    UNIQUE (env, kind, scope, key)
);
CREATE INDEX schema_object_list ON schema_object (env, kind, pos);
CREATE INDEX schema_object_subject ON schema_object (env, subject, pos) WHERE subject IS NOT NULL;

CREATE TABLE user_ (
    pos        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env        UUID NOT NULL,
    id         UUID NOT NULL,
    key        TEXT NOT NULL,
    email      TEXT,
    first_name TEXT,
    last_name  TEXT,
    attributes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- what a search looks through, in lower case
    search     TEXT NOT NULL,
    revision   BIGINT NOT NULL,
    UNIQUE (env, id),
    UNIQUE (env, key)
);
CREATE INDEX user_list ON user_ (env, pos);

CREATE TABLE tenant (
    pos            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env            UUID NOT NULL,
    id             UUID NOT NULL,
    key            TEXT NOT NULL,
    name           TEXT NOT NULL,
    description    TEXT,
    attributes     TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    last_action_at BIGINT NOT NULL,
    search         TEXT NOT NULL,
    revision       BIGINT NOT NULL,
    UNIQUE (env, id),
    UNIQUE (env, key)
);
CREATE INDEX tenant_list ON tenant (env, pos);

CREATE TABLE instance (
    pos         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env         UUID NOT NULL,
    id          UUID NOT NULL,
    key         TEXT NOT NULL,
    resource    TEXT NOT NULL,
    resource_id UUID NOT NULL,
    tenant      TEXT NOT NULL,
    tenant_id   UUID NOT NULL,
    attributes  TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    search      TEXT NOT NULL,
    revision    BIGINT NOT NULL,
    UNIQUE (env, id),
    UNIQUE (env, resource, key)
);
CREATE INDEX instance_list ON instance (env, pos);
CREATE INDEX instance_tenant ON instance (env, tenant_id, pos);
CREATE INDEX instance_resource ON instance (env, resource, pos);

CREATE TABLE role_assignment (
    pos               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env               UUID NOT NULL,
    id                UUID NOT NULL,
    user_key          TEXT NOT NULL,
    user_id           UUID NOT NULL,
    role              TEXT NOT NULL,
    role_id           UUID NOT NULL,
    tenant            TEXT NOT NULL,
    tenant_id         UUID NOT NULL,
    instance_id       UUID,
    instance_resource TEXT,
    instance_key      TEXT,
    expires_at        BIGINT,
    origin            UUID,
    created_at        BIGINT NOT NULL,
    revision          BIGINT NOT NULL,
    UNIQUE (env, id)
);
CREATE INDEX role_assignment_list ON role_assignment (env, pos);
-- an assignment in a tenant has no instance, and there is one of it all the same
CREATE UNIQUE INDEX role_assignment_once ON role_assignment
    (env, user_id, role_id, tenant_id, coalesce(instance_id, '00000000-0000-0000-0000-000000000000'));
CREATE INDEX role_assignment_role ON role_assignment (env, role_id, pos);
CREATE INDEX role_assignment_tenant ON role_assignment (env, tenant_id, pos);
CREATE INDEX role_assignment_instance ON role_assignment (env, instance_id, pos) WHERE instance_id IS NOT NULL;
CREATE INDEX role_assignment_resource ON role_assignment (env, instance_resource, pos) WHERE instance_resource IS NOT NULL;

CREATE TABLE relationship_tuple (
    pos              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env              UUID NOT NULL,
    id               UUID NOT NULL,
    subject_id       UUID NOT NULL,
    subject_resource TEXT NOT NULL,
    subject_key      TEXT NOT NULL,
    relation         TEXT NOT NULL,
    relation_id      UUID NOT NULL,
    object_id        UUID NOT NULL,
    object_resource  TEXT NOT NULL,
    object_key       TEXT NOT NULL,
    tenant           TEXT NOT NULL,
    tenant_id        UUID NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    revision         BIGINT NOT NULL,
    UNIQUE (env, id),
    UNIQUE (env, subject_id, relation_id, object_id)
);
CREATE INDEX relationship_tuple_list ON relationship_tuple (env, pos);
CREATE INDEX relationship_tuple_object ON relationship_tuple (env, object_id, pos);
CREATE INDEX relationship_tuple_relation ON relationship_tuple (env, relation, pos);
CREATE INDEX relationship_tuple_tenant ON relationship_tuple (env, tenant_id, pos);
CREATE INDEX relationship_tuple_subject_resource ON relationship_tuple (env, subject_resource, pos);
CREATE INDEX relationship_tuple_object_resource ON relationship_tuple (env, object_resource, pos);

CREATE TABLE request (
    pos         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env         UUID NOT NULL,
    id          UUID NOT NULL,
    kind        TEXT NOT NULL,
    element     UUID NOT NULL,
    requester   UUID NOT NULL,
    tenant_id   UUID NOT NULL,
    role_id     UUID NOT NULL,
    resource    TEXT,
    instance_id UUID,
    status      TEXT NOT NULL,
    wish        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    body        TEXT NOT NULL,
    revision    BIGINT NOT NULL,
    UNIQUE (env, id)
);
CREATE UNIQUE INDEX request_pending_once ON request (env, wish) WHERE status = 'pending';
CREATE INDEX request_list ON request (env, pos);
CREATE INDEX request_status ON request (env, status, pos);
CREATE INDEX request_kind ON request (env, kind, pos);
CREATE INDEX request_element ON request (env, element, pos);
CREATE INDEX request_requester ON request (env, requester, pos);
CREATE INDEX request_tenant ON request (env, tenant_id, pos);
CREATE INDEX request_role ON request (env, role_id, pos);
CREATE INDEX request_resource ON request (env, resource, pos) WHERE resource IS NOT NULL;
CREATE INDEX request_instance ON request (env, instance_id, pos) WHERE instance_id IS NOT NULL;

-- What happened stays readable when the environment is gone. `topic` is the part of the code before the dot.
CREATE TABLE audit_event (
    seq     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id      UUID NOT NULL UNIQUE,
    env     UUID,
    at      BIGINT NOT NULL,
    topic   TEXT NOT NULL,
    code    TEXT NOT NULL,
    request UUID,
    body    TEXT NOT NULL
);
CREATE INDEX audit_event_list ON audit_event (env, seq);
CREATE INDEX audit_event_topic ON audit_event (env, topic, seq);
CREATE INDEX audit_event_code ON audit_event (env, code, seq);
CREATE INDEX audit_event_request ON audit_event (env, request, seq) WHERE request IS NOT NULL;

CREATE TABLE outbox (
    pos        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         UUID NOT NULL UNIQUE,
    env        UUID NOT NULL,
    topic      TEXT NOT NULL,
    payload    TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX outbox_env ON outbox (env);
