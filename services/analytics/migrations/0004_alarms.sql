-- What is watched, and what was found.

-- One row for each tenant that has ever watched anything: `revision` grows with each change of its
-- thresholds and alarms, and whoever judges them names the one they judged by.
CREATE TABLE alarm_progress (tenant_id text PRIMARY KEY, revision bigint NOT NULL);

CREATE TABLE threshold (
  tenant_id text, threshold_id text COLLATE "C", name text NOT NULL, measure text NOT NULL,
  queue_id text NOT NULL, direction text NOT NULL, raise_at double precision NOT NULL,
  clear_at double precision NOT NULL, for_s int NOT NULL, severity text NOT NULL,
  active boolean NOT NULL, PRIMARY KEY (tenant_id, threshold_id));

CREATE TABLE alarm (
  tenant_id text, alarm_id text COLLATE "C", threshold_id text COLLATE "C" NOT NULL,
  threshold json NOT NULL, queue_name text NOT NULL, raised_at_ms bigint NOT NULL,
  value double precision NOT NULL, worst double precision NOT NULL, cleared_at_ms bigint,
  acknowledged_at_ms bigint, acknowledged_by text NOT NULL, acknowledged_by_name text NOT NULL,
  note text NOT NULL, PRIMARY KEY (tenant_id, alarm_id));
-- A threshold has one alarm at a time.
CREATE UNIQUE INDEX alarm_standing ON alarm (tenant_id, threshold_id) WHERE cleared_at_ms IS NULL;
CREATE INDEX alarm_unseen ON alarm (tenant_id, raised_at_ms, alarm_id)
  WHERE cleared_at_ms IS NOT NULL AND acknowledged_at_ms IS NULL;
CREATE INDEX alarm_raised ON alarm (tenant_id, raised_at_ms, alarm_id);

SELECT chassis.protect('alarm_progress');
SELECT chassis.protect('threshold');
SELECT chassis.protect('alarm');

-- Which replica judges, until when.
CREATE TABLE alarm_lease (
  id boolean PRIMARY KEY DEFAULT true CHECK (id), holder text NOT NULL,
  until timestamptz NOT NULL);

-- Whoever judges looks across tenants by this function, and sees only that something has changed.
SELECT chassis.open_to_definer('analytics.alarm_progress');
CREATE FUNCTION alarm_revisions(size int) RETURNS TABLE (tenant_id text, revision bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = analytics, pg_temp AS $$
  SELECT p.tenant_id, p.revision FROM analytics.alarm_progress p ORDER BY p.tenant_id LIMIT size
$$;
ALTER FUNCTION alarm_revisions(int) OWNER TO carillon_definer;
REVOKE ALL ON FUNCTION alarm_revisions(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION alarm_revisions(int) TO carillon_analytics;
