"""What a process shows of its world: the clock, and the connections to its database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.chassis.database import NoDatabase
from services.chassis.metrics import Reading
from services.chassis.world import World

BUS = "bus"
"""The schema of the bus, whose connections are every process's own."""


def of(world: World, schemas: Sequence[str]) -> Iterator[Reading]:
    """The clock, and the pools of these schemas; those that nobody has opened are at 0."""
    yield Reading(
        "carillon_process_clock_seconds",
        "What time the process takes it for, in seconds of UTC since 1970.",
        world.clock.now_ms() / 1_000,
    )
    for schema in schemas:
        try:
            database = world.database(schema)
        except NoDatabase:
            continue
        if database is None:
            continue
        use = database.use
        for state, count in (("busy", use.busy), ("idle", use.idle)):
            yield Reading(
                "carillon_database_connections",
                "Connections to the database, by schema and by whether one works.",
                count,
                (("schema", schema), ("state", state)),
            )
        yield Reading(
            "carillon_database_connections_limit",
            "How many connections there may be, by schema.",
            use.limit,
            (("schema", schema),),
        )
