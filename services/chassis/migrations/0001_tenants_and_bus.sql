-- Helpers for every schema, and the bus.

GRANT USAGE ON SCHEMA chassis TO PUBLIC;

-- The tenant of the running transaction; null outside of any.
CREATE FUNCTION chassis.tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('carillon.tenant', true), '') $$;

-- Makes a table with a column tenant_id show, and take, only the present tenant's rows; its owner
-- is bound, too.
CREATE FUNCTION chassis.protect(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('CREATE POLICY tenant ON %s USING (tenant_id = chassis.tenant())'
                 ' WITH CHECK (tenant_id = chassis.tenant())', name);
END $$;

-- Lets SECURITY DEFINER functions owned by carillon_definer read a protected table across tenants.
CREATE FUNCTION chassis.open_to_definer(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('GRANT SELECT ON %s TO carillon_definer', name);
  EXECUTE format('CREATE POLICY definer ON %s FOR SELECT TO carillon_definer USING (true)', name);
END $$;

-- Adds to the present schema the table `outbox`: events written in the transaction that changes
-- the state, until a publisher has brought them to the bus. It is the one table that whoever
-- publishes reads across tenants.
CREATE FUNCTION chassis.make_outbox(schema text, role text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE %I.outbox ('
    'id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text NOT NULL,'
    'event_id text NOT NULL, tenant_id text NOT NULL, at_ms bigint NOT NULL, key text NOT NULL,'
    'type text NOT NULL, payload bytea NOT NULL, seq bigint NOT NULL, traceparent text NOT NULL)',
    schema);
  EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I.outbox TO %I', schema, role);
END $$;

-- One row per partition; locked until commit by whoever appends, so that offsets follow the order
-- of commits.
CREATE TABLE chassis.bus_head (
  topic text, partition int, next_offset bigint NOT NULL DEFAULT 0, PRIMARY KEY (topic, partition));

CREATE TABLE chassis.bus_log (
  topic text, partition int, "offset" bigint, event_id text NOT NULL, tenant_id text NOT NULL,
  at_ms bigint NOT NULL, key text NOT NULL, type text NOT NULL, payload bytea NOT NULL,
  seq bigint NOT NULL, traceparent text NOT NULL, added_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition, "offset"));

CREATE TABLE chassis.bus_group (
  "group" text, topic text, partition int, next_offset bigint NOT NULL DEFAULT 0,
  member text NOT NULL DEFAULT '', leased_until timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY ("group", topic, partition));

GRANT SELECT, INSERT, UPDATE ON chassis.bus_head, chassis.bus_group TO carillon_bus;
GRANT SELECT, INSERT ON chassis.bus_log TO carillon_bus;
