"""Stores of people for tests: in memory, and in a PostgreSQL that is emptied for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from services.chassis.bus import Bus, MemoryBus
from services.chassis.database import Database, DatabaseAddress
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId, uuid7
from services.chassis.outbox import OutboxPublisher
from services.chassis.postgres.server import PostgresServer
from services.portal.model.people import Account, ApiKey, Role, Tenant, User
from services.portal.model.sessions import Session, Token, TokenKind
from services.portal.model.trail import AnswerKey, AuditEntry
from services.portal.store import TOPIC, PortalStore
from services.portal.store_memory import MemoryPortalStore
from services.portal.store_sql import SqlPortalStore

ACME, OTHER, NOBODY = TenantId("t-acme"), TenantId("t-other"), TenantId("t-nobody")
ADMIN = frozenset({Role.ADMINISTRATOR})
HASH = "$argon2id$of-a-password"
NAME = AnswerKey("u-1", "order-7")


def tenant(tenant_id: TenantId, name: str) -> Tenant:
    return Tenant(tenant_id, name, name.title(), "Europe/Bucharest", "RO", 7)


def account(
    user_id: str, username: str, roles: frozenset[Role] = frozenset({Role.AGENT})
) -> Account:
    return Account(
        User(user_id, username, f"{username} Müller", "", roles, active=True, created_at_ms=7), HASH
    )


def event(event_id: str, tenant_id: TenantId = ACME) -> Envelope:
    return Envelope(event_id, tenant_id, 7, tenant_id, "carillon.portal.v1.UserPut", b"x")


@pytest.fixture(scope="module")
def address(postgres_server: PostgresServer) -> DatabaseAddress:
    """One migrated database for all tests here: emptying it takes less than making it."""
    return asyncio.run(postgres_server.database("portal_people"))


@pytest.fixture
async def database(
    postgres_server: PostgresServer, address: DatabaseAddress
) -> AsyncIterator[Database]:
    admin = await asyncpg.connect(postgres_server.admin_dsn(address.name))
    await admin.execute(
        "TRUNCATE portal.tenant, portal.disposition, portal.account, portal.session, portal.token,"
        " portal.api_key, portal.tally, portal.audit, portal.answer, portal.outbox"
    )
    await admin.close()
    made = Database(address, schema="portal")
    yield made
    await made.close()


@pytest.fixture
def bus() -> Bus:
    return MemoryBus()


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, database: Database, bus: Bus) -> PortalStore:
    made: PortalStore = (
        MemoryPortalStore(bus=bus) if request.param == "memory" else SqlPortalStore(database)
    )
    await settled(made)
    return made


async def settled(store: PortalStore) -> None:
    """Two tenants whose people have the same names, as they may."""
    await store.add_tenant(tenant(ACME, "acme"), account("u-1", "Ana", ADMIN), [event("e1")])
    await store.add_tenant(tenant(OTHER, "other"), account("o-1", "Ana", ADMIN), [])


async def published(bus: Bus, database: Database) -> list[str]:
    """The ids of what was told, from wherever it waits."""
    await OutboxPublisher(database=database, bus=bus).publish_some()
    ids: list[str] = []
    async with bus.consumer(group="g", topics=(TOPIC,)) as consumer:
        while (batch := await consumer.fetch(wait_s=0)) is not None:
            ids += [each.event_id for each in batch.events]
    return ids


def tokens(session_id: str, number: int = 1, expires_at_ms: int = 10_000) -> tuple[Token, Token]:
    return (
        Token(f"{session_id}-a{number}".encode(), TokenKind.ACCESS, session_id, expires_at_ms),
        Token(f"{session_id}-r{number}".encode(), TokenKind.REFRESH, session_id, expires_at_ms),
    )


async def began(
    store: PortalStore,
    session_id: str = "s-1",
    *,
    user_id: str = "u-1",
    at_ms: int = 100,
    most: int = 9,
) -> bool:
    session = Session(session_id, user_id, at_ms)
    return await store.add_session(ACME, session, tokens(session_id), password_hash=HASH, most=most)


def key(number: int, expires_at_ms: int = 0) -> ApiKey:
    return ApiKey(f"k-{number}", "crm", ADMIN, 7, expires_at_ms, "abc", f"h{number}".encode())


def entry(number: int, **parts: Any) -> AuditEntry:
    known = AuditEntry(
        audit_id=uuid7(number * 10, number),
        at_ms=number * 10,
        actor_id="u-1",
        actor_name="Ana",
        actor_kind="user",
        action="carillon.acd.v1.Acd/PutQueue",
        subject="queue sales",
        outcome="ok",
        address="127.0.0.1",
        detail_json='{"queue":"ü"}',
    )
    return replace(known, **parts)
