-- The decision log, a file of its own. A row holds up to some thousands of decisions of one environment and one hour
-- (`span`), packed; `terms` says which names it can't hold. `small` rows are merged later.

CREATE TABLE decision_segment (
    id             INTEGER PRIMARY KEY,
    env            BLOB NOT NULL,
    span           INTEGER NOT NULL,
    first_at       INTEGER NOT NULL,
    last_at        INTEGER NOT NULL,
    first_revision INTEGER NOT NULL,
    last_revision  INTEGER NOT NULL,
    decisions      INTEGER NOT NULL,
    allowed        INTEGER NOT NULL,
    small          INTEGER NOT NULL,
    bytes          INTEGER NOT NULL,
    terms          BLOB NOT NULL,
    body           BLOB NOT NULL
) STRICT;
CREATE INDEX decision_segment_env ON decision_segment (env, last_at, id, first_at);
CREATE INDEX decision_segment_age ON decision_segment (last_at, bytes);
CREATE INDEX decision_segment_small ON decision_segment (env, span) WHERE small = 1;

-- Decisions that were made and are not in the log: how many between two moments.
CREATE TABLE decision_missed (
    id        INTEGER PRIMARY KEY,
    env       BLOB NOT NULL,
    from_at   INTEGER NOT NULL,
    to_at     INTEGER NOT NULL,
    decisions INTEGER NOT NULL
) STRICT;
CREATE INDEX decision_missed_env ON decision_missed (env, to_at);

PRAGMA user_version = 1;
