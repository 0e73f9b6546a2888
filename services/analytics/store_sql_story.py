"""Stories in PostgreSQL: steps by the batch that told them, read by their contact."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from services.analytics.core.story import MAX_STEPS
from services.analytics.model.story import Ladder, LadderStep, Step
from services.analytics.model.words import Source
from services.chassis.database import Connection
from services.chassis.ids import TenantId

_PUT_STEPS = """
INSERT INTO story_steps AS kept
  (tenant_id, contact_id, first_event_id, number, first_at_ms, steps)
SELECT $1, told.* FROM
  unnest($2::text[], $3::text[], $4::int[], $5::bigint[], $6::json[])
  AS told(contact_id, first_event_id, number, first_at_ms, steps)
WHERE coalesce((SELECT sum(before.number) FROM story_steps before
  WHERE before.contact_id = told.contact_id), 0) < $7
ON CONFLICT (tenant_id, contact_id, first_event_id) DO UPDATE
  SET number = excluded.number, steps = excluded.steps WHERE kept.number < excluded.number
"""
_PUT_LADDERS = """
INSERT INTO story_ladder (tenant_id, contact_id, steps)
SELECT $1, told.* FROM unnest($2::text[], $3::json[]) AS told ON CONFLICT DO NOTHING
"""
_GET_STEPS = """
SELECT steps FROM story_steps WHERE contact_id = $1 ORDER BY first_at_ms, first_event_id
"""
_GET_LADDER = "SELECT steps FROM story_ladder WHERE contact_id = $1"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


async def put_steps(connection: Connection, tenant_id: TenantId, steps: Iterable[Step]) -> None:
    """Adds steps to their stories, as far as there is room; those told before change nothing."""
    told: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        told[step.contact_id].append(step)
    if not told:
        return
    # In one order everywhere, so that two writers never wait for one another.
    parts = [told[contact_id] for contact_id in sorted(told)]
    await connection.execute(
        _PUT_STEPS,
        tenant_id,
        [part[0].contact_id for part in parts],
        [part[0].event_id for part in parts],
        [len(part) for part in parts],
        [part[0].at_ms for part in parts],
        [_encode(list(map(_row, part))) for part in parts],
        MAX_STEPS,
    )


async def put_ladders(
    connection: Connection, tenant_id: TenantId, ladders: Sequence[Ladder]
) -> None:
    """Keeps calls' signalling; the first that is told of a call counts."""
    if not ladders:
        return
    told = {ladder.contact_id: ladder for ladder in reversed(ladders)}
    rows = [
        [[s.at_ms, s.leg_id, s.sent, s.peer, s.line, s.cseq, s.times] for s in told[key].steps]
        for key in sorted(told)
    ]
    await connection.execute(_PUT_LADDERS, tenant_id, sorted(told), list(map(_encode, rows)))


async def steps_of(connection: Connection, contact_id: str) -> list[Step]:
    """Everything told of a contact, as it came."""
    rows = await connection.fetch(_GET_STEPS, contact_id)
    return [_step(contact_id, each) for row in rows for each in json.loads(row["steps"])]


async def ladder_of(connection: Connection, contact_id: str) -> tuple[LadderStep, ...]:
    """A call's signalling."""
    steps = await connection.fetchval(_GET_LADDER, contact_id)
    return tuple(LadderStep(*each) for each in json.loads(steps)) if steps else ()


def _row(step: Step) -> tuple[object, ...]:
    return (step.event_id, step.seq, step.at_ms, step.kind, step.source, step.values)


def _step(contact_id: str, row: Sequence[Any]) -> Step:
    event_id, seq, at_ms, kind, source, values = row
    return Step(contact_id, event_id, seq, at_ms, kind, Source(source), values)
