"""Which gateway a call gets, and who gets it when that one does not take it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from media_gateway.edge.kamailio import Kamailio as Rpc
from tests.softphone import (
    Answer,
    CallRefused,
    Ignore,
    Redirect,
    Reject,
    Ring,
    SoftPhone,
)
from tests.stage.asking import eventually
from tests.stage.edge import Edge, edge_of, taken

BUSY = Reject(486)
FULL = Reject(503, headers=(("Retry-After", "9"),))


async def refused(edge: Edge, phone: SoftPhone, within_s: float = 15) -> CallRefused:
    """How a call is refused."""
    call = await phone.call(edge.uri)
    with pytest.raises(CallRefused) as told:
        await call.answered(within_s)
    return told.value


async def test_calls_are_spread_over_all_gateways(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", *[Answer()] * 3) as edge, SoftPhone() as caller:
        for _ in range(9):
            call = await caller.call(edge.uri)
            await call.answered()
            await call.hangup()
        assert [gateway.calls_received for gateway in edge.gateways] == [3, 3, 3]
        assert caller.faults == []


@pytest.mark.parametrize("status", [500, 503])
async def test_what_one_gateway_refuses_another_takes(tmp_path: Path, status: int) -> None:
    async with edge_of(tmp_path / "e", Reject(status), Answer()) as edge, SoftPhone() as caller:
        for _ in range(4):
            call = await caller.call(edge.uri)
            await call.answered()
            await call.hangup()
        assert edge.gateways[1].calls_received == 4
        # It was asked meanwhile, in its turn: a refusal is about a call, not about the gateway.
        assert edge.gateways[0].calls_received > 0
        assert caller.faults == []


async def test_a_gateway_that_is_gone_costs_a_caller_two_seconds_and_others_none(
    tmp_path: Path,
) -> None:
    async with edge_of(tmp_path / "e", Answer(), absent=1) as edge, SoftPhone() as caller:
        for _ in range(4):
            call = await caller.call(edge.uri)
            await call.answered(10)
            await call.hangup()
        assert edge.gateways[0].calls_received == 4
        assert caller.faults == []


async def test_a_gateway_that_says_nothing_is_passed_over(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Ignore(), Answer()) as edge, SoftPhone() as caller:
        for _ in range(2):
            call = await caller.call(edge.uri)
            await call.answered(10)
            await call.hangup()
        assert edge.gateways[1].calls_received == 2


async def test_one_that_says_by_options_that_it_takes_no_more_is_passed_over_until_it_does(
    tmp_path: Path,
) -> None:
    async with edge_of(tmp_path / "e", Answer(), Answer()) as edge, SoftPhone() as caller:
        kamailio = Rpc(edge.kamailio.folder)
        first, second = edge.gateways

        async def states() -> list[str]:
            """Of both: active, trying (heard of as bad, but not often enough) or inactive."""
            (told,) = (await kamailio.ask("dispatcher.list"))["RECORDS"]
            found = {each["DEST"]["URI"]: each["DEST"]["FLAGS"] for each in told["SET"]["TARGETS"]}
            return [found[f"sip:127.0.0.1:{each.address[1]}"][0] for each in edge.gateways]

        async def calls() -> tuple[int, int]:
            before = first.calls_received, second.calls_received
            for _ in range(4):
                assert await taken(edge.kamailio, caller)
            return first.calls_received - before[0], second.calls_received - before[1]

        first.health = 503
        await eventually(states, lambda now: now == ["I", "A"], 15, "the other one alone")
        assert await calls() == (0, 4)
        first.health = 200
        await eventually(states, lambda now: now == ["A", "A"], 15, "both")
        assert await calls() == (2, 2)


async def test_only_when_all_refuse_is_the_caller_refused(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", FULL, FULL, FULL) as edge, SoftPhone() as caller:
        error = await refused(edge, caller)
        assert error.status == 503
        assert [gateway.calls_received for gateway in edge.gateways] == [1, 1, 1]
        assert caller.faults == []


async def test_gateways_that_all_say_nothing_are_no_timeout_to_the_caller(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Ignore(), Reject(500)) as edge, SoftPhone() as caller:
        # 408 would end the call for good; a trunk tries elsewhere after a 503.
        assert (await refused(edge, caller)).status == 503


async def test_without_any_gateway_a_caller_is_told_so_at_once(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e") as edge, SoftPhone() as caller:
        assert (await refused(edge, caller)).status == 503
        answer = await caller.options(edge.uri)
        assert (answer.status, answer.header("Retry-After")) == (503, "5")


@pytest.mark.parametrize("status", [404, 480, 486, 600, 603])
async def test_a_refusal_of_the_call_itself_is_the_callers(tmp_path: Path, status: int) -> None:
    async with edge_of(tmp_path / "e", *[Reject(status)] * 2) as edge, SoftPhone() as caller:
        assert (await refused(edge, caller)).status == status
        assert sum(gateway.calls_received for gateway in edge.gateways) == 1


async def test_a_redirection_is_passed_on(tmp_path: Path) -> None:
    policy = Redirect("sip:other@127.0.0.1:9")
    async with edge_of(tmp_path / "e", policy) as edge, SoftPhone() as caller:
        assert (await refused(edge, caller)).status == 302


async def test_a_call_that_somebody_has_is_given_to_nobody_else(tmp_path: Path) -> None:
    async with (
        edge_of(tmp_path / "e", *[Reject(503, ring_s=0.2)] * 2) as edge,
        SoftPhone() as caller,
    ):
        # Not 503, which speaks for all gateways (RFC 3261, section 16.7).
        assert (await refused(edge, caller)).status == 500
        assert sum(gateway.calls_received for gateway in edge.gateways) == 1


async def test_giving_up_reaches_the_gateway_that_rings(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Ring(), Ring()) as edge, SoftPhone() as caller:
        call = await caller.call(edge.uri)
        await call.ringing()
        call.cancel()
        assert (await call.ended()).how == "cancel"
        gateway = next(gateway for gateway in edge.gateways if gateway.calls_received)
        assert (await (await gateway.incoming()).ended()).how == "cancel"
        assert sum(gateway.calls_received for gateway in edge.gateways) == 1
        assert caller.faults == []


async def test_after_giving_up_no_other_gateway_is_tried(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Ignore(), Ignore()) as edge, SoftPhone() as caller:
        call = await caller.call(edge.uri)
        await asyncio.sleep(0.3)
        call.cancel()
        assert (await call.ended(10)).how == "cancel"
        # Longer than a gateway that says nothing is waited for.
        await asyncio.sleep(2.5)
        assert sum(bool(gateway.ignored) for gateway in edge.gateways) == 1


async def test_a_lost_acknowledgement_of_a_refusal_is_made_good(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", BUSY) as edge, SoftPhone() as caller:
        caller.lose(outbound=lambda line: line.startswith("ACK"))
        assert (await refused(edge, caller)).status == 486
        caller.lose()
        # The edge repeats the refusal until it is acknowledged; the gateway's was by the edge.
        await asyncio.sleep(1.2)
        assert caller.repeats.received > 0
        assert edge.gateways[0].repeats.sent == 0


async def test_an_invitation_that_comes_again_is_one_call(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Answer(ring_s=1.0)) as edge, SoftPhone() as caller:
        caller.lose(inbound=lambda line: line.startswith("SIP/2.0 1"))
        call = await caller.call(edge.uri)
        await call.answered()
        assert caller.repeats.sent > 0
        assert edge.gateways[0].calls_received == 1
        await call.hangup()
