-- When a request, or what its approval gave, ends by itself; null once nothing does any more.
ALTER TABLE request ADD COLUMN ends_at BIGINT;
CREATE INDEX request_ends ON request (env, ends_at) WHERE ends_at IS NOT NULL;
