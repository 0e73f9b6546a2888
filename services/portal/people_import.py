"""Many people created at once: each row for itself, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.chassis.errors import CarillonError
from services.chassis.log import get_logger
from services.portal.core.importing import Known, faults_of, user_of
from services.portal.core.password_making import RANDOM_BITS, made_password
from services.portal.model.importing import Created, Fault, Row
from services.portal.model.people import Account, Role, Tenant
from services.portal.people_parts import PeopleParts

log = get_logger("portal.people")

AT_ONCE = 4
"""Rows that are worked on at the same time: those who sign in meanwhile wait no longer for it."""


class Importer:
    """Creates the people of one request."""

    def __init__(self, *, parts: PeopleParts, tenant: Tenant) -> None:
        self._parts = parts
        self._tenant = tenant
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def check(
        self, rows: Sequence[Row], *, asking: frozenset[str]
    ) -> list[tuple[Fault, ...]]:
        """What is wrong with each row, by what there is now; RoutingAway."""
        parts, tenant = self._parts, self._tenant
        cap = tenant.caps.max_users
        present = (await parts.store.headcount(tenant.tenant_id)).users if cap else 0
        names = [row.username for row in rows if "\0" not in row.username]
        known = Known(
            tenant_id=tenant.tenant_id,
            tenant_name=tenant.name,
            asking=asking,
            taken=frozenset(await parts.store.names_in_use(tenant.tenant_id, names)),
            queue_ids=await self._queue_ids(rows),
            room=max(0, cap - present) if cap else None,
        )
        return faults_of(rows, known)

    async def create(
        self, rows: Sequence[Row], faults: Sequence[tuple[Fault, ...]]
    ) -> list[Created]:
        """Creates those with whom nothing is wrong."""
        async with asyncio.TaskGroup() as group:
            creating = [
                group.create_task(self._create(row, wrong))
                for row, wrong in zip(rows, faults, strict=True)
            ]
        return [each.result() for each in creating]

    async def _queue_ids(self, rows: Sequence[Row]) -> frozenset[str]:
        if not any(row.queue_ids for row in rows):
            return frozenset()
        return frozenset(await self._parts.agents.queue_ids())

    async def _create(self, row: Row, wrong: tuple[Fault, ...]) -> Created:
        if wrong:
            return Created(wrong)
        parts, tenant_id = self._parts, self._tenant.tenant_id
        made = "" if row.password else made_password(parts.random_bits(RANDOM_BITS))
        async with self._turns:
            now_ms = parts.clock.now_ms()
            user = user_of(row, user_id=parts.new_id(), now_ms=now_ms)
            try:
                account = Account(user, await parts.passwords.hash(row.password or made))
                event = parts.envelopes.user_put(tenant_id, user, now_ms)
                await parts.store.add_user(tenant_id, account, (event,))
            except CarillonError as error:
                return Created((Fault("username", error.code, str(error)),))
            created = Created((), user.user_id, made)
            if Role.AGENT not in user.roles:
                return created
            try:
                await parts.agents.put(
                    user.user_id, user.display_name, skills=row.skills, queue_ids=row.queue_ids
                )
            except CarillonError as error:
                # They may sign in all the same; an administrator makes them an agent later.
                log.warning("user is no agent yet", tenant=tenant_id, user=user.user_id)
                why = Fault("queue_ids", error.code, f"created, but no agent yet: {error}")
                return Created((why,), user.user_id, made)
            return created
