-- Who a user is at an OpenID Connect issuer: nobody else is there, and one user is one person at each issuer.
CREATE TABLE identity (
    env       UUID NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    issuer    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    user_id   UUID NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (env, issuer, subject),
    UNIQUE (env, user_id, issuer)
);

-- Whom an address belongs to is asked at a first sign-in.
CREATE INDEX user_email ON user_ (env, lower(email));
