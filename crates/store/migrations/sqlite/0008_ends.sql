-- When a request, or what its approval gave, ends by itself; null once nothing does any more.
ALTER TABLE request ADD COLUMN ends_at INTEGER;
CREATE INDEX request_ends ON request (env, ends_at) WHERE ends_at IS NOT NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('request', 'request_ends', '1000000 50000 1');
