"""The formulas, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from services.analytics.core.calls import outcome_of
from services.analytics.core.catalogue import (
    CATALOGUE,
    choose,
    find,
    for_rows,
    service_level_v6,
)
from services.analytics.core.formulas import Figure, Formulas
from services.analytics.core.kpi import Kpi
from services.analytics.core.measures import OfCalls, OfTime, Terms
from services.analytics.model.errors import NoSuchKpi
from services.analytics.model.records import Call, Entry
from services.analytics.model.words import AgentState, Exit, Unit

S = 1_000


def entry(way: Exit, wait_ms: int = 0, **more: object) -> Entry:
    return Entry("e", "c", "q", "Q", "voice", 0, way, wait_ms, wait_ms, **more)  # type: ignore[arg-type]  # any field


def figure(kpi: Kpi, entries: list[Entry], terms: Terms | None = None) -> Figure:
    formulas = Formulas((kpi,), terms or Terms())
    sums = formulas.nothing()
    for each in entries:
        formulas.add_entry(sums, each)
    return formulas.figures(sums, {})[0]


def value(label: str, entries: list[Entry], terms: Terms | None = None) -> float | None:
    return figure(find(label), entries, terms).value


# A = 1000, A_T = 860, B = 60, B_T = 20, B_s = 10, F = 0.
GOLDEN = [
    *[entry(Exit.ANSWERED, 19 * S)] * 860,
    *[entry(Exit.ANSWERED, 20 * S)] * 140,
    *[entry(Exit.ABANDONED, 5 * S)] * 10,
    *[entry(Exit.ABANDONED, 20 * S)] * 10,
    *[entry(Exit.ABANDONED, 21 * S)] * 40,
]


@pytest.mark.parametrize(
    ("variant", "percent"),
    [
        ("V1", 83.02),
        ("V2", 86.00),
        ("V3", 81.13),
        ("V4", 82.69),
        ("V5", 82.08),
        ("V6", 81.13),
        ("V6-no-short", 81.90),
        ("V6-no-abandons", 86.00),
        ("V6F", 81.13),
        ("V6F-no-short", 81.90),
        ("V6F-no-abandons", 86.00),
    ],
)
def test_the_golden_vector_of_service_levels(variant: str, percent: float) -> None:
    found = value(f"service_level:{variant}", GOLDEN)
    assert found is not None
    assert round(found, 2) == percent


def test_v3_is_the_service_level_that_is_meant() -> None:
    assert find("service_level") is find("service_level:V3")


@pytest.mark.parametrize(("flow_outs", "short"), list(product((False, True), repeat=2)))
def test_short_abandons_are_never_subtracted_twice(flow_outs: bool, short: bool) -> None:
    kpi = service_level_v6(flow_outs=flow_outs, short=short, abandons=False)
    assert figure(kpi, GOLDEN).denominator == 1_000


def test_flow_outs_weigh_below_only_where_the_switch_says_so() -> None:
    some = [*GOLDEN, *[entry(Exit.CALLBACK, 40 * S)] * 20, entry(Exit.CLOSED)]
    below = {
        variant: figure(find(f"service_level:{variant}"), some).denominator
        for variant in ("V3", "V6", "V6F", "V6F-no-short", "V6F-no-abandons")
    }
    assert below == {
        "V3": 1_060,
        "V6": 1_060,
        "V6F": 1_080,
        "V6F-no-short": 1_070,
        "V6F-no-abandons": 1_020,
    }


@pytest.mark.parametrize(
    ("wait_ms", "inclusive", "in_time"),
    [(19_999, False, 1), (20_000, False, 0), (20_000, True, 1), (20_001, True, 0)],
)
def test_in_time_is_less_than_the_threshold_or_at_most(
    wait_ms: int,
    inclusive: bool,
    in_time: int,
) -> None:
    answered = [entry(Exit.ANSWERED, wait_ms)]
    found = figure(find("service_level:V2"), answered, Terms(inclusive=inclusive))
    assert found.numerator == in_time


def test_the_threshold_and_the_short_limit_are_terms() -> None:
    abandons = [entry(Exit.ABANDONED, 15 * S), entry(Exit.ABANDONED, 21 * S)]
    terms = Terms(threshold_ms=10 * S, short_ms=20 * S)
    assert value("short_abandoned", abandons, terms) == 1
    assert value("abandon_rate", [*abandons, entry(Exit.ANSWERED)], terms) == 50
    assert value("service_level", [entry(Exit.ANSWERED, 15 * S)], terms) == 0


MIXED = [
    entry(Exit.ANSWERED, 10 * S, talk_ms=60 * S, hold_ms=30 * S, wrap_up_ms=20 * S, talked=True,
          handled=True, ring_ms=12 * S),
    entry(Exit.ANSWERED, 20 * S, talk_ms=30 * S, talked=True, ring_ms=6 * S),
    entry(Exit.ANSWERED, 30 * S),
    entry(Exit.ABANDONED, 3 * S),
    entry(Exit.ABANDONED, 57 * S),
    entry(Exit.OVERFLOWED, 60 * S),
    entry(Exit.CLOSED),
    entry(Exit.FAILED, 300 * S),
    entry(Exit.WAITING),
]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("asa", (10 + 20 + 30 + 3 + 57 + 60) * S / 3),
        ("asa:answered", 20 * S),
        ("average_queue_time", 180 * S / 6),
        ("average_abandon_time", 30 * S),
        ("average_rings", 1.0),
        ("abandon_rate", 25.0),
        ("abandon_rate:short-kept", 40.0),
        ("abandon_rate:offered", 200 / 9),
        ("abandon_rate:queued", 200 / 7),
        ("average_handle_time", 80 * S),
        ("average_handle_time:talk-hold-wrap", 110 * S),
        ("average_talk_time", 45 * S),
        ("average_hold_time", 30 * S),
        ("average_hold_time:all", 15 * S),
        ("after_call_work", 20 * S),
        ("answered_rate:offered", 100 / 3),
        ("total_calls", 5.0),
        ("offered", 9.0),
        ("answered", 3.0),
        ("abandoned", 2.0),
        ("short_abandoned", 1.0),
        ("flow_outs", 1.0),
        ("turned_away", 2.0),
        ("waiting", 1.0),
        ("handled", 1.0),
    ],
)
def test_a_mixed_half_hour(label: str, expected: float) -> None:
    assert value(label, MIXED) == pytest.approx(expected, rel=1e-12)


def test_every_kpi_made_of_contacts_or_time_has_no_value_without_any() -> None:
    for kpi in CATALOGUE:
        found = figure(kpi, [])
        if kpi.denominator is None:
            assert (found.value, found.denominator) == (0, 1), kpi.label
        else:
            assert (found.value, found.denominator) == (None, 0), kpi.label


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("occupancy", 300 / 6),
        ("occupancy:talk-hold-wrap", 400 / 7),
        ("calls_per_hour", 3_600 / 18),
    ],
)
def test_agents_time(label: str, expected: float) -> None:
    spent = {
        AgentState.TALKING: 2 * S,
        AgentState.HOLDING: S,
        AgentState.READY: S,
        AgentState.RESERVED: S,
        AgentState.RINGING: S,
        AgentState.WRAP_UP: S,
        AgentState.BREAK: 10 * S,
        AgentState.UNREACHABLE: S,
        AgentState.SIGNED_OUT: 1_000 * S,
    }
    formulas = Formulas((find(label),), Terms())
    sums = formulas.nothing()
    formulas.add_entry(sums, entry(Exit.ANSWERED, handled=True))
    (found,) = formulas.figures(sums, spent)
    assert found.value == pytest.approx(expected)


def test_calls() -> None:
    formulas = Formulas(choose(("answered_rate", "queued_rate", "total_calls:received")), Terms())
    sums = formulas.nothing()
    for exits in ([Exit.OVERFLOWED, Exit.ANSWERED], [Exit.ABANDONED], [], [Exit.WAITING]):
        formulas.add_call(sums, Call("c", 0, outcome=outcome_of(exits)))
    found = formulas.figures(sums, {})
    assert [each.value for each in found] == [25.0, 75.0, 4.0]


@pytest.mark.parametrize(
    ("exits", "outcome"),
    [
        ([], "never_queued"),
        ([Exit.OVERFLOWED, Exit.WAITING], "waiting"),
        ([Exit.OVERFLOWED, Exit.ABANDONED], "abandoned"),
        ([Exit.ABANDONED, Exit.ANSWERED], "answered"),
        ([Exit.CLOSED, Exit.VOICEMAIL], "unanswered"),
    ],
)
def test_what_became_of_a_call(exits: list[Exit], outcome: str) -> None:
    assert outcome_of(exits) == outcome


def test_a_record_can_be_taken_away_again() -> None:
    formulas = Formulas(CATALOGUE, Terms())
    sums = formulas.nothing()
    for each in MIXED:
        formulas.add_entry(sums, each)
    assert any(sums)
    for each in MIXED:
        formulas.add_entry(sums, each, -1)
    assert not any(sums)


def test_a_name_that_is_no_kpi_is_answered_with_those_that_are() -> None:
    with pytest.raises(NoSuchKpi, match="service_level:V3, "):
        find("service_level:V9")
    with pytest.raises(NoSuchKpi):
        choose(("asa", ""))


def test_kpis_are_chosen_once_in_the_order_asked_for() -> None:
    chosen = choose(("handled", "service_level", "service_level:V3"))
    assert [kpi.label for kpi in chosen] == ["handled", "service_level:V3"]
    assert choose(()) == CATALOGUE


def test_the_catalogue_is_well_formed() -> None:
    labels = [kpi.label for kpi in CATALOGUE]
    assert len(set(labels)) == len(labels)
    for name in {kpi.kpi for kpi in CATALOGUE}:
        variants = [kpi for kpi in CATALOGUE if kpi.kpi == name]
        assert sum(kpi.is_default for kpi in variants) == 1, name
        assert len(variants) == 1 or all(kpi.variant for kpi in variants), name
    assert {kpi.unit for kpi in CATALOGUE} == set(Unit)
    assert all(kpi.name and kpi.formula and kpi.version >= 1 for kpi in CATALOGUE)


def test_queues_have_no_calls_and_agents_only_what_is_theirs() -> None:
    queues = for_rows(CATALOGUE, calls=False, agents=False)
    agents = for_rows(CATALOGUE, calls=False, agents=True)
    assert not any(isinstance(part, OfCalls) for kpi in queues for part in kpi.parts)
    assert {kpi.kpi for kpi in agents} >= {"average_handle_time", "occupancy", "handled"}
    assert not {kpi.kpi for kpi in agents} & {"service_level", "abandon_rate", "offered"}
    assert for_rows(CATALOGUE, calls=True, agents=False) == CATALOGUE
    assert any(isinstance(part, OfTime) for kpi in agents for part in kpi.parts)


def test_a_threshold_of_nothing_has_nobody_in_time() -> None:
    none = replace(Terms(), threshold_ms=0)
    assert value("service_level:V2", [entry(Exit.ANSWERED)], none) == 0
