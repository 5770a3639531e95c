-- How often that was written which every replica holds in its memory: organisation, projects, environments, API keys.
-- One row; whoever writes any of those takes it first, before rows of environments.
CREATE TABLE directory (
    id      SMALLINT PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO directory (id, version) VALUES (1, 0);
