-- What the platform lets a tenant use, the language of its people, and what its contacts were about.

ALTER TABLE portal.tenant
  ADD COLUMN language text NOT NULL DEFAULT '',
  ADD COLUMN max_users int NOT NULL DEFAULT 0,
  ADD COLUMN max_calls int NOT NULL DEFAULT 0,
  ADD COLUMN suspended boolean NOT NULL DEFAULT false;

CREATE TABLE portal.disposition (
  tenant_id text NOT NULL REFERENCES portal.tenant,
  code text COLLATE "C" NOT NULL,
  label text NOT NULL,
  queue_ids text[] NOT NULL,
  position int NOT NULL,
  active boolean NOT NULL,
  PRIMARY KEY (tenant_id, code));
SELECT chassis.protect('portal.disposition');
