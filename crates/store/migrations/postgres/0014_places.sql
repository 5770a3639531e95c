-- A place belongs to an element, or to a kind: what waits there through another element is not gone through.
DROP INDEX request_on_instance;
CREATE INDEX request_on_instance ON request (env, status, element, instance_id, pos) WHERE instance_id IS NOT NULL;
CREATE INDEX request_of_kind ON request (env, status, kind, instance_id, pos) WHERE instance_id IS NOT NULL;
