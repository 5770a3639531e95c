-- When an item of the outbox is due, how often it was tried, why it failed last, and since when nobody tries any more.
ALTER TABLE outbox ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN failure TEXT;
ALTER TABLE outbox ADD COLUMN dead_at BIGINT;
CREATE INDEX outbox_due ON outbox (due_at, pos) WHERE dead_at IS NULL;
CREATE INDEX outbox_dead ON outbox (env, pos) WHERE dead_at IS NOT NULL;
