-- Prompts and calendars that flows name, which flows name them, and what ivr must know of tenants.

CREATE TABLE ivr.library_prompt (
  tenant_id text NOT NULL, prompt_id text COLLATE "C" NOT NULL,
  name text NOT NULL, text text NOT NULL, language text NOT NULL,
  source text NOT NULL DEFAULT 'none', sha256 text NOT NULL DEFAULT '',
  duration_ms bigint NOT NULL DEFAULT 0, changed_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant_id, prompt_id));

-- The week and the special days as JSON: they are read and written together, always.
CREATE TABLE ivr.calendar (
  tenant_id text NOT NULL, calendar_id text COLLATE "C" NOT NULL,
  name text NOT NULL, time_zone text NOT NULL, hours_json text NOT NULL,
  changed_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant_id, calendar_id));

-- What the published version of a flow names. The keys keep it from being removed.
CREATE TABLE ivr.flow_prompt (
  tenant_id text NOT NULL, flow_id text COLLATE "C" NOT NULL,
  prompt_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, flow_id, prompt_id),
  FOREIGN KEY (tenant_id, flow_id) REFERENCES ivr.flow,
  FOREIGN KEY (tenant_id, prompt_id) REFERENCES ivr.library_prompt);
CREATE INDEX flow_prompt_of_prompt ON ivr.flow_prompt (tenant_id, prompt_id);
CREATE TABLE ivr.flow_calendar (
  tenant_id text NOT NULL, flow_id text COLLATE "C" NOT NULL,
  calendar_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, flow_id, calendar_id),
  FOREIGN KEY (tenant_id, flow_id) REFERENCES ivr.flow,
  FOREIGN KEY (tenant_id, calendar_id) REFERENCES ivr.calendar);
CREATE INDEX flow_calendar_of_calendar ON ivr.flow_calendar (tenant_id, calendar_id);

-- What portal says of a tenant that ivr goes by; the newest word counts.
CREATE TABLE ivr.tenant (
  tenant_id text NOT NULL PRIMARY KEY, time_zone text NOT NULL,
  max_calls bigint NOT NULL, suspended boolean NOT NULL, told_at_ms bigint NOT NULL);

SELECT chassis.protect('ivr.library_prompt');
SELECT chassis.protect('ivr.calendar');
SELECT chassis.protect('ivr.flow_prompt');
SELECT chassis.protect('ivr.flow_calendar');
SELECT chassis.protect('ivr.tenant');
