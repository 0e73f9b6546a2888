"""What is wrong with each of many people who are to be created, before any of them is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.chassis.ids import TenantId
from services.portal.core.changing import check_rank
from services.portal.core.checking import read_roles, user_faults
from services.portal.core.password_rules import check_password
from services.portal.model.errors import PlatformOnly, WeakPassword
from services.portal.model.importing import Fault, Row
from services.portal.model.people import Role, User

MAX_ROWS = 500
MAX_SKILLS = 100
MAX_SKILL_NAME = 100
MAX_QUEUES = 200
LEVELS = range(1, 11)
_SKILL = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Known:
    """What rows are compared with."""

    tenant_id: TenantId
    """Where they are to be created."""
    tenant_name: str
    """No password is its name."""
    asking: frozenset[str]
    """The roles of whoever asks, as `check_rank` wants them."""
    taken: frozenset[str]
    """Usernames that somebody has, in lower case."""
    queue_ids: frozenset[str]
    """The tenant's queues."""
    room: int | None
    """How many more may sign in; None: as many as like."""


def user_of(row: Row, *, user_id: str, now_ms: int) -> User:
    """The user whom a row describes; without roles when one of them does not exist."""
    return User(
        user_id=user_id,
        username=row.username,
        display_name=row.display_name or row.username,
        email=row.email,
        roles=read_roles(row.roles or (Role.AGENT.value,)) or frozenset(),
        active=True,
        created_at_ms=now_ms,
    )


def faults_of(rows: Sequence[Row], known: Known) -> list[tuple[Fault, ...]]:
    """What is wrong with each row. Who comes after the last place has none, and is told so."""
    names = Counter(row.username.lower() for row in rows)
    room, found = known.room, []
    for row in rows:
        faults = tuple(_faults(row, known, names))
        if not faults and room is not None:
            room -= 1
            if room < 0:
                words = "the platform's cap leaves no place: deactivate somebody, or ask for more"
                faults = (Fault("username", "too-many-users", words),)
        found.append(faults)
    return found


def _faults(row: Row, known: Known, names: Counter[str]) -> Iterator[Fault]:
    user = user_of(row, user_id="", now_ms=0)
    yield from user_faults(user, tenant_id=known.tenant_id)
    name = row.username.lower()
    if name in known.taken:
        yield Fault("username", "username-taken", "somebody has it: choose another")
    elif names[name] > 1:
        yield Fault("username", "username-twice", "another row has it: choose another")
    try:
        check_rank(known.asking, user.roles)
    except PlatformOnly as error:
        yield Fault("roles", error.code, str(error))
    if row.password:
        try:
            check_password(row.password, names=(row.username, known.tenant_name))
        except WeakPassword as error:
            yield Fault("password", error.code, str(error))
    yield from _agent_faults(row, user, known)


def _agent_faults(row: Row, user: User, known: Known) -> Iterator[Fault]:
    if (row.skills or row.queue_ids) and user.roles and Role.AGENT not in user.roles:
        words = "only agents have skills and queues: add the role agent, or leave them out"
        yield Fault("roles", "not-an-agent", words)
    if len(row.skills) > MAX_SKILLS:
        yield Fault("skills", "too-many-skills", f"at most {MAX_SKILLS}")
    for name, level in row.skills.items():
        if len(name) > MAX_SKILL_NAME or not _SKILL.fullmatch(name):
            words = f"a skill's name has 1 to {MAX_SKILL_NAME} printable characters"
            yield Fault("skills", "bad-skill", words)
        if level not in LEVELS:
            words = f"{name[:MAX_SKILL_NAME]}: a level is {LEVELS[0]} to {LEVELS[-1]}"
            yield Fault("skills", "bad-level", words)
    if len(row.queue_ids) > MAX_QUEUES or len(set(row.queue_ids)) != len(row.queue_ids):
        yield Fault("queue_ids", "bad-queues", f"at most {MAX_QUEUES}, each once")
    for queue_id in sorted(set(row.queue_ids) - known.queue_ids):
        words = f"there is no queue {queue_id[:MAX_SKILL_NAME]!r}: create it first"
        yield Fault("queue_ids", "no-such-queue", words)
