"""People and what they did, in PostgreSQL.

Which tenant's rows there are is decided by the database alone: statements name no tenant, every
transaction does.
"""

from __future__ import annotations

from services.chassis.database import Database
from services.portal.store_sql_dispositions import SqlDispositions
from services.portal.store_sql_keys import SqlKeys
from services.portal.store_sql_people import SqlPeople
from services.portal.store_sql_sessions import SqlSessions
from services.portal.store_sql_tenants import SqlTenants
from services.portal.store_sql_trail import SqlTrail


class SqlPortalStore(SqlTenants, SqlPeople, SqlSessions, SqlKeys, SqlDispositions, SqlTrail):
    """A `PortalStore` in the schema `portal`."""

    def __init__(self, database: Database) -> None:
        self._database = database
