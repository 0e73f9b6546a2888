"""Everything that ivr keeps, in memory or in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

from services.chassis.database import Database
from services.ivr.store import FlowStore, MemoryFlowStore
from services.ivr.store_library import LibraryStore
from services.ivr.store_library_sql import SqlLibraryStore
from services.ivr.store_sql import SqlFlowStore
from services.ivr.store_tenants import MemoryTenantStore, TenantStore
from services.ivr.store_tenants_sql import SqlTenantStore


@dataclass(frozen=True, slots=True)
class Stores:
    """What ivr keeps, by what it is."""

    flows: FlowStore
    """Flows, numbers and the index of spoken prompts."""
    library: LibraryStore
    """Prompts and calendars."""
    tenants: TenantStore
    """Tenants' terms."""


def memory_stores(flows: MemoryFlowStore | None = None) -> Stores:
    """Stores for tests and simulation: gone with the process."""
    kept = flows or MemoryFlowStore()
    return Stores(flows=kept, library=kept.library, tenants=MemoryTenantStore())


def sql_stores(database: Database) -> Stores:
    """Stores in the schema `ivr`."""
    return Stores(
        flows=SqlFlowStore(database),
        library=SqlLibraryStore(database),
        tenants=SqlTenantStore(database),
    )
