-- How often that was written which every process holds in its memory: organisation, projects, environments, API keys.
-- One row.
CREATE TABLE directory (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO directory (id, version) VALUES (1, 0);
