-- What happened to each contact. One row holds the steps that one batch of events told about one
-- contact: a contact's story is read as a whole, and written as it comes. Steps carry their events'
-- ids, by which each counts once.
CREATE TABLE story_steps (
  tenant_id text, contact_id text COLLATE "C", first_event_id text COLLATE "C",
  number int NOT NULL, first_at_ms bigint NOT NULL, steps json NOT NULL,
  PRIMARY KEY (tenant_id, contact_id, first_event_id));

-- Who said what in SIP, once for each call.
CREATE TABLE story_ladder (
  tenant_id text, contact_id text COLLATE "C", steps json NOT NULL,
  PRIMARY KEY (tenant_id, contact_id));

SELECT chassis.protect('story_steps');
SELECT chassis.protect('story_ladder');
