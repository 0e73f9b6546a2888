"""What an installation keeps: its database, its bus, its store of recordings, its disks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import asyncpg

from services.chassis.bus import BusUnavailable
from services.chassis.database import (
    Database,
    DatabaseAddress,
    DatabaseUnavailable,
    NoDatabase,
    role_of,
)
from services.chassis.errors import CarillonError
from services.chassis.migrations import migrations_of, schemas
from services.launcher.doctor.model import Finding, Place
from services.launcher.doctor.scraping import read

BUS = "bus"
TWICE_S = 2.0
"""Between two looks at what waits: a burst is gone by then."""
SPOOL_ROOM = "carillon_gateway_spool_room_bytes"

_BEHIND = """
SELECT g."group", h.topic, sum(h.next_offset - g.next_offset)::bigint AS behind
FROM chassis.bus_head h JOIN chassis.bus_group g USING (topic, partition) GROUP BY 1, 2
"""


class PostgresBacklog:
    """What waits on the bus in PostgreSQL."""

    def __init__(self, address: DatabaseAddress) -> None:
        self._address = address

    async def behind(self) -> Mapping[tuple[str, str], int]:
        """Events that are not done, by group and topic; BusUnavailable."""
        database = Database(self._address, schema=BUS)
        try:
            async with database.untenanted() as connection:
                rows = await connection.fetch(_BEHIND)
        except (DatabaseUnavailable, NoDatabase) as error:
            raise BusUnavailable(str(error)) from error
        finally:
            await database.close()
        return {(row["group"], row["topic"]): row["behind"] for row in rows}


async def migrations(place: Place) -> list[Finding] | None:
    """Every file of this release was applied to the database."""
    if place.database is None:
        return None
    database = Database(place.database, schema=place.login)
    try:
        async with database.untenanted() as connection:
            rows = await connection.fetch("SELECT schema, version FROM chassis.migration")
    except (DatabaseUnavailable, NoDatabase, asyncpg.PostgresError) as error:
        return [
            Finding(
                f"The database cannot be asked: {error}.",
                f"Look whether PostgreSQL runs at {place.database.told()} and takes the password of"
                f" {role_of(place.login)}.",
            )
        ]
    finally:
        await database.close()
    done = {(row["schema"], row["version"]) for row in rows}
    missing = [
        f"{schema}/{file.name}"
        for schema in schemas()
        for file in migrations_of(schema)
        if (schema, file.version) not in done
    ]
    if not missing:
        return []
    return [
        Finding(
            f"The database lacks {len(missing)} migrations of this release: {', '.join(missing)}.",
            "Run `python -m services migrate` before the services of this release.",
        )
    ]


async def backlog(place: Place) -> list[Finding] | None:
    """No group is far behind the bus, twice in a row."""
    if place.backlog is None:
        return None
    try:
        first = await place.backlog.behind()
        late = {whose for whose, count in first.items() if count > place.limits.max_behind}
        if not late:
            return []
        await asyncio.sleep(TWICE_S)
        second = await place.backlog.behind()
    except BusUnavailable as error:
        return [
            Finding(
                f"The bus cannot be asked: {error}.",
                "Look whether the broker runs; calls go on, and facts wait where they are made.",
            )
        ]
    return [
        Finding(
            f"Group {group} is {second[group, topic]} events behind on {topic}.",
            f"Look whether {group} runs, and in its log for `feed is stuck`; if it only is slow,"
            " start a replica.",
        )
        for group, topic in sorted(late)
        if second.get((group, topic), 0) > place.limits.max_behind
    ]


async def lock(place: Place) -> list[Finding] | None:
    """What is locked in the store of recordings cannot be removed."""
    if place.canary is None:
        return None
    try:
        how = await place.canary.broken()
    except CarillonError as error:
        return [
            Finding(
                f"The store cannot be asked: {error}.",
                "Look whether it runs, and takes the keys that it is asked with; what is recorded"
                " waits in the gateways' spools.",
            )
        ]
    if not how:
        return []
    return [
        Finding(
            f"The store's object lock is not real: {how}.",
            "Recordings there can be altered. Use a store that keeps COMPLIANCE locks, in a bucket"
            " that was made with object lock.",
        )
    ]


async def spools(place: Place) -> list[Finding] | None:
    """Each gateway's spool has room for an outage of recording."""
    found, asked = [], False
    for address in place.metrics:
        values = await read(address)
        room = None if values is None else values.of(SPOOL_ROOM)
        if room is None:
            continue
        asked = True
        if room < place.limits.min_spool_bytes:
            found.append(
                Finding(
                    f"The spool of the gateway at {address} has room for"
                    f" {max(0, round(room / 1024**2))} MiB only.",
                    "Make room on its disk, or look why recording does not take what waits; a full"
                    " spool loses recordings.",
                )
            )
    return found if asked else None
