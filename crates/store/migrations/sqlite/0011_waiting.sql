-- What waits in a place is found newest first, however much waits elsewhere.
CREATE INDEX request_of_tenant ON request (env, status, element, tenant_id);
CREATE INDEX request_on_instance ON request (env, status, instance_id) WHERE instance_id IS NOT NULL;
-- 1: it was taken in an emergency, and nobody has looked at it yet.
ALTER TABLE request ADD COLUMN unlooked INTEGER;
UPDATE request SET unlooked = 1
    WHERE json_type(body, '$.course.emergency') = 'object' AND coalesce(json_type(body, '$.course.emergency.looked_at'), 'null') = 'null';
CREATE INDEX request_unlooked ON request (env, status) WHERE unlooked = 1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('request', 'request_of_tenant', '1000000 50000 10000 1000 100'),
    ('request', 'request_on_instance', '1000000 50000 10000 5'),
    ('request', 'request_unlooked', '100 10 5');
