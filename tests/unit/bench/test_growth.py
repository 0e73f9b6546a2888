"""A line through samples tells what grows from what only moves."""

from __future__ import annotations

from random import Random

import pytest

from tests.bench.growth import line

SAMPLES = 60


def noisy(slope: float, *, seed: int, level: float = 100.0, noise: float = 1.0) -> list[float]:
    chance = Random(seed)
    return [level + slope * at + chance.gauss(0, noise) for at in range(SAMPLES)]


def through(values: list[float]) -> bool:
    return line([(float(at), value) for at, value in enumerate(values)]).grows


@pytest.mark.parametrize("seed", range(50))
def test_noise_is_no_growth(seed: int) -> None:
    assert not through(noisy(0.0, seed=seed))


@pytest.mark.parametrize("seed", range(50))
def test_what_grows_is_told(seed: int) -> None:
    assert through(noisy(0.2, seed=seed))


def test_a_small_part_of_the_whole_is_no_growth() -> None:
    assert not through([100 + 0.03 * at for at in range(SAMPLES)])
    assert through([100 + 0.06 * at for at in range(SAMPLES)])


def test_what_shrinks_or_stands_does_not_grow() -> None:
    assert not through([200 - at for at in range(SAMPLES)])
    assert not through([0.0] * SAMPLES)


def test_a_slow_wave_is_told_with_a_larger_error() -> None:
    """Neighbours that are alike are worth less than their number."""
    wave = [100 + 5 * (at // 20 % 2) for at in range(SAMPLES)]
    chance = Random(1)
    shuffled = chance.sample(wave, SAMPLES)
    as_it_is, mixed = (
        line([(float(at), float(value)) for at, value in enumerate(each)])
        for each in (wave, shuffled)
    )
    assert as_it_is.error > 2 * mixed.error


def test_what_has_grown_is_told_for_the_whole_time() -> None:
    found = line([(10.0 * at, 7.0 + at) for at in range(11)])
    assert found.grown == pytest.approx(10)
    assert found.mean == pytest.approx(12)
    assert found.error == pytest.approx(0, abs=1e-9)
