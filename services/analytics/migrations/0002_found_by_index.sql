-- A call's id and its contact's id are one: only under one collation does an index find one by the
-- other.
ALTER TABLE entry ALTER COLUMN contact_id TYPE text COLLATE "C";

-- Row-level security lets an index serve only what cannot leak; coalesce() counts as if it could.
DROP INDEX agent_interval_to;
CREATE INDEX agent_interval_to ON agent_interval (tenant_id, to_ms);

CREATE INDEX agent_interval_agent ON agent_interval (tenant_id, agent_id, from_ms, version);
CREATE INDEX entry_agent ON entry (tenant_id, agent_id, offered_at_ms, entry_id);
