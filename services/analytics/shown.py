"""Records and figures as messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protos.analytics.v1 import analytics_pb2 as pb
from services.analytics.core.formulas import Figure
from services.analytics.core.kpi import Kpi
from services.analytics.core.live import LiveRow
from services.analytics.core.measures import OfCalls, OfEntries, OfTime, Part, one
from services.analytics.model.alarms import Alarm, Threshold
from services.analytics.model.records import Call, Entry, Interval
from services.analytics.model.story import LadderStep, Step, Story
from services.analytics.model.words import Unit


def figure(value: Figure) -> pb.Figure:
    """One figure; without a value where there is none."""
    return pb.Figure(
        kpi=value.kpi,
        variant=value.variant,
        value=value.value,
        unit=value.unit,
        numerator=value.numerator,
        denominator=value.denominator,
    )


def live_row(row: LiveRow) -> pb.LiveRow:
    """One row of live figures."""
    return pb.LiveRow(
        queue_id=row.queue_id,
        name=row.name,
        waiting=row.waiting,
        oldest_waiting_since_ms=row.oldest_waiting_since_ms or 0,
        today=map(figure, row.today),
        now=map(figure, row.now),
        agents=[pb.AgentsInState(state=state, agents=number) for state, number in row.agents],
    )


def entry(value: Entry) -> pb.Entry:
    """One stay in one queue."""
    return pb.Entry(
        entry_id=value.entry_id,
        contact_id=value.contact_id,
        queue_id=value.queue_id,
        queue_name=value.queue_name,
        offered_at_ms=value.offered_at_ms,
        left_at_ms=value.left_at_ms or 0,
        exit=value.exit,
        wait_ms=value.wait_ms,
        agent_id=value.agent_id,
        agent_name=value.agent_name,
        ring_ms=value.ring_ms,
        talk_ms=value.talk_ms,
        hold_ms=value.hold_ms,
        wrap_up_ms=value.wrap_up_ms,
        disposition=value.disposition,
        ring_failures=value.ring_failures,
        attributes=dict(value.attributes),
        external_ref=value.external_ref,
    )


def interval(value: Interval) -> pb.Interval:
    """A stretch of an agent's time."""
    return pb.Interval(
        agent_id=value.agent_id,
        agent_name=value.agent_name,
        queue_ids=value.queue_ids,
        version=value.version,
        state=value.state,
        reason=value.reason,
        from_ms=value.from_ms,
        to_ms=value.to_ms or 0,
    )


def call(value: Call) -> pb.Call:
    """One call."""
    message = pb.Call(
        call_id=value.call_id,
        started_at_ms=value.started_at_ms,
        ended_at_ms=value.ended_at_ms or 0,
        termination=value.termination,
        queued=value.queued,
        answered=value.answered,
        to=value.called,
        outcome=value.outcome,
    )
    setattr(message, "from", value.caller)
    return message


def kpi(value: Kpi) -> pb.Kpi:
    """One KPI with one of its formulas."""
    return pb.Kpi(
        kpi=value.kpi,
        variant=value.variant,
        name=value.name,
        formula=value.formula,
        version=value.version,
        unit=value.unit,
        default_variant=value.is_default,
        numerator=_part(value.numerator),
        denominator=None if value.denominator is None else _part(value.denominator),
    )


def _part(value: Part) -> pb.KpiPart:
    """What stands on one side of a formula's line, and where its records are asked for."""
    match value:
        case OfEntries():
            unit = Unit.COUNT if value.amount is one else Unit.MS
            return pb.KpiPart(records="entries", unit=unit)
        case OfTime():
            return pb.KpiPart(records="intervals", unit=Unit.MS)
        case OfCalls():
            return pb.KpiPart(records="calls", unit=Unit.COUNT)


def story(value: Story, *, steps: Sequence[Step], roles: Mapping[str, str]) -> pb.Story:
    """A contact as it went, with its steps as they are to be read, and whose each leg was."""
    invited = next((step.values for step in steps if step.kind == "invited"), {})
    message = pb.Story(
        contact_id=value.contact_id,
        to=invited.get("to", ""),
        call=None if value.call is None else call(value.call),
        entries=map(entry, value.entries),
        steps=[
            pb.StoryStep(at_ms=each.at_ms, kind=each.kind, source=each.source, values=each.values)
            for each in steps
        ],
        ladder=[_ladder_step(each, roles.get(each.leg_id, "")) for each in value.ladder],
    )
    setattr(message, "from", invited.get("from", ""))
    return message


def _ladder_step(value: LadderStep, role: str) -> pb.StoryLadderStep:
    return pb.StoryLadderStep(
        at_ms=value.at_ms,
        leg_id=value.leg_id,
        role=role,
        sent=value.sent,
        peer=value.peer,
        line=value.line,
        cseq=value.cseq,
        times=value.times,
    )


def threshold(value: Threshold) -> pb.Threshold:
    """What is watched."""
    return pb.Threshold(
        threshold_id=value.threshold_id,
        name=value.name,
        measure=value.measure,
        queue_id=value.queue_id,
        direction=value.direction,
        raise_at=value.raise_at,
        clear_at=value.clear_at,
        for_s=value.for_s,
        severity=value.severity,
        active=value.active,
    )


def alarm(value: Alarm) -> pb.Alarm:
    """One time that a threshold was passed."""
    return pb.Alarm(
        alarm_id=value.alarm_id,
        threshold=threshold(value.threshold),
        queue_name=value.queue_name,
        state="raised" if value.stands else "cleared",
        raised_at_ms=value.raised_at_ms,
        cleared_at_ms=value.cleared_at_ms or 0,
        value=value.value,
        worst=value.worst,
        acknowledged_at_ms=value.acknowledged_at_ms or 0,
        acknowledged_by=value.acknowledged_by,
        acknowledged_by_name=value.acknowledged_by_name,
        note=value.note,
    )
