-- The journal of sharded cores: inputs and events, snapshots, and who may write. A shard is a
-- tenant, so the tenant's rule of row-level security is the shard's.

CREATE TABLE chassis.shard_lease (
  tenant_id text PRIMARY KEY, owner text NOT NULL, epoch bigint NOT NULL,
  last_seq bigint NOT NULL DEFAULT 0,
  alive_at timestamptz NOT NULL, expires_at timestamptz NOT NULL);

CREATE TABLE chassis.journal (
  tenant_id text, seq bigint, epoch bigint NOT NULL, at_ms bigint NOT NULL,
  config_version int NOT NULL, input bytea NOT NULL, events bytea[] NOT NULL,
  PRIMARY KEY (tenant_id, seq));

CREATE TABLE chassis.snapshot (
  tenant_id text, seq bigint, at_ms bigint NOT NULL, state bytea NOT NULL,
  PRIMARY KEY (tenant_id, seq));

CREATE TABLE chassis.journal_published (tenant_id text PRIMARY KEY, seq bigint NOT NULL);

-- Each commit changes the lease's row: room beside it keeps that cheap.
ALTER TABLE chassis.shard_lease SET (fillfactor = 50);

SELECT chassis.protect('chassis.shard_lease'), chassis.protect('chassis.journal'),
       chassis.protect('chassis.snapshot'), chassis.protect('chassis.journal_published');

GRANT SELECT, INSERT, UPDATE ON chassis.shard_lease, chassis.journal_published TO carillon_acd;
GRANT SELECT, INSERT ON chassis.journal TO carillon_acd;
GRANT SELECT, INSERT, DELETE ON chassis.snapshot TO carillon_acd;

CREATE TYPE chassis.journal_entry AS (
  seq bigint, at_ms bigint, config_version int, input bytea, events bytea[]);

-- Writes consecutive rows in one round trip, if the epoch is current and they follow the last
-- row; tells whether they are written. Rows that the same ownership has written before are.
CREATE FUNCTION chassis.append_journal(
  shard text, writer_epoch bigint, lease_ms int, entries chassis.journal_entry[])
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  first_seq bigint := entries[1].seq;
  final_seq bigint := entries[array_length(entries, 1)].seq;
BEGIN
  PERFORM set_config('carillon.tenant', shard, true);
  UPDATE chassis.shard_lease SET last_seq = final_seq, alive_at = clock_timestamp(),
      expires_at = clock_timestamp() + lease_ms * interval '1 millisecond'
    WHERE tenant_id = shard AND epoch = writer_epoch AND last_seq = first_seq - 1;
  IF NOT FOUND THEN
    RETURN EXISTS (SELECT FROM chassis.shard_lease l
      JOIN chassis.journal j ON j.tenant_id = l.tenant_id AND j.seq = final_seq
      WHERE l.tenant_id = shard AND l.epoch = writer_epoch AND l.last_seq = final_seq
        AND j.epoch = writer_epoch);
  END IF;
  INSERT INTO chassis.journal (tenant_id, seq, epoch, at_ms, config_version, input, events)
    SELECT shard, e.seq, writer_epoch, e.at_ms, e.config_version, e.input, e.events
    FROM unnest(entries) e;
  RETURN true;
END $$;

-- A sign of life; false when the ownership is over.
CREATE FUNCTION chassis.renew_shard(shard text, writer_epoch bigint, lease_ms int)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('carillon.tenant', shard, true);
  UPDATE chassis.shard_lease SET alive_at = clock_timestamp(),
      expires_at = clock_timestamp() + lease_ms * interval '1 millisecond'
    WHERE tenant_id = shard AND epoch = writer_epoch;
  RETURN FOUND;
END $$;

REVOKE ALL ON FUNCTION chassis.append_journal(text, bigint, int, chassis.journal_entry[]),
  chassis.renew_shard(text, bigint, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION chassis.append_journal(text, bigint, int, chassis.journal_entry[]),
  chassis.renew_shard(text, bigint, int) TO carillon_acd;

SELECT chassis.open_to_definer('chassis.shard_lease');
