-- Flows in immutable versions, numbers and where they lead, and the index of spoken prompts.

CREATE TABLE ivr.flow (
  tenant_id text NOT NULL, flow_id text COLLATE "C" NOT NULL,
  newest int NOT NULL DEFAULT 0, published int NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, flow_id));

CREATE TABLE ivr.flow_version (
  tenant_id text NOT NULL, flow_id text COLLATE "C" NOT NULL, version int NOT NULL,
  definition_json text NOT NULL, created_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant_id, flow_id, version),
  FOREIGN KEY (tenant_id, flow_id) REFERENCES ivr.flow);

-- A number on a trunk is one tenant's alone: uniqueness holds across tenants.
CREATE TABLE ivr.number (
  tenant_id text NOT NULL, number text COLLATE "C" NOT NULL, trunk text COLLATE "C" NOT NULL,
  flow_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, number, trunk),
  FOREIGN KEY (tenant_id, flow_id) REFERENCES ivr.flow);
CREATE UNIQUE INDEX number_of_one_tenant ON ivr.number (number, trunk);

SELECT chassis.protect('ivr.flow');
SELECT chassis.protect('ivr.flow_version');
SELECT chassis.protect('ivr.number');

-- Texts that were spoken, by the hash of voice, language and text; the same for all tenants.
CREATE TABLE ivr.prompt (key text PRIMARY KEY, sha256 text NOT NULL);

-- Whose a number is, before any tenant is known: the one look-up that crosses tenants.
CREATE FUNCTION ivr.resolve_number(wanted_trunk text, wanted_number text)
RETURNS TABLE (tenant_id text, flow_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
$$ SELECT n.tenant_id, n.flow_id FROM ivr.number AS n
   WHERE n.number = wanted_number AND n.trunk = wanted_trunk $$;
SELECT chassis.open_to_definer('ivr.number');
ALTER FUNCTION ivr.resolve_number(text, text) OWNER TO carillon_definer;
REVOKE ALL ON FUNCTION ivr.resolve_number(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ivr.resolve_number(text, text) TO carillon_ivr;
