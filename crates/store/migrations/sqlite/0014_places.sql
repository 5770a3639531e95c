-- A place belongs to an element, or to a kind: what waits there through another element is not gone through.
DROP INDEX request_on_instance;
CREATE INDEX request_on_instance ON request (env, status, element, instance_id) WHERE instance_id IS NOT NULL;
CREATE INDEX request_of_kind ON request (env, status, kind, instance_id) WHERE instance_id IS NOT NULL;
-- So far apart that they stay apart when a bound on `pos` lessens them.
UPDATE sqlite_stat1 SET stat = '1000000 50000 1000' WHERE idx IN ('request_instance', 'request_requester');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('request', 'request_on_instance', '1000000 50000 10000 1000 20'),
    ('request', 'request_of_kind', '1000000 50000 10000 5000 100');
