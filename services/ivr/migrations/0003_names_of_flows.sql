-- What people call a flow, beside each version: lists show it without reading definitions.

ALTER TABLE ivr.flow_version ADD COLUMN name text NOT NULL DEFAULT '';

-- What PostgreSQL cannot read as JSON keeps no name, and is shown by its id.
CREATE FUNCTION pg_temp.name_in(definition text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN coalesce(definition::json ->> 'name', '');
EXCEPTION WHEN OTHERS THEN
  RETURN '';
END $$;

ALTER TABLE ivr.flow_version NO FORCE ROW LEVEL SECURITY;
UPDATE ivr.flow_version SET name = pg_temp.name_in(definition_json);
ALTER TABLE ivr.flow_version FORCE ROW LEVEL SECURITY;
DROP FUNCTION pg_temp.name_in(text);
