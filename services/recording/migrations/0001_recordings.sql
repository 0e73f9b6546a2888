-- Recordings, their segments, what is known of their calls, and who listened.

CREATE TABLE recording (
  tenant_id text NOT NULL,
  recording_id text COLLATE "C" NOT NULL,
  state text NOT NULL,
  incarnation text NOT NULL,
  started_at_ms bigint NOT NULL,
  ended_at_ms bigint NOT NULL,
  heard_at_ms bigint NOT NULL,
  from_number text NOT NULL,
  to_number text NOT NULL,
  consent text NOT NULL,
  sha256 text NOT NULL,
  manifest_sha256 text NOT NULL,
  segments int NOT NULL,
  size_bytes bigint NOT NULL,
  -- Tracks, gaps, pauses, and what was played.
  details jsonb NOT NULL,
  PRIMARY KEY (tenant_id, recording_id));
CREATE INDEX recording_newest ON recording (tenant_id, started_at_ms, recording_id);
-- What the sweep looks through: only what goes on.
CREATE INDEX recording_open ON recording (heard_at_ms) WHERE state = 'recording';
SELECT chassis.protect('recording.recording');

CREATE TABLE segment (
  tenant_id text NOT NULL,
  recording_id text COLLATE "C" NOT NULL,
  track_id text COLLATE "C" NOT NULL,
  number int NOT NULL,
  sha256 text NOT NULL,
  size_bytes int NOT NULL,
  codec text NOT NULL,
  track_started_at_ms bigint NOT NULL,
  from_sample bigint NOT NULL,
  to_sample bigint NOT NULL,
  incarnation text NOT NULL,
  PRIMARY KEY (tenant_id, recording_id, track_id, number));
SELECT chassis.protect('recording.segment');

CREATE TABLE call (
  tenant_id text NOT NULL,
  call_id text COLLATE "C" NOT NULL,
  ended_at_ms bigint NOT NULL,
  bridged boolean NOT NULL,
  consent text NOT NULL,
  trouble text NOT NULL,
  agent_ids text[] NOT NULL,
  queue_ids text[] NOT NULL,
  dispositions text[] NOT NULL,
  attributes jsonb NOT NULL,
  external_ref text NOT NULL,
  legs jsonb NOT NULL,
  PRIMARY KEY (tenant_id, call_id));
CREATE INDEX call_ended ON call (tenant_id, ended_at_ms);
CREATE INDEX call_ended_by_any ON call (ended_at_ms);
SELECT chassis.protect('recording.call');

CREATE TABLE name (
  tenant_id text NOT NULL,
  kind text NOT NULL,
  id text NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (tenant_id, kind, id));
SELECT chassis.protect('recording.name');

CREATE TABLE listening (
  tenant_id text NOT NULL,
  recording_id text COLLATE "C" NOT NULL,
  listening_id text COLLATE "C" NOT NULL,
  listener_id text NOT NULL,
  listener_name text NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (tenant_id, recording_id, listening_id));
SELECT chassis.protect('recording.listening');
-- Nobody takes back that somebody listened.
REVOKE UPDATE, DELETE ON listening FROM carillon_recording;

-- Gateway processes belong to no tenant.
CREATE TABLE gateway (incarnation text PRIMARY KEY, heard_at_ms bigint NOT NULL);

SELECT chassis.make_outbox('recording', 'carillon_recording');

-- The sweep and the reconciler look across tenants by these two functions, and see no more than
-- which recordings and which tenants they have to look at.
SELECT chassis.open_to_definer('recording.recording');
SELECT chassis.open_to_definer('recording.call');
GRANT SELECT ON gateway TO carillon_definer;

CREATE FUNCTION lost_recordings(before_ms bigint, size int)
RETURNS TABLE (tenant_id text, recording_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = recording, pg_temp AS $$
  SELECT r.tenant_id, r.recording_id FROM recording.recording r
  LEFT JOIN recording.gateway g ON g.incarnation = r.incarnation
  WHERE r.state = 'recording' AND r.heard_at_ms < before_ms
    AND coalesce(g.heard_at_ms, 0) < before_ms
  ORDER BY r.heard_at_ms LIMIT size
$$;
ALTER FUNCTION lost_recordings(bigint, int) OWNER TO carillon_definer;
REVOKE ALL ON FUNCTION lost_recordings(bigint, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lost_recordings(bigint, int) TO carillon_recording;

CREATE FUNCTION tenants_with_calls(since_ms bigint) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = recording, pg_temp AS $$
  SELECT DISTINCT c.tenant_id FROM recording.call c WHERE c.ended_at_ms >= since_ms ORDER BY 1
$$;
ALTER FUNCTION tenants_with_calls(bigint) OWNER TO carillon_definer;
REVOKE ALL ON FUNCTION tenants_with_calls(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_calls(bigint) TO carillon_recording;
