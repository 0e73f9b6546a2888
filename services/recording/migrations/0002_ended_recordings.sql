-- The reconciler looks for recordings that ended in a stretch, and for tenants that have some,
-- whether or not anybody told of their calls.

CREATE INDEX recording_ended ON recording (tenant_id, ended_at_ms) WHERE state <> 'recording';
CREATE INDEX recording_ended_by_any ON recording (ended_at_ms) WHERE state <> 'recording';

CREATE OR REPLACE FUNCTION tenants_with_calls(since_ms bigint) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = recording, pg_temp AS $$
  SELECT c.tenant_id FROM recording.call c WHERE c.ended_at_ms >= since_ms
  UNION
  SELECT r.tenant_id FROM recording.recording r
  WHERE r.state <> 'recording' AND r.ended_at_ms >= since_ms
  ORDER BY 1
$$;
