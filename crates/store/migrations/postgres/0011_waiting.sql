-- What waits in a place is found newest first, however much waits elsewhere.
CREATE INDEX request_of_tenant ON request (env, status, element, tenant_id, pos);
CREATE INDEX request_on_instance ON request (env, status, instance_id, pos) WHERE instance_id IS NOT NULL;
-- 1: it was taken in an emergency, and nobody has looked at it yet.
ALTER TABLE request ADD COLUMN unlooked BIGINT;
UPDATE request SET unlooked = 1
    WHERE jsonb_typeof(CAST(body AS jsonb) #> '{course,emergency}') = 'object'
    AND coalesce(jsonb_typeof(CAST(body AS jsonb) #> '{course,emergency,looked_at}'), 'null') = 'null';
CREATE INDEX request_unlooked ON request (env, status, pos) WHERE unlooked = 1;
