-- Shards whose owner is gone: the one look across tenants, and it tells their names only.
CREATE FUNCTION acd.unowned_shards(most int) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = chassis AS $$
  SELECT tenant_id FROM chassis.shard_lease
  WHERE expires_at < clock_timestamp() AND last_seq > 0 ORDER BY expires_at, tenant_id LIMIT most
$$;
REVOKE ALL ON FUNCTION acd.unowned_shards(int) FROM PUBLIC;
ALTER FUNCTION acd.unowned_shards(int) OWNER TO carillon_definer;
GRANT EXECUTE ON FUNCTION acd.unowned_shards(int) TO carillon_acd;
