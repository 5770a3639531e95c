-- The decision log. A row holds up to some thousands of decisions of one environment and one hour (`span`), packed;
-- `terms` says which names it can't hold. `small` rows are merged later.

CREATE TABLE decision_segment (
    id             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env            UUID NOT NULL,
    span           BIGINT NOT NULL,
    first_at       BIGINT NOT NULL,
    last_at        BIGINT NOT NULL,
    first_revision BIGINT NOT NULL,
    last_revision  BIGINT NOT NULL,
    decisions      BIGINT NOT NULL,
    allowed        BIGINT NOT NULL,
    small          BIGINT NOT NULL,
    bytes          BIGINT NOT NULL,
    terms          BYTEA NOT NULL,
    body           BYTEA NOT NULL
);
CREATE INDEX decision_segment_env ON decision_segment (env, last_at, id, first_at);
CREATE INDEX decision_segment_age ON decision_segment (last_at, bytes);
CREATE INDEX decision_segment_small ON decision_segment (env, span) WHERE small = 1;

-- Decisions that were made and are not in the log: how many between two moments.
CREATE TABLE decision_missed (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    env       UUID NOT NULL,
    from_at   BIGINT NOT NULL,
    to_at     BIGINT NOT NULL,
    decisions BIGINT NOT NULL
);
CREATE INDEX decision_missed_env ON decision_missed (env, to_at);
