-- Tenants, users, sessions, API keys, the audit trail, and answers to repeated requests.

CREATE TABLE portal.tenant (
  tenant_id text PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  display_name text NOT NULL,
  time_zone text NOT NULL,
  region text NOT NULL,
  created_at_ms bigint NOT NULL);
SELECT chassis.protect('portal.tenant');
SELECT chassis.open_to_definer('portal.tenant');

-- `username_key` and `search` are in lower case as the service makes it: the database's own
-- depends on where it was made.
CREATE TABLE portal.account (
  tenant_id text NOT NULL REFERENCES portal.tenant,
  user_id text NOT NULL,
  username text NOT NULL,
  username_key text COLLATE "C" NOT NULL,
  search text NOT NULL,
  display_name text NOT NULL,
  email text NOT NULL,
  roles text[] NOT NULL,
  active boolean NOT NULL,
  password_hash text NOT NULL,
  created_at_ms bigint NOT NULL,
  last_seen_at_ms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, user_id),
  UNIQUE (tenant_id, username_key));
SELECT chassis.protect('portal.account');

CREATE TABLE portal.session (
  tenant_id text NOT NULL,
  session_id text NOT NULL,
  user_id text NOT NULL,
  created_at_ms bigint NOT NULL,
  ended_at_ms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, session_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES portal.account);
CREATE INDEX ON portal.session (tenant_id, user_id, created_at_ms) WHERE ended_at_ms = 0;
SELECT chassis.protect('portal.session');

-- Of a token, only its hash. A used refresh token stays until it runs out: shown again, it ends
-- its session.
CREATE TABLE portal.token (
  tenant_id text NOT NULL,
  sha256 bytea NOT NULL UNIQUE,
  kind text NOT NULL,
  session_id text NOT NULL,
  expires_at_ms bigint NOT NULL,
  used_at_ms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, sha256),
  FOREIGN KEY (tenant_id, session_id) REFERENCES portal.session);
CREATE INDEX ON portal.token (expires_at_ms);
CREATE INDEX ON portal.token (tenant_id, session_id);
SELECT chassis.protect('portal.token');
SELECT chassis.open_to_definer('portal.token');

CREATE TABLE portal.api_key (
  tenant_id text NOT NULL REFERENCES portal.tenant,
  key_id text COLLATE "C" NOT NULL UNIQUE,
  name text NOT NULL,
  roles text[] NOT NULL,
  created_at_ms bigint NOT NULL,
  expires_at_ms bigint NOT NULL,
  prefix text NOT NULL,
  sha256 bytea NOT NULL,
  revoked_at_ms bigint NOT NULL DEFAULT 0,
  last_used_at_ms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, key_id));
SELECT chassis.protect('portal.api_key');
SELECT chassis.open_to_definer('portal.api_key');

-- Wrong passwords of late, under a hash of the name or the address they were tried for. The hash
-- says nothing of any tenant, and what was tried need not exist.
CREATE TABLE portal.tally (
  key text PRIMARY KEY,
  failed_at_ms bigint[] NOT NULL,
  locked_until_ms bigint NOT NULL,
  forget_at_ms bigint NOT NULL);
CREATE INDEX ON portal.tally (forget_at_ms);

-- Appended to and read, never changed: the service's role cannot. There is no reference to the
-- tenant, so that nothing can keep an entry from being written.
CREATE TABLE portal.audit (
  tenant_id text NOT NULL,
  audit_id text COLLATE "C" NOT NULL,
  at_ms bigint NOT NULL,
  actor_id text NOT NULL,
  actor_name text NOT NULL,
  actor_kind text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  outcome text NOT NULL,
  address text NOT NULL,
  detail_json text NOT NULL,
  PRIMARY KEY (tenant_id, audit_id));
CREATE INDEX ON portal.audit (tenant_id, actor_id, audit_id);
CREATE INDEX ON portal.audit (tenant_id, at_ms);
SELECT chassis.protect('portal.audit');
REVOKE UPDATE, DELETE ON portal.audit FROM carillon_portal;

CREATE TABLE portal.answer (
  tenant_id text NOT NULL,
  principal_id text NOT NULL,
  key text NOT NULL,
  request_hash text NOT NULL,
  reserved_at_ms bigint NOT NULL,
  status int NOT NULL DEFAULT 0,
  content_type text NOT NULL DEFAULT '',
  body bytea NOT NULL DEFAULT '',
  PRIMARY KEY (tenant_id, principal_id, key));
CREATE INDEX ON portal.answer (reserved_at_ms);
SELECT chassis.protect('portal.answer');
SELECT chassis.open_to_definer('portal.answer');

SELECT chassis.make_outbox('portal', 'carillon_portal');

-- ---- what is found before a tenant is known ----

CREATE FUNCTION portal.tenant_named(wanted text) RETURNS SETOF portal.tenant
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = portal, pg_temp AS
$$ SELECT * FROM tenant WHERE name = wanted $$;

CREATE FUNCTION portal.tenant_of_token(wanted bytea) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = portal, pg_temp AS
$$ SELECT tenant_id FROM token WHERE sha256 = wanted $$;

CREATE FUNCTION portal.tenant_of_key(wanted text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = portal, pg_temp AS
$$ SELECT tenant_id FROM api_key WHERE key_id = wanted $$;

-- ---- what the platform sees of all tenants ----

CREATE FUNCTION portal.tenants_after(after text, most int) RETURNS SETOF portal.tenant
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = portal, pg_temp AS
$$ SELECT * FROM tenant WHERE name > after ORDER BY name LIMIT most $$;

-- Tenants that have tokens or answers which have run out.
CREATE FUNCTION portal.tenants_to_sweep(tokens_before bigint, answers_before bigint, most int)
RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = portal, pg_temp AS
$$ SELECT tenant_id FROM token WHERE expires_at_ms <= tokens_before
   UNION
   SELECT tenant_id FROM answer WHERE reserved_at_ms <= answers_before
   LIMIT most $$;

DO $$
DECLARE f text;
BEGIN
  FOREACH f IN ARRAY ARRAY['tenant_named(text)', 'tenant_of_token(bytea)', 'tenant_of_key(text)',
                           'tenants_after(text, int)', 'tenants_to_sweep(bigint, bigint, int)']
  LOOP
    EXECUTE 'REVOKE ALL ON FUNCTION portal.' || f || ' FROM PUBLIC';
    EXECUTE 'GRANT EXECUTE ON FUNCTION portal.' || f || ' TO carillon_portal';
    EXECUTE 'ALTER FUNCTION portal.' || f || ' OWNER TO carillon_definer';
  END LOOP;
END $$;
