"""Every KPI that can be asked for: versioned formulas over records.

A formula that changes gets a new version. Sets are taken from one another, never numbers, so that
nothing is counted or subtracted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Final

from services.analytics.core import measures as m
from services.analytics.core.kpi import Kpi
from services.analytics.core.measures import OfCalls, OfTime, Part
from services.analytics.model.errors import NoSuchKpi
from services.analytics.model.words import AgentState, Unit

RING_MS: Final = 6_000
"""One ring, as people count them."""


@dataclass(frozen=True, slots=True)
class _By:
    """One formula of a KPI."""

    variant: str
    """Which; empty: there is only one."""
    words: str
    """The formula."""
    above: Part
    """Above the line."""
    below: Part | None = None
    """Below the line; None: it is a plain count."""
    for_agents: bool = False
    """Whether it says something about one agent, too."""


_ByAgent: Final = partial(_By, for_agents=True)


def _kpi(
    kpi: str, name: str, unit: Unit, *formulas: _By, meant: str = "", factor: float = 1.0
) -> tuple[Kpi, ...]:
    """A KPI by each of its formulas; `meant` is the one when none is named, else the first."""
    meant = meant or formulas[0].variant
    return tuple(
        Kpi(
            kpi=kpi,
            variant=by.variant,
            name=name,
            formula=by.words,
            unit=unit,
            numerator=by.above,
            denominator=by.below,
            is_default=by.variant == meant,
            for_agents=by.for_agents,
            factor=factor,
        )
        for by in formulas
    )


def _count(
    kpi: str, name: str, words: str, counted: Part, *, for_agents: bool = False
) -> tuple[Kpi, ...]:
    return _kpi(kpi, name, Unit.COUNT, _By("", words, counted, for_agents=for_agents))


def _service_levels(*formulas: _By) -> tuple[Kpi, ...]:
    return _kpi("service_level", "Service level", Unit.PERCENT, *formulas, meant="V3")


def service_level_v6(*, flow_outs: bool, short: bool, abandons: bool) -> Kpi:
    """V6 with its switches: flow-outs below, short abandons kept, abandons kept.

    Sets are taken from one another, so a short abandon never leaves the denominator twice.
    """
    below: list[m.Members] = [m.answered]
    words = "A"
    if abandons:
        below.append(m.abandoned if short else _KEPT)
        words += " + B" if short else " + B - B_s"
    if flow_outs:
        below.append(m.flowed_out)
        words += " + F"
    variant = "V6F" if flow_outs else "V6"
    if not abandons:
        variant += "-no-abandons"
    elif not short:
        variant += "-no-short"
    formula = _By(variant, f"A_T / ({words})", _A_T, m.count(m.either(*below)))
    return _service_levels(formula)[0]


_KEPT: Final = m.without(m.abandoned, m.abandoned_short)
_EITHER: Final = m.either(m.answered, m.abandoned)
_WRAPPING_UP: Final = frozenset({AgentState.WRAP_UP})

# Numbers of stays.
_OFFERED: Final = m.count(m.everybody)
_A: Final = m.count(m.answered)
_A_T: Final = m.count(m.answered_in_time)
_B: Final = m.count(m.abandoned)
_B_S: Final = m.count(m.abandoned_short)
_B_KEPT: Final = m.count(_KEPT)
_F: Final = m.count(m.flowed_out)
_X: Final = m.count(m.turned_away)
_A_OR_B: Final = m.count(_EITHER)
_A_OR_B_KEPT: Final = m.count(m.either(m.answered, _KEPT))
_A_OR_B_LATE: Final = m.count(m.without(_EITHER, m.abandoned_in_time))
_A_T_OR_B_T: Final = m.count(m.either(m.answered_in_time, m.abandoned_in_time))
_A_T_OR_B_S: Final = m.count(m.either(m.answered_in_time, m.abandoned_short))
_QUEUED: Final = m.count(m.queued)
_LEFT: Final = m.count(m.waited)
_TALKED: Final = m.count(m.talked)
_HELD: Final = m.count(m.held)
_HANDLED: Final = m.count(m.handled)

# Their times.
_WAIT: Final = m.total(m.wait, m.waited)
_WAIT_OF_A: Final = m.total(m.wait, m.answered)
_WAIT_OF_B: Final = m.total(m.wait, m.abandoned)
_RING: Final = m.total(lambda entry: entry.ring_ms, m.answered)
_TALK: Final = m.total(lambda entry: entry.talk_ms, m.talked)
_HOLD: Final = m.total(lambda entry: entry.hold_ms, m.talked)
_HOLD_OF_HELD: Final = m.total(lambda entry: entry.hold_ms, m.held)
_WRAP_UP: Final = m.total(lambda entry: entry.wrap_up_ms, m.handled)
_TALK_AND_WRAP_UP: Final = m.total(lambda entry: entry.talk_ms + entry.wrap_up_ms, m.handled)
_TALK_HOLD_AND_WRAP_UP: Final = m.total(
    lambda entry: entry.talk_ms + entry.hold_ms + entry.wrap_up_ms, m.handled
)

# Calls.
_RECEIVED: Final = OfCalls(lambda _call: True)
_CALLS_A: Final = OfCalls(lambda call: call.answered)
_CALLS_QUEUED: Final = OfCalls(lambda call: call.queued)

CATALOGUE: Final[tuple[Kpi, ...]] = (
    *_service_levels(
        _By("V1", "(A_T + B_T) / (A + B)", _A_T_OR_B_T, _A_OR_B),
        _By("V2", "A_T / A", _A_T, _A),
        _By("V3", "A_T / (A + B)", _A_T, _A_OR_B),
        _By("V4", "A_T / (A + B - B_T)", _A_T, _A_OR_B_LATE),
        _By("V5", "(A_T + B_s) / (A + B)", _A_T_OR_B_S, _A_OR_B),
    ),
    *(
        service_level_v6(flow_outs=flow_outs, short=short, abandons=abandons)
        for flow_outs, (short, abandons) in product(
            (False, True), ((True, True), (False, True), (True, False))
        )
    ),
    *_kpi(
        "asa",
        "Average speed of answer",
        Unit.MS,
        _By("total", "wait of all that queued and left / A", _WAIT, _A),
        _ByAgent("answered", "wait of the answered / A", _WAIT_OF_A, _A),
    ),
    *_kpi(
        "average_queue_time",
        "Average queue time",
        Unit.MS,
        _By("", "wait of all that queued and left / their number, A + B + F", _WAIT, _LEFT),
    ),
    *_kpi(
        "average_abandon_time",
        "Average abandon time",
        Unit.MS,
        _By("", "wait of the abandoned / B", _WAIT_OF_B, _B),
    ),
    *_kpi(
        "average_rings",
        "Average rings",
        Unit.COUNT,
        _ByAgent(
            "",
            "ring time of agents' endpoints for the answered, in rings of 6 s / A",
            _RING,
            _A,
        ),
        factor=1 / RING_MS,
    ),
    *_kpi(
        "abandon_rate",
        "Abandon rate",
        Unit.PERCENT,
        _By("no-short", "(B - B_s) / (A + B - B_s)", _B_KEPT, _A_OR_B_KEPT),
        _By("short-kept", "B / (A + B)", _B, _A_OR_B),
        _By("offered", "B / offered", _B, _OFFERED),
        _By("queued", "B / (offered - X)", _B, _QUEUED),
    ),
    *_kpi(
        "average_handle_time",
        "Average handle time",
        Unit.MS,
        _ByAgent(
            "talk-wrap",
            "(talk + wrap-up) / contacts handled to the end of wrap-up",
            _TALK_AND_WRAP_UP,
            _HANDLED,
        ),
        _ByAgent(
            "talk-hold-wrap",
            "(talk + hold + wrap-up) / contacts handled to the end of wrap-up",
            _TALK_HOLD_AND_WRAP_UP,
            _HANDLED,
        ),
    ),
    *_kpi(
        "average_talk_time",
        "Average talk time",
        Unit.MS,
        _ByAgent("", "talk, without hold / conversations that are over", _TALK, _TALKED),
    ),
    *_kpi(
        "average_hold_time",
        "Average hold time",
        Unit.MS,
        _ByAgent(
            "held",
            "time on hold / conversations that are over and were put on hold",
            _HOLD_OF_HELD,
            _HELD,
        ),
        _ByAgent("all", "time on hold / conversations that are over", _HOLD, _TALKED),
    ),
    *_kpi(
        "after_call_work",
        "After-call work",
        Unit.MS,
        _ByAgent("", "wrap-up / contacts handled to the end of wrap-up", _WRAP_UP, _HANDLED),
    ),
    *_kpi(
        "calls_per_hour",
        "Calls per hour",
        Unit.PER_HOUR,
        _ByAgent(
            "",
            "contacts handled to the end of wrap-up / hours signed in",
            _HANDLED,
            OfTime(m.SIGNED_IN),
        ),
    ),
    *_kpi(
        "occupancy",
        "Occupancy",
        Unit.PERCENT,
        _ByAgent(
            "talk-hold",
            "(talk + hold) / (talk + hold + idle); idle is ready, reserved and ringing",
            OfTime(m.TALKING),
            OfTime(m.TALKING | m.IDLE),
        ),
        _ByAgent(
            "talk-hold-wrap",
            "(talk + hold + wrap-up) / (talk + hold + wrap-up + idle)",
            OfTime(m.TALKING | _WRAPPING_UP),
            OfTime(m.TALKING | _WRAPPING_UP | m.IDLE),
        ),
    ),
    *_kpi(
        "answered_rate",
        "Answered rate",
        Unit.PERCENT,
        _By("received", "calls that an agent answered / calls received", _CALLS_A, _RECEIVED),
        _By("offered", "A / offered", _A, _OFFERED),
    ),
    *_kpi(
        "queued_rate",
        "Queued rate",
        Unit.PERCENT,
        _By("", "calls that were offered to a queue / calls received", _CALLS_QUEUED, _RECEIVED),
    ),
    *_kpi(
        "total_calls",
        "Total calls",
        Unit.COUNT,
        _By("queues", "A + B; calls blocked before routing leave no record", _A_OR_B),
        _By(
            "received",
            "calls received for a number of the tenant, whatever became of them",
            _RECEIVED,
        ),
    ),
    *_count("offered", "Offered", "stays in queues: A + B + F + X + waiting", _OFFERED),
    *_count("answered", "Answered", "A", _A, for_agents=True),
    *_count("abandoned", "Abandoned", "B", _B),
    *_count("short_abandoned", "Short abandons", "B_s", _B_S),
    *_count("flow_outs", "Flow-outs", "F: callback, overflowed, voicemail, timeout", _F),
    *_count("turned_away", "Turned away", "X: closed, refused, failed", _X),
    *_count("waiting", "Waiting", "offered and not left yet", m.count(m.waiting)),
    *_count("handled", "Handled", "handled to the end of wrap-up", _HANDLED, for_agents=True),
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
