-- Compact images of whole environments, from which a start reads instead of from the tables. The log goes on where an
-- image ends. What is here can be thrown away at any time: it is made anew from the tables.
CREATE TABLE image (
    env      BLOB PRIMARY KEY REFERENCES environment (id) ON DELETE CASCADE,
    image    BLOB NOT NULL,
    format   INTEGER NOT NULL,
    epoch    BLOB NOT NULL,
    revision INTEGER NOT NULL,
    facts    INTEGER NOT NULL,
    parts    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Parts are written one by one, before the image that they are of. `digest` is the SHA-256 of the body.
CREATE TABLE image_part (
    env    BLOB NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    image  BLOB NOT NULL,
    number INTEGER NOT NULL,
    digest BLOB NOT NULL,
    body   BLOB NOT NULL,
    UNIQUE (env, image, number)
) STRICT;

-- What is past its end is purged, oldest first.
CREATE INDEX session_expires ON session (expires_at);
CREATE INDEX link_expires ON link (expires_at);

-- The mark of the last process that had the file; it stands in a file beside this one as well, so that whoever puts an
-- older file in its place is found out. Null in a backup.
CREATE TABLE witness (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    mark BLOB
) STRICT;
INSERT INTO witness (id, mark) VALUES (1, NULL);

-- Has a row as long as a copy into this database is not finished; nobody serves from it then.
CREATE TABLE unfinished (
    id INTEGER PRIMARY KEY CHECK (id = 1)
) STRICT;
