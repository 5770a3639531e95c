-- `pos` is the order of creation; lists are given in it, and each index ends in it by itself.
-- Ids are UUIDs of 16 bytes, times are microseconds since 1970, bodies and attributes are JSON.

CREATE TABLE organization (
    pos  INTEGER PRIMARY KEY,
    id   BLOB NOT NULL UNIQUE,
    key  TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE project (
    pos  INTEGER PRIMARY KEY,
    id   BLOB NOT NULL UNIQUE,
    org  BLOB NOT NULL REFERENCES organization (id),
    key  TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (org, key)
) STRICT;

CREATE TABLE environment (
    pos             INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    project         BLOB NOT NULL REFERENCES project (id),
    key             TEXT NOT NULL,
    body            TEXT NOT NULL,
    epoch           BLOB NOT NULL,
    head_revision   INTEGER NOT NULL,
    -- the revision that wrote a resource, role, relation or element last
    schema_revision INTEGER NOT NULL,
    UNIQUE (project, key)
) STRICT;

CREATE TABLE api_key (
    pos         INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    org         BLOB NOT NULL REFERENCES organization (id),
    project     BLOB REFERENCES project (id) ON DELETE CASCADE,
    env         BLOB REFERENCES environment (id) ON DELETE CASCADE,
    scope       TEXT NOT NULL,
    name        TEXT,
    secret_hash TEXT NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    revoked_at  INTEGER
) STRICT;
CREATE INDEX api_key_project ON api_key (project) WHERE project IS NOT NULL;
CREATE INDEX api_key_env ON api_key (env) WHERE env IS NOT NULL;

CREATE TABLE session (
    pos        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    env        BLOB NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    user_id    BLOB NOT NULL,
    tenant_id  BLOB,
    token_hash TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_env ON session (env);

CREATE TABLE link (
    pos        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    env        BLOB NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    user_id    BLOB NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX link_env ON link (env);

-- The change log: the truth. The tables below say what it comes to, written in the same transaction.
CREATE TABLE change (
    env      BLOB NOT NULL,
    revision INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    call     TEXT,
    kind     TEXT NOT NULL,
    payload  TEXT NOT NULL,
    PRIMARY KEY (env, revision, seq)
) STRICT, WITHOUT ROWID;

-- Resources, roles, relations and elements. `scope` is the resource of a resource role, the object's resource of a
-- relation, and empty otherwise; `subject` is the subject's resource of a relation.
CREATE TABLE schema_object (
    pos      INTEGER PRIMARY KEY,
    env      BLOB NOT NULL,
    kind     TEXT NOT NULL,
    id       BLOB NOT NULL,
    scope    TEXT NOT NULL,
    key      TEXT NOT NULL,
    subject  TEXT,
    body     TEXT NOT NULL,
    revision INTEGER NOT NULL,
    UNIQUE (env, kind, id),
    UNIQUE (env, kind, scope, key)
) STRICT;
CREATE INDEX schema_object_list ON schema_object (env, kind);
CREATE INDEX schema_object_subject ON schema_object (env, subject) WHERE subject IS NOT NULL;

CREATE TABLE user_ (
    pos        INTEGER PRIMARY KEY,
    env        BLOB NOT NULL,
    id         BLOB NOT NULL,
    key        TEXT NOT NULL,
    email      TEXT,
    first_name TEXT,
    last_name  TEXT,
    attributes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- what a search looks through, in lower case
    search     TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    UNIQUE (env, id),
    UNIQUE (env, key)
) STRICT;
CREATE INDEX user_list ON user_ (env);

CREATE TABLE tenant (
    pos            INTEGER PRIMARY KEY,
    env            BLOB NOT NULL,
    id             BLOB NOT NULL,
    key            TEXT NOT NULL,
    name           TEXT NOT NULL,
    description    TEXT,
    attributes     TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    last_action_at INTEGER NOT NULL,
    search         TEXT NOT NULL,
    revision       INTEGER NOT NULL,
    UNIQUE (env, id),
    UNIQUE (env, key)
) STRICT;
CREATE INDEX tenant_list ON tenant (env);

CREATE TABLE instance (
    pos         INTEGER PRIMARY KEY,
    env         BLOB NOT NULL,
    id          BLOB NOT NULL,
    key         TEXT NOT NULL,
    resource    TEXT NOT NULL,
    resource_id BLOB NOT NULL,
    tenant      TEXT NOT NULL,
    tenant_id   BLOB NOT NULL,
    attributes  TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    search      TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    UNIQUE (env, id),
    UNIQUE (env, resource, key)
) STRICT;
CREATE INDEX instance_list ON instance (env);
CREATE INDEX instance_tenant ON instance (env, tenant_id);
CREATE INDEX instance_resource ON instance (env, resource);

CREATE TABLE role_assignment (
    pos               INTEGER PRIMARY KEY,
    env               BLOB NOT NULL,
    id                BLOB NOT NULL,
    user_key          TEXT NOT NULL,
    user_id           BLOB NOT NULL,
    role              TEXT NOT NULL,
    role_id           BLOB NOT NULL,
    tenant            TEXT NOT NULL,
    tenant_id         BLOB NOT NULL,
    instance_id       BLOB,
    instance_resource TEXT,
    instance_key      TEXT,
    expires_at        INTEGER,
    origin            BLOB,
    created_at        INTEGER NOT NULL,
    revision          INTEGER NOT NULL,
    UNIQUE (env, id)
) STRICT;
CREATE INDEX role_assignment_list ON role_assignment (env);
-- an assignment in a tenant has no instance, and there is one of it all the same
CREATE UNIQUE INDEX role_assignment_once
    ON role_assignment (env, user_id, role_id, tenant_id, coalesce(instance_id, x''));
CREATE INDEX role_assignment_role ON role_assignment (env, role_id);
CREATE INDEX role_assignment_tenant ON role_assignment (env, tenant_id);
CREATE INDEX role_assignment_instance ON role_assignment (env, instance_id) WHERE instance_id IS NOT NULL;
CREATE INDEX role_assignment_resource
    ON role_assignment (env, instance_resource) WHERE instance_resource IS NOT NULL;

CREATE TABLE relationship_tuple (
    pos              INTEGER PRIMARY KEY,
    env              BLOB NOT NULL,
    id               BLOB NOT NULL,
    subject_id       BLOB NOT NULL,
    subject_resource TEXT NOT NULL,
    subject_key      TEXT NOT NULL,
    relation         TEXT NOT NULL,
    relation_id      BLOB NOT NULL,
    object_id        BLOB NOT NULL,
    object_resource  TEXT NOT NULL,
    object_key       TEXT NOT NULL,
    tenant           TEXT NOT NULL,
    tenant_id        BLOB NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    revision         INTEGER NOT NULL,
    UNIQUE (env, id),
    UNIQUE (env, subject_id, relation_id, object_id)
) STRICT;
CREATE INDEX relationship_tuple_list ON relationship_tuple (env);
CREATE INDEX relationship_tuple_object ON relationship_tuple (env, object_id);
CREATE INDEX relationship_tuple_relation ON relationship_tuple (env, relation);
CREATE INDEX relationship_tuple_tenant ON relationship_tuple (env, tenant_id);
CREATE INDEX relationship_tuple_subject_resource ON relationship_tuple (env, subject_resource);
CREATE INDEX relationship_tuple_object_resource ON relationship_tuple (env, object_resource);

CREATE TABLE request (
    pos         INTEGER PRIMARY KEY,
    env         BLOB NOT NULL,
    id          BLOB NOT NULL,
    kind        TEXT NOT NULL,
    element     BLOB NOT NULL,
    requester   BLOB NOT NULL,
    tenant_id   BLOB NOT NULL,
    role_id     BLOB NOT NULL,
    resource    TEXT,
    instance_id BLOB,
    status      TEXT NOT NULL,
    wish        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    body        TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    UNIQUE (env, id)
) STRICT;
CREATE UNIQUE INDEX request_pending_once ON request (env, wish) WHERE status = 'pending';
CREATE INDEX request_list ON request (env);
CREATE INDEX request_status ON request (env, status);
CREATE INDEX request_kind ON request (env, kind);
CREATE INDEX request_element ON request (env, element);
CREATE INDEX request_requester ON request (env, requester);
CREATE INDEX request_tenant ON request (env, tenant_id);
CREATE INDEX request_role ON request (env, role_id);
CREATE INDEX request_resource ON request (env, resource) WHERE resource IS NOT NULL;
CREATE INDEX request_instance ON request (env, instance_id) WHERE instance_id IS NOT NULL;

-- What happened stays readable when the environment is gone. `topic` is the part of the code before the dot.
CREATE TABLE audit_event (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      BLOB NOT NULL UNIQUE,
    env     BLOB,
    at      INTEGER NOT NULL,
    topic   TEXT NOT NULL,
    code    TEXT NOT NULL,
    request BLOB,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX audit_event_list ON audit_event (env);
CREATE INDEX audit_event_topic ON audit_event (env, topic);
CREATE INDEX audit_event_code ON audit_event (env, code);
CREATE INDEX audit_event_request ON audit_event (env, request) WHERE request IS NOT NULL;

CREATE TABLE outbox (
    pos        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         BLOB NOT NULL UNIQUE,
    env        BLOB NOT NULL,
    topic      TEXT NOT NULL,
    payload    TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_env ON outbox (env);

-- The planner takes every index for a good one as long as it knows nothing; then it would read a whole environment to
-- spare itself the sorting of ten rows. These numbers (rows of the table, then rows that share the first columns of the
-- index) say that an environment narrows little, a tenant or role somewhat, and a user or thing very much.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('user_', 'sqlite_autoindex_user__1', '1000000 50000 1'),
    ('user_', 'sqlite_autoindex_user__2', '1000000 50000 1'),
    ('user_', 'user_list', '1000000 50000'),
    ('tenant', 'sqlite_autoindex_tenant_1', '1000000 50000 1'),
    ('tenant', 'sqlite_autoindex_tenant_2', '1000000 50000 1'),
    ('tenant', 'tenant_list', '1000000 50000'),
    ('instance', 'sqlite_autoindex_instance_1', '1000000 50000 1'),
    ('instance', 'sqlite_autoindex_instance_2', '1000000 50000 10000 1'),
    ('instance', 'instance_list', '1000000 50000'),
    ('instance', 'instance_tenant', '1000000 50000 5000'),
    ('instance', 'instance_resource', '1000000 50000 10000'),
    ('role_assignment', 'sqlite_autoindex_role_assignment_1', '1000000 50000 1'),
    ('role_assignment', 'role_assignment_list', '1000000 50000'),
    ('role_assignment', 'role_assignment_once', '1000000 50000 10 3 2 1'),
    ('role_assignment', 'role_assignment_role', '1000000 50000 500'),
    ('role_assignment', 'role_assignment_tenant', '1000000 50000 500'),
    ('role_assignment', 'role_assignment_instance', '1000000 50000 10'),
    ('role_assignment', 'role_assignment_resource', '1000000 50000 10000'),
    ('relationship_tuple', 'sqlite_autoindex_relationship_tuple_1', '1000000 50000 1'),
    ('relationship_tuple', 'sqlite_autoindex_relationship_tuple_2', '1000000 50000 10 5 1'),
    ('relationship_tuple', 'relationship_tuple_list', '1000000 50000'),
    ('relationship_tuple', 'relationship_tuple_object', '1000000 50000 10'),
    ('relationship_tuple', 'relationship_tuple_relation', '1000000 50000 10000'),
    ('relationship_tuple', 'relationship_tuple_tenant', '1000000 50000 5000'),
    ('relationship_tuple', 'relationship_tuple_subject_resource', '1000000 50000 10000'),
    ('relationship_tuple', 'relationship_tuple_object_resource', '1000000 50000 10000'),
    ('request', 'sqlite_autoindex_request_1', '1000000 50000 1'),
    ('request', 'request_pending_once', '1000000 50000 1'),
    ('request', 'request_list', '1000000 50000'),
    ('request', 'request_status', '1000000 50000 10000'),
    ('request', 'request_kind', '1000000 50000 25000'),
    ('request', 'request_element', '1000000 50000 1000'),
    ('request', 'request_requester', '1000000 50000 10'),
    ('request', 'request_tenant', '1000000 50000 5000'),
    ('request', 'request_role', '1000000 50000 1000'),
    ('request', 'request_resource', '1000000 50000 5000'),
    ('request', 'request_instance', '1000000 50000 10'),
    ('audit_event', 'audit_event_list', '1000000 50000'),
    ('audit_event', 'audit_event_topic', '1000000 50000 5000'),
    ('audit_event', 'audit_event_code', '1000000 50000 2000'),
    ('audit_event', 'audit_event_request', '1000000 50000 10');
