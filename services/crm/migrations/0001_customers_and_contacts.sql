-- Customers, their numbers, and every contact they ever had.

-- `body` is the customer as it is shown; what is searched and sorted by stands beside it in lower
-- case, made by the service, whose idea of lower case does not depend on the server's locale.
CREATE TABLE crm.customer (
  tenant_id text NOT NULL, customer_id text NOT NULL,
  sorted_name text COLLATE "C" NOT NULL, searched text NOT NULL, segment text NOT NULL,
  body jsonb NOT NULL,
  PRIMARY KEY (tenant_id, customer_id));
CREATE INDEX customer_by_name
  ON crm.customer (tenant_id, sorted_name, (customer_id COLLATE "C"));

CREATE TABLE crm.customer_number (
  tenant_id text NOT NULL, number text NOT NULL, customer_id text NOT NULL,
  PRIMARY KEY (tenant_id, number),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES crm.customer ON DELETE CASCADE);
CREATE INDEX customer_number_by_customer ON crm.customer_number (tenant_id, customer_id);

-- `body` is the contact as it is shown; `parts` are the stays and conversations it was made from.
CREATE TABLE crm.contact (
  tenant_id text NOT NULL, contact_id text COLLATE "C" NOT NULL,
  customer_id text NOT NULL DEFAULT '', number text NOT NULL DEFAULT '',
  started_at_ms bigint NOT NULL DEFAULT 0,
  body jsonb NOT NULL, parts jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, contact_id));
CREATE INDEX contact_of_customer
  ON crm.contact (tenant_id, customer_id, started_at_ms DESC, contact_id DESC);
CREATE INDEX contact_of_number
  ON crm.contact (tenant_id, number, started_at_ms DESC, contact_id DESC);

-- What people call queues and agents.
CREATE TABLE crm.name (
  tenant_id text NOT NULL, kind text NOT NULL, id text NOT NULL, name text NOT NULL,
  PRIMARY KEY (tenant_id, kind, id));

SELECT chassis.protect('crm.customer');
SELECT chassis.protect('crm.customer_number');
SELECT chassis.protect('crm.contact');
SELECT chassis.protect('crm.name');

-- Calls that began before it was known whose they are, until their tenant is told.
CREATE TABLE crm.unclaimed_call (
  contact_id text PRIMARY KEY, number text NOT NULL, called text NOT NULL, at_ms bigint NOT NULL);
CREATE INDEX unclaimed_call_by_age ON crm.unclaimed_call (at_ms);

SELECT chassis.make_outbox('crm', 'carillon_crm');
