-- When the next reviewers are to be told that a request waits; null once nobody is to be told any more.
ALTER TABLE request ADD COLUMN escalates_at INTEGER;
CREATE INDEX request_escalates ON request (env, escalates_at) WHERE escalates_at IS NOT NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('request', 'request_escalates', '10000 500 1');
