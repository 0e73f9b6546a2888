-- How many of a tenant's calls each replica of ivr carries, for the cap that all keep together.
-- Only of tenants that have a cap; a replica that says nothing for some seconds counts no more.
CREATE TABLE ivr.tenant_calls (
  tenant_id text NOT NULL, replica text COLLATE "C" NOT NULL,
  calls bigint NOT NULL, told_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, replica));

SELECT chassis.protect('ivr.tenant_calls');
