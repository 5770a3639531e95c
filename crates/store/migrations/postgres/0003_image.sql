-- Compact images of whole environments, from which a start reads instead of from the tables. The log goes on where an
-- image ends. What is here can be thrown away at any time: it is made anew from the tables.
CREATE TABLE image (
    env      UUID PRIMARY KEY REFERENCES environment (id) ON DELETE CASCADE,
    image    UUID NOT NULL,
    format   BIGINT NOT NULL,
    epoch    UUID NOT NULL,
    revision BIGINT NOT NULL,
    facts    BIGINT NOT NULL,
    parts    BIGINT NOT NULL
);

-- Parts are written one by one, before the image that they are of. `digest` is the SHA-256 of the body.
CREATE TABLE image_part (
    env    UUID NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    image  UUID NOT NULL,
    number BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    body   BYTEA NOT NULL,
    PRIMARY KEY (env, image, number)
);
-- Packed already.
ALTER TABLE image_part ALTER COLUMN body SET STORAGE EXTERNAL;

-- What is past its end is purged, oldest first.
CREATE INDEX session_expires ON session (expires_at);
CREATE INDEX link_expires ON link (expires_at);

-- Has a row as long as a copy into this database is not finished; nobody serves from it then.
CREATE TABLE unfinished (
    id SMALLINT PRIMARY KEY CHECK (id = 1)
);
