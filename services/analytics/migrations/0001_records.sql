-- The records that figures are made of, and how far their events have come.

-- One row for each tenant: `revision` grows with each time that records were stored, and whoever
-- stores names the one they go on from, so that two consumers never mix.
CREATE TABLE progress (
  tenant_id text PRIMARY KEY, seq bigint NOT NULL, event_ids text[] NOT NULL,
  as_of_ms bigint NOT NULL, revision bigint NOT NULL);

CREATE TABLE zone (tenant_id text PRIMARY KEY, time_zone text NOT NULL);

CREATE TABLE queue (
  tenant_id text, queue_id text COLLATE "C", name text NOT NULL, removed boolean NOT NULL,
  revision bigint NOT NULL, PRIMARY KEY (tenant_id, queue_id));

CREATE TABLE agent (
  tenant_id text, agent_id text COLLATE "C", name text NOT NULL, queue_ids text[] NOT NULL,
  version bigint NOT NULL, removed boolean NOT NULL, revision bigint NOT NULL,
  PRIMARY KEY (tenant_id, agent_id));

CREATE TABLE entry (
  tenant_id text, entry_id text COLLATE "C", contact_id text NOT NULL, queue_id text NOT NULL,
  queue_name text NOT NULL, channel text NOT NULL, offered_at_ms bigint NOT NULL,
  exit text NOT NULL, left_at_ms bigint, wait_ms bigint NOT NULL, agent_id text NOT NULL,
  agent_name text NOT NULL, ringing_since_ms bigint, ring_ms bigint NOT NULL,
  ring_failures bigint NOT NULL, talk_ms bigint NOT NULL, hold_ms bigint NOT NULL,
  wrap_up_ms bigint NOT NULL, talked boolean NOT NULL, handled boolean NOT NULL,
  disposition text NOT NULL, attributes jsonb NOT NULL, external_ref text NOT NULL,
  revision bigint NOT NULL, PRIMARY KEY (tenant_id, entry_id));
CREATE INDEX entry_offered ON entry (tenant_id, offered_at_ms, entry_id);
CREATE INDEX entry_contact ON entry (tenant_id, contact_id);
CREATE INDEX entry_revision ON entry (tenant_id, revision);
CREATE INDEX entry_unfinished ON entry (tenant_id, offered_at_ms)
  WHERE NOT handled AND exit IN ('waiting', 'answered');

CREATE TABLE agent_interval (
  tenant_id text, agent_id text COLLATE "C", version bigint, agent_name text NOT NULL,
  queue_ids text[] NOT NULL, state text NOT NULL, reason text NOT NULL, from_ms bigint NOT NULL,
  to_ms bigint, revision bigint NOT NULL, PRIMARY KEY (tenant_id, agent_id, version));
CREATE INDEX agent_interval_from ON agent_interval (tenant_id, from_ms, agent_id, version);
-- The end of one that goes on is beyond all others.
CREATE INDEX agent_interval_to
  ON agent_interval (tenant_id, coalesce(to_ms, 9223372036854775807));
CREATE INDEX agent_interval_revision ON agent_interval (tenant_id, revision);

CREATE TABLE call (
  tenant_id text, call_id text COLLATE "C", started_at_ms bigint NOT NULL, seq bigint NOT NULL,
  ended_at_ms bigint, termination text NOT NULL, PRIMARY KEY (tenant_id, call_id));
CREATE INDEX call_started ON call (tenant_id, started_at_ms, call_id);

SELECT chassis.protect('progress');
SELECT chassis.protect('zone');
SELECT chassis.protect('queue');
SELECT chassis.protect('agent');
SELECT chassis.protect('entry');
SELECT chassis.protect('agent_interval');
SELECT chassis.protect('call');
