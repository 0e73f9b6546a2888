"""crm is slow, fails, talks nonsense or is gone: callers get on as fast as ever, unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from protos.crm.v1 import crm_pb2
from services.chassis.errors import CarillonError, Kind
from services.ivr.core.limits import LOOK_UP_LIMIT_MS
from services.ivr.customers import LIMITS
from tests.unit.ivr.gateway import GatewayCall
from tests.unit.ivr.test_away import GONE, Crm, Stage, told

LONGEST_S = LIMITS.longest_open_ms * (1 + LIMITS.spread) / 1_000


class Refused(CarillonError):
    """What a crm says that fails."""

    code = "ill"
    kind = Kind.INTERNAL


class BadNumber(CarillonError):
    """What a crm says that is well."""

    code = "bad-number"
    kind = Kind.INVALID


class IllCrm(Crm):
    """A crm that does something else than answering, as often as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.instead: Callable[[], crm_pb2.CustomerCard] | None = None

    async def LookUp(self, request: crm_pb2.LookUpRequest, _context: object) -> Any:
        card = await super().LookUp(request, _context)
        return self.instead() if self.instead else card


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a caller."""

    ms: int
    """From the invitation until what is played in the queue."""
    name: str
    """Of the customer, as routing was told; empty: nobody known."""


class Callers:
    """One after another, until each waits in the queue."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.crm = stage.crm = IllCrm()
        stage.world.exchange.kill("crm")
        stage.world.exchange.serve("crm", [self.crm.face()])
        self._count = 0

    @property
    def requests(self) -> int:
        return len(self.crm.asked)

    def ill(self, how: str) -> None:
        """From now on."""
        match how:
            case "slow":
                self.crm.pause_s = 4.0
            case "fails":
                self.crm.instead = _fails
            case "garbled":
                self.crm.instead = lambda: crm_pb2.CustomerCard(known=True)
            case "away":
                self.stage.world.exchange.kill("crm")

    def well(self) -> None:
        self.stage.world.exchange.kill("crm")
        self.stage.world.exchange.serve("crm", [self.crm.face()])
        self.crm.pause_s, self.crm.instead = 0.0, None

    async def one(self) -> Heard:
        self._count += 1
        call_id = f"0195c1a0-0000-7000-8000-{self._count:012}"
        call = GatewayCall(self.stage.world.dial("ivr"), call_id, patience_s=300)
        began_ms = self.stage.world.clock.now_ms()
        await call.invite()
        await call.until("play")
        took_ms = self.stage.world.clock.now_ms() - began_ms
        joined = await self.stage.acd.heard("Enqueue", self._count)
        await call.send(leg_ended=GONE)
        await call.until("hangup")
        return Heard(took_ms, dict(joined.attributes).get("customer_name", ""))

    async def many(self, count: int) -> list[Heard]:
        return [await self.one() for _ in range(count)]

    def readings(self) -> dict[str, float]:
        found = self.stage.service.readings()
        return {each.name: each.value for each in found if "breaker" in each.name}


def _fails() -> crm_pb2.CustomerCard:
    raise Refused("no")


def _does_not_know_numbers() -> crm_pb2.CustomerCard:
    raise BadNumber("that is none")


@pytest.mark.parametrize("how", ["slow", "fails", "garbled", "away"])
def test_who_calls_while_crm_is_ill_waits_as_long_as_ever_and_is_nobody_known(
    tmp_path: Path, how: str
) -> None:
    async def story(stage: Stage) -> None:
        callers = Callers(stage)
        (usual,) = await callers.many(1)
        assert usual.name == "Anna"
        callers.ill(how)
        first = await callers.many(LIMITS.failures)
        assert all(heard.ms <= usual.ms + LOOK_UP_LIMIT_MS for heard in first)
        requests, before = callers.requests, callers.readings()
        # No time passes for these: they wait for nothing, and none of them is a probe.
        later = await callers.many(20)
        assert {heard.ms for heard in later} == {usual.ms}
        assert {heard.name for heard in (*first, *later)} == {""}
        assert callers.requests == requests
        after = callers.readings()
        assert after["carillon_ivr_breaker_state"] == 2
        assert after["carillon_ivr_breaker_opened_total"] == 1
        refused = "carillon_ivr_breaker_refused_total"
        assert after[refused] - before[refused] == 20

    told(story, tmp_path)


def test_nobody_waits_for_a_probe_and_one_at_a_time_is_made(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        callers = Callers(stage)
        (usual,) = await callers.many(1)
        callers.ill("slow")
        await callers.many(LIMITS.failures)
        requests = callers.requests
        await asyncio.sleep(LONGEST_S)
        assert {heard.ms for heard in await callers.many(20)} == {usual.ms}
        assert callers.requests == requests + 1

    told(story, tmp_path)


def test_customers_are_known_again_when_crm_is_well_again(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        callers = Callers(stage)
        callers.ill("slow")
        await callers.many(LIMITS.failures)
        callers.well()
        await asyncio.sleep(LONGEST_S)
        # The first one is the probe; whoever comes after its answer is looked up as ever.
        assert (await callers.one()).name == ""
        await asyncio.sleep(1)
        assert {heard.name for heard in await callers.many(3)} == {"Anna"}
        assert callers.readings()["carillon_ivr_breaker_state"] == 0

    told(story, tmp_path)


def test_a_crm_that_refuses_a_number_is_well(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        callers = Callers(stage)
        callers.crm.instead = _does_not_know_numbers
        await callers.many(30)
        assert callers.requests == 30
        assert callers.readings()["carillon_ivr_breaker_state"] == 0

    told(story, tmp_path)
