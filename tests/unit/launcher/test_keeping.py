"""What ends by itself comes back, later each time, and is told of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind
from services.chassis.virtual_loop import VirtualLoop
from services.launcher.keeping import RESTART_LAST_S, Keeper


class NoMemory(CarillonError):
    """It did not come up."""

    code: ClassVar[str] = "no-memory"
    kind: ClassVar[Kind] = Kind.INTERNAL


class Patient:
    """Lives for so long each time; `refuses` of its starts fail."""

    def __init__(self, *lives_s: float, refuses: int = 0) -> None:
        self.lives_s = list(lives_s)
        self.refuses = refuses
        self.began: list[float] = []

    async def ended(self) -> int:
        await asyncio.sleep(self.lives_s.pop(0) if self.lives_s else 1e9)
        return 9

    async def start(self) -> None:
        if self.refuses:
            self.refuses -= 1
            self.lives_s.insert(0, 0.0)
            raise NoMemory("it wants more memory")
        self.began.append(asyncio.get_running_loop().time())


def run(work: Callable[[], Coroutine[None, None, None]]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(work())


def test_it_is_started_again_sooner_at_first_and_later_each_time() -> None:
    said: list[str] = []
    patient = Patient(0, 0, 0, 0, 0, 0, 0)

    async def live() -> None:
        keeper = Keeper(said.append)
        keeper.keep("crm", ended=patient.ended, start=patient.start)
        await asyncio.sleep(1_000)
        await keeper.close()

    run(live)
    pauses = [later - sooner for sooner, later in pairwise([0.0, *patient.began])]
    assert [round(pause) for pause in pauses] == [1, 2, 4, 8, 16, 30, 30]
    assert said[:2] == ["crm ended with status 9; starting it again in 1 s.", "crm is back."]


def test_whoever_was_well_for_a_while_has_another_illness() -> None:
    patient = Patient(0, 0, RESTART_LAST_S + 1)

    async def live() -> None:
        keeper = Keeper(lambda _: None)
        keeper.keep("crm", ended=patient.ended, start=patient.start)
        await asyncio.sleep(1_000)
        await keeper.close()

    run(live)
    assert round(patient.began[2] - patient.began[1] - RESTART_LAST_S - 1) == 1


def test_one_that_does_not_come_up_is_told_of_and_tried_again() -> None:
    said: list[str] = []
    patient = Patient(0, refuses=2)

    async def live() -> None:
        keeper = Keeper(said.append)
        keeper.keep("crm", ended=patient.ended, start=patient.start)
        await asyncio.sleep(1_000)
        await keeper.close()

    run(live)
    assert said.count("it wants more memory") == 2
    assert said[-1] == "crm is back."


def test_what_ends_after_the_keeper_is_meant_to() -> None:
    said: list[str] = []
    patient = Patient(5)

    async def live() -> None:
        keeper = Keeper(said.append)
        keeper.keep("crm", ended=patient.ended, start=patient.start)
        await asyncio.sleep(1)
        await keeper.close()
        await asyncio.sleep(100)

    run(live)
    assert said == []
