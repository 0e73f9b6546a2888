-- Refusals are few among many entries: a page of them must not need all others read. A window in
-- time is found by the ids, which sort by time.

CREATE INDEX ON portal.audit (tenant_id, audit_id) WHERE outcome <> 'ok';
DROP INDEX portal.audit_tenant_id_at_ms_idx;
