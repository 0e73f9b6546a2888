"""The estimate of what a listener thinks, against figures of ITU-T G.107 and G.113."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media_gateway.rtp.inbound import InboundStream
from media_gateway.rtp.quality import loss_of, mos_of, score_of
from tests.unit.gateway.test_wire import STATS

GOOD = replace(STATS, packets_received=1_000, packets_expected=1_000, packets_lost=0, jitter_ms=0.0)


@pytest.mark.parametrize(
    ("rating", "score"),
    [(0, 1.0), (50, 2.58), (60, 3.1), (70, 3.6), (80, 4.03), (90, 4.34), (93.2, 4.41), (100, 4.5)],
)
def test_a_rating_is_an_opinion_as_in_annex_b(rating: float, score: float) -> None:
    assert score_of(rating) == pytest.approx(score, abs=0.01)


def test_loss_delay_and_jitter_are_heard() -> None:
    best = mos_of(GOOD)
    lost = mos_of(replace(GOOD, packets_received=950, packets_lost=50))
    far = mos_of(replace(GOOD, rtt_ms=600.0))
    shaken = mos_of(replace(GOOD, jitter_ms=120.0))
    assert best is not None
    assert lost is not None
    assert far is not None
    assert shaken is not None
    assert best == pytest.approx(4.4, abs=0.05)
    assert 3.5 < lost < 4.1
    assert 3.3 < far < best
    assert 3.3 < shaken < best


def test_nothing_that_came_is_no_opinion_and_no_loss() -> None:
    silent = replace(GOOD, packets_received=0, packets_expected=0)
    assert mos_of(silent) is None
    assert loss_of(silent) == 0.0


def test_duplicates_are_no_gain() -> None:
    assert loss_of(replace(GOOD, packets_received=1_010, packets_lost=-10)) == 0.0


def test_what_is_missing_in_a_row_is_a_gap() -> None:
    stream = InboundStream()
    for at, sequence in enumerate((0, 1, 4, 5, 6, 8)):
        stream.receive(7, sequence, 160 * sequence, 160, 20.0 * at)
    assert (stream.gaps, stream.longest_gap) == (2, 2)
