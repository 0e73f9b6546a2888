"""Every KPI that can be asked for: versioned formulas over records.

A formula that changes gets a new version. Sets are taken from one another, never numbers, so that
nothing is counted or subtracted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, Final

from services.analytics.core import measures as m
from services.analytics.core.kpi import Kpi
from services.analytics.core.measures import OfCalls, OfTime
from services.analytics.model.errors import NoSuchKpi
from services.analytics.model.words import AgentState, Unit

RING_MS: Final = 6_000
"""One ring, as people count them."""


def service_level_v6(*, flow_outs: bool, short: bool, abandons: bool) -> Kpi:
    """V6 with its switches: flow-outs below, short abandons kept, abandons kept.

    Sets are taken from one another, so a short abandon never leaves the denominator twice.
    """
    below: list[m.Members] = [m.answered]
    words = "A"
    if abandons:
        below.append(m.abandoned if short else m.without(m.abandoned, m.abandoned_short))
        words += " + B" if short else " + B - B_s"
    if flow_outs:
        below.append(m.flowed_out)
        words += " + F"
    variant = "V6F" if flow_outs else "V6"
    if not abandons:
        variant += "-no-abandons"
    elif not short:
        variant += "-no-short"
    return _service_level(variant, f"A_T / ({words})", m.answered_in_time, m.either(*below))


def _service_level(variant: str, formula: str, above: m.Members, below: m.Members) -> Kpi:
    return Kpi(
        "service_level",
        variant,
        "Service level",
        formula,
        Unit.PERCENT,
        m.count(above),
        m.count(below),
        is_default=variant == "V3",
    )


def _count(kpi: str, name: str, formula: str, members: m.Members, *, agents: bool = False) -> Kpi:
    return Kpi(kpi, "", name, formula, Unit.COUNT, m.count(members), for_agents=agents)


def _mean(kpi: str, variant: str, **rest: Any) -> Kpi:
    return Kpi(kpi, variant, unit=Unit.MS, **rest)


def _percent(kpi: str, variant: str, **rest: Any) -> Kpi:
    return Kpi(kpi, variant, unit=Unit.PERCENT, **rest)


_A_OR_B = m.either(m.answered, m.abandoned)

_SERVICE_LEVELS: Final = (
    _service_level(
        "V1",
        "(A_T + B_T) / (A + B)",
        m.either(m.answered_in_time, m.abandoned_in_time),
        _A_OR_B,
    ),
    _service_level("V2", "A_T / A", m.answered_in_time, m.answered),
    _service_level("V3", "A_T / (A + B)", m.answered_in_time, _A_OR_B),
    _service_level(
        "V4",
        "A_T / (A + B - B_T)",
        m.answered_in_time,
        m.without(_A_OR_B, m.abandoned_in_time),
    ),
    _service_level(
        "V5",
        "(A_T + B_s) / (A + B)",
        m.either(m.answered_in_time, m.abandoned_short),
        _A_OR_B,
    ),
    *(
        service_level_v6(flow_outs=flow_outs, short=short, abandons=abandons)
        for flow_outs, (short, abandons) in product(
            (False, True), ((True, True), (False, True), (True, False))
        )
    ),
)

_WAITS: Final = (
    _mean(
        "asa",
        "total",
        name="Average speed of answer",
        formula="wait of all that queued and left / A",
        numerator=m.total(m.wait, m.waited),
        denominator=m.count(m.answered),
    ),
    _mean(
        "asa",
        "answered",
        name="Average speed of answer",
        formula="wait of the answered / A",
        numerator=m.total(m.wait, m.answered),
        denominator=m.count(m.answered),
        is_default=False,
        for_agents=True,
    ),
    _mean(
        "average_queue_time",
        "",
        name="Average queue time",
        formula="wait of all that queued and left / their number, A + B + F",
        numerator=m.total(m.wait, m.waited),
        denominator=m.count(m.waited),
    ),
    _mean(
        "average_abandon_time",
        "",
        name="Average abandon time",
        formula="wait of the abandoned / B",
        numerator=m.total(m.wait, m.abandoned),
        denominator=m.count(m.abandoned),
    ),
    Kpi(
        "average_rings",
        "",
        "Average rings",
        "ring time of agents' endpoints for the answered, in rings of 6 s / A",
        Unit.COUNT,
        m.total(lambda entry: entry.ring_ms, m.answered),
        m.count(m.answered),
        for_agents=True,
        factor=1 / RING_MS,
    ),
)

_KEPT = m.without(m.abandoned, m.abandoned_short)
_ABANDONS: Final = (
    _percent(
        "abandon_rate",
        "no-short",
        name="Abandon rate",
        formula="(B - B_s) / (A + B - B_s)",
        numerator=m.count(_KEPT),
        denominator=m.count(m.either(m.answered, _KEPT)),
    ),
    _percent(
        "abandon_rate",
        "short-kept",
        name="Abandon rate",
        formula="B / (A + B)",
        numerator=m.count(m.abandoned),
        denominator=m.count(_A_OR_B),
        is_default=False,
    ),
    _percent(
        "abandon_rate",
        "offered",
        name="Abandon rate",
        formula="B / offered",
        numerator=m.count(m.abandoned),
        denominator=m.count(m.everybody),
        is_default=False,
    ),
    _percent(
        "abandon_rate",
        "queued",
        name="Abandon rate",
        formula="B / (offered - X)",
        numerator=m.count(m.abandoned),
        denominator=m.count(m.queued),
        is_default=False,
    ),
)

_HANDLING: Final = (
    _mean(
        "average_handle_time",
        "talk-wrap",
        name="Average handle time",
        formula="(talk + wrap-up) / contacts handled to the end of wrap-up",
        numerator=m.total(lambda entry: entry.talk_ms + entry.wrap_up_ms, m.handled),
        denominator=m.count(m.handled),
        for_agents=True,
    ),
    _mean(
        "average_handle_time",
        "talk-hold-wrap",
        name="Average handle time",
        formula="(talk + hold + wrap-up) / contacts handled to the end of wrap-up",
        numerator=m.total(
            lambda entry: entry.talk_ms + entry.hold_ms + entry.wrap_up_ms, m.handled
        ),
        denominator=m.count(m.handled),
        is_default=False,
        for_agents=True,
    ),
    _mean(
        "average_talk_time",
        "",
        name="Average talk time",
        formula="talk, without hold / conversations that are over",
        numerator=m.total(lambda entry: entry.talk_ms, m.talked),
        denominator=m.count(m.talked),
        for_agents=True,
    ),
    _mean(
        "average_hold_time",
        "held",
        name="Average hold time",
        formula="time on hold / conversations that are over and were put on hold",
        numerator=m.total(lambda entry: entry.hold_ms, m.held),
        denominator=m.count(m.held),
        for_agents=True,
    ),
    _mean(
        "average_hold_time",
        "all",
        name="Average hold time",
        formula="time on hold / conversations that are over",
        numerator=m.total(lambda entry: entry.hold_ms, m.talked),
        denominator=m.count(m.talked),
        is_default=False,
        for_agents=True,
    ),
    _mean(
        "after_call_work",
        "",
        name="After-call work",
        formula="wrap-up / contacts handled to the end of wrap-up",
        numerator=m.total(lambda entry: entry.wrap_up_ms, m.handled),
        denominator=m.count(m.handled),
        for_agents=True,
    ),
    Kpi(
        "calls_per_hour",
        "",
        "Calls per hour",
        "contacts handled to the end of wrap-up / hours signed in",
        Unit.PER_HOUR,
        m.count(m.handled),
        OfTime(m.SIGNED_IN),
        for_agents=True,
    ),
    _percent(
        "occupancy",
        "talk-hold",
        name="Occupancy",
        formula="(talk + hold) / (talk + hold + idle); idle is ready, reserved and ringing",
        numerator=OfTime(m.TALKING),
        denominator=OfTime(m.TALKING | m.IDLE),
        for_agents=True,
    ),
    _percent(
        "occupancy",
        "talk-hold-wrap",
        name="Occupancy",
        formula="(talk + hold + wrap-up) / (talk + hold + wrap-up + idle)",
        numerator=OfTime(m.TALKING | {AgentState.WRAP_UP}),
        denominator=OfTime(m.TALKING | m.IDLE | {AgentState.WRAP_UP}),
        is_default=False,
        for_agents=True,
    ),
)

_RECEIVED = OfCalls(lambda _call: True)
_CALLS: Final = (
    _percent(
        "answered_rate",
        "received",
        name="Answered rate",
        formula="calls that an agent answered / calls received",
        numerator=OfCalls(lambda call: call.answered),
        denominator=_RECEIVED,
    ),
    _percent(
        "answered_rate",
        "offered",
        name="Answered rate",
        formula="A / offered",
        numerator=m.count(m.answered),
        denominator=m.count(m.everybody),
        is_default=False,
    ),
    _percent(
        "queued_rate",
        "",
        name="Queued rate",
        formula="calls that were offered to a queue / calls received",
        numerator=OfCalls(lambda call: call.queued),
        denominator=_RECEIVED,
    ),
    Kpi(
        "total_calls",
        "queues",
        "Total calls",
        "A + B; calls blocked before routing leave no record",
        Unit.COUNT,
        m.count(_A_OR_B),
    ),
    Kpi(
        "total_calls",
        "received",
        "Total calls",
        "calls received for a number of the tenant, whatever became of them",
        Unit.COUNT,
        _RECEIVED,
        is_default=False,
    ),
)

_COUNTS: Final = (
    _count("offered", "Offered", "stays in queues: A + B + F + X + waiting", m.everybody),
    _count("answered", "Answered", "A", m.answered, agents=True),
    _count("abandoned", "Abandoned", "B", m.abandoned),
    _count("short_abandoned", "Short abandons", "B_s", m.abandoned_short),
    _count("flow_outs", "Flow-outs", "F: callback, overflowed, voicemail, timeout", m.flowed_out),
    _count("turned_away", "Turned away", "X: closed, refused, failed", m.turned_away),
    _count("waiting", "Waiting", "offered and not left yet", m.waiting),
    _count("handled", "Handled", "handled to the end of wrap-up", m.handled, agents=True),
)

CATALOGUE: Final[tuple[Kpi, ...]] = (
    *_SERVICE_LEVELS,
    *_WAITS,
    *_ABANDONS,
    *_HANDLING,
    *_CALLS,
    *_COUNTS,
)
"""All of them, in the order in which they are listed."""

_BY_LABEL: Final = {kpi.label: kpi for kpi in CATALOGUE} | {
    kpi.kpi: kpi for kpi in CATALOGUE if kpi.is_default
}


def find(label: str) -> Kpi:
    """The KPI that `kpi` or `kpi:variant` names; NoSuchKpi, which names those there are."""
    found = _BY_LABEL.get(label)
    if found is None:
        known = ", ".join(kpi.label for kpi in CATALOGUE)
        raise NoSuchKpi(f"{label[:60]!r}; choose from {known}")
    return found


def choose(labels: Sequence[str]) -> tuple[Kpi, ...]:
    """The named ones in the order asked for, each once; none named: all. NoSuchKpi."""
    return tuple(dict.fromkeys(map(find, labels))) or CATALOGUE


def for_rows(kpis: Iterable[Kpi], *, calls: bool, agents: bool) -> tuple[Kpi, ...]:
    """Those that say something where calls are, or are not, known, and of one agent alone."""
    return tuple(
        kpi for kpi in kpis if (calls or not kpi.needs_calls) and (not agents or kpi.for_agents)
    )
