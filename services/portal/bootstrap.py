"""The first administrator: somebody must be there to let the others in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from services.chassis.clock import Clock
from services.chassis.log import get_logger
from services.portal.model.errors import TenantExists
from services.portal.model.people import PLATFORM_TENANT, Account, Role, Tenant, User
from services.portal.passwords import Passwords
from services.portal.store import PeopleStore
from services.portal.tokens import RandomBits, new_token
from services.portal.wire_people import Envelopes

log = get_logger("portal.bootstrap")

USERNAME = "root"
FILE = "bootstrap.json"
"""In the folder of this installation's data; only its user may read it."""


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """How the platform's first administrator signs in."""

    tenant: str
    """The platform's."""
    username: str
    """Theirs."""
    password: str = field(repr=False)
    """Until they change it."""


class Bootstrap:
    """Makes the tenant `platform` with its administrator `root`, once in an installation's life."""

    def __init__(
        self,
        *,
        store: PeopleStore,
        passwords: Passwords,
        envelopes: Envelopes,
        clock: Clock,
        new_id: Callable[[], str],
        random_bits: RandomBits,
        path: Path,
        password: str = "",
    ) -> None:
        """`password` is the administrator's; empty: a random one, written to `path`."""
        self._store = store
        self._passwords = passwords
        self._envelopes = envelopes
        self._clock = clock
        self._new_id = new_id
        self._random_bits = random_bits
        self._path = path
        self._password = password

    async def run(self) -> None:
        """Makes them unless they are there."""
        if await self._store.tenant_named(PLATFORM_TENANT) is not None:
            return
        tenant, account = await self._first()
        events = (
            self._envelopes.tenant_put(tenant, tenant.created_at_ms),
            self._envelopes.user_put(tenant.tenant_id, account.user, tenant.created_at_ms),
        )
        try:
            await self._store.add_tenant(tenant, account, events)
        except TenantExists:
            # Another replica was first, and its password is the one that holds.
            log.info("the platform's tenant is there already")
            if not self._password:
                self._path.unlink(missing_ok=True)
            return
        log.info("the platform's first administrator was made", username=USERNAME)

    async def _first(self) -> tuple[Tenant, Account]:
        now_ms = self._clock.now_ms()
        tenant = Tenant(
            tenant_id=PLATFORM_TENANT,
            name=PLATFORM_TENANT,
            display_name="Platform",
            time_zone="UTC",
            region="",
            created_at_ms=now_ms,
        )
        user = User(
            user_id=self._new_id(),
            username=USERNAME,
            display_name="Platform administrator",
            email="",
            roles=frozenset({Role.ADMINISTRATOR, Role.PLATFORM}),
            active=True,
            created_at_ms=now_ms,
        )
        return tenant, Account(user, await self._passwords.hash(self._known_password()))

    def _known_password(self) -> str:
        """The password that was given, or one that is in the file before anybody needs it."""
        if self._password:
            return self._password
        known = read_first_administrator(self._path)
        if known is None:
            password = new_token("", self._random_bits)
            known = FirstAdministrator(PLATFORM_TENANT, USERNAME, password)
            _write(self._path, known)
        return known.password


def read_first_administrator(path: Path) -> FirstAdministrator | None:
    """What the file says; None when there is none, or it cannot be read."""
    try:
        return FirstAdministrator(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, known: FirstAdministrator) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(known), file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
