from __future__ import annotations

from enum import Enum, auto

from hypothesis import given
from hypothesis import strategies as st

from media_gateway.sip.timers import Timers


class Name(Enum):
    A = auto()
    B = auto()


def test_a_timer_started_again_moves() -> None:
    timers: Timers[str] = Timers()
    timers.start("x", Name.A, 100)
    timers.start("x", Name.A, 300)
    assert timers.deadline_ms() == 300
    assert timers.pop_due(299) is None
    assert timers.pop_due(300) == ("x", Name.A)
    assert timers.pop_due(300) is None


def test_stopping_without_names_stops_all_of_the_owner() -> None:
    timers: Timers[str] = Timers()
    timers.start("x", Name.A, 1)
    timers.start("x", Name.B, 2)
    timers.start("y", Name.A, 3)
    timers.stop("x")
    assert len(timers) == 1
    assert timers.pop_due(10) == ("y", Name.A)


def test_moving_timers_for_ever_keeps_the_heap_small() -> None:
    timers: Timers[str] = Timers()
    for at_ms in range(10_000):
        timers.start("x", Name.A, at_ms)
    assert len(timers._heap) < 100


owners = st.sampled_from("xyz")
names = st.sampled_from(Name)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("start"), owners, names, st.integers(0, 100)),
            st.tuples(st.just("stop"), owners, names, st.just(0)),
        ),
        max_size=200,
    )
)
def test_they_fire_in_order_and_only_what_runs(
    steps: list[tuple[str, str, Name, int]],
) -> None:
    timers: Timers[str] = Timers()
    running: dict[tuple[str, Name], int] = {}
    for verb, owner, name, at_ms in steps:
        if verb == "start":
            timers.start(owner, name, at_ms)
            running[owner, name] = at_ms
        else:
            timers.stop(owner, name)
            running.pop((owner, name), None)
    assert len(timers) == len(running)
    fired: list[tuple[str, Name]] = []
    while (due := timers.pop_due(100)) is not None:
        owner, fired_name = due
        assert isinstance(fired_name, Name)
        fired.append((owner, fired_name))
    assert set(fired) == set(running)
    assert len(fired) == len(running)
    assert [running[due] for due in fired] == sorted(running.values())
