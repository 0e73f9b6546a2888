"""Gateways announce themselves, and Kamailio has the list, whatever is restarted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from grpc import aio

from media_gateway.edge.kamailio import Kamailio as KamailioRpc
from media_gateway.edge.main import EdgeService
from media_gateway.edge.settings import EdgeSettings
from protos.edge.v1 import edge_pb2
from protos.edge.v1.edge_pb2_grpc import EdgeStub
from services.chassis.lifecycle import Running
from services.chassis.rpc import open_channel
from services.chassis.world import local_world
from services.launcher.parts.kamailio import Kamailio
from services.launcher.ports import free_port
from tests.softphone import Answer, SoftPhone
from tests.softphone.dialog import Dialog
from tests.stage.asking import eventually
from tests.stage.edge import NUMBER, taken

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.edge.v1.edge_pb2_grpc import EdgeAsyncStub

WAIT_S = 15.0


@dataclass(slots=True)
class Fed:
    """An edge of both programs."""

    kamailio: Kamailio
    running: Running
    stub: EdgeAsyncStub
    program: EdgeService

    @property
    def uri(self) -> str:
        return f"sip:{NUMBER}@{self.kamailio.host}:{self.kamailio.port}"

    async def announce(self, name: str, phone: SoftPhone, state: str = "taking") -> None:
        host, port = phone.address
        answer = await self.stub.Announce(
            edge_pb2.AnnounceRequest(
                gateway_id=name, incarnation="i", sip_address=f"{host}:{port}", state=state
            )
        )
        assert answer.sip_address == f"{self.kamailio.host}:{self.kamailio.port}"

    async def list(self) -> dict[str, str]:
        """Kamailio's flags by the URI of each gateway: A.., I.. or D.."""
        told = await KamailioRpc(self.kamailio.folder).ask("dispatcher.list")
        sets = [each["SET"]["TARGETS"] for each in told["RECORDS"]]
        return {each["DEST"]["URI"]: each["DEST"]["FLAGS"] for target in sets for each in target}

    async def taken(self, caller: SoftPhone) -> bool:
        """Whether a call is answered."""
        return await taken(self.kamailio, caller)


@asynccontextmanager
async def program(folder: Path, kamailio: Kamailio, expires_ms: int) -> AsyncIterator[Fed]:
    """The program beside Kamailio, started anew."""
    world = local_world(var_dir=folder / "var", run_dir=folder / "run")
    settings = EdgeSettings(
        host=kamailio.host, port=kamailio.port, dir=kamailio.folder, expires_ms=expires_ms
    )
    service = EdgeService(world, settings)
    running = Running([service], world)
    await running.start()
    channel = open_channel(world.run_dir / "edge.sock")
    try:
        yield Fed(kamailio, running, EdgeStub(channel), service)
    finally:
        await channel.close()
        await running.stop()


@asynccontextmanager
async def fed(folder: Path, *, expires_ms: int = 60_000) -> AsyncIterator[Fed]:
    """Kamailio and the program beside it."""
    kamailio = Kamailio(folder=folder / "edge", port=free_port())
    async with kamailio, program(folder, kamailio, expires_ms) as edge:
        yield edge


async def test_a_gateway_gets_calls_once_it_is_announced(tmp_path: Path) -> None:
    async with fed(tmp_path) as edge, SoftPhone(auto=Answer()) as gateway, SoftPhone() as caller:
        assert not await edge.taken(caller)
        await edge.announce("g1", gateway)
        await eventually(lambda: edge.taken(caller), bool, WAIT_S, "a call that is taken")
        assert gateway.calls_received == 1


@pytest.mark.parametrize("state", ["draining", "full", "gone"])
async def test_one_that_takes_no_more_gets_none_and_keeps_its_calls(
    tmp_path: Path, state: str
) -> None:
    async with (
        fed(tmp_path) as edge,
        SoftPhone(auto=Answer()) as first,
        SoftPhone(auto=Answer()) as second,
        SoftPhone(auto=Answer()) as agent,
        SoftPhone() as caller,
    ):
        await edge.announce("g1", first)
        await eventually(lambda: edge.taken(caller), bool, WAIT_S, "a call that is taken")
        call = await caller.call(edge.uri)
        await call.answered()
        await edge.announce("g2", second)
        await edge.announce("g1", first, state)
        listed = await edge.stub.ListGateways(edge_pb2.ListGatewaysRequest())
        assert [each.gateway_id for each in listed.gateways] == ["g1", "g2"][state == "gone" :]

        def only_second(flags: dict[str, str]) -> bool:
            taking = [uri for uri, flag in flags.items() if flag.startswith("A")]
            return len(taking) == 1 and str(second.address[1]) in taking[0]

        await eventually(edge.list, only_second, WAIT_S, "a list of the other one alone")
        before = first.calls_received
        for _ in range(4):
            assert await edge.taken(caller)
        assert first.calls_received == before
        # The call that it has goes on, and still rings agents by the edge.
        await call.hold()
        await call.unhold()
        if state != "gone":
            rung = await first.call(agent.uri, proxy=(edge.kamailio.host, edge.kamailio.port))
            await rung.answered()
            await rung.hangup()
        await call.hangup()
        assert caller.faults == first.faults == second.faults == agent.faults == []


async def test_a_gateway_that_falls_silent_leaves_the_list(tmp_path: Path) -> None:
    async with (
        fed(tmp_path, expires_ms=2_000) as edge,
        SoftPhone(auto=Answer()) as first,
        SoftPhone(auto=Answer()) as second,
        SoftPhone() as caller,
    ):
        await edge.announce("g1", first)
        await edge.announce("g2", second)
        listing = edge.kamailio.folder / "gateways.list"

        async def known() -> str:
            await edge.announce("g2", second)
            return await asyncio.to_thread(listing.read_text)

        def only_second(text: str) -> bool:
            return "gateway=g2;" in text and "gateway=g1;" not in text

        await eventually(known, only_second, WAIT_S, "one gateway")
        before = first.calls_received
        for _ in range(4):
            assert await edge.taken(caller)
        assert first.calls_received == before


async def test_kamailio_goes_on_by_the_last_list_when_the_program_is_away(tmp_path: Path) -> None:
    kamailio = Kamailio(folder=tmp_path / "edge", port=free_port())
    async with kamailio, SoftPhone(auto=Answer()) as gateway, SoftPhone() as caller:
        async with program(tmp_path, kamailio, 2_000) as edge:
            await edge.announce("g1", gateway)
            await eventually(lambda: edge.taken(caller), bool, WAIT_S, "a call that is taken")
        assert await edge.taken(caller)
        # Even when it is started again meanwhile.
        await kamailio.kill()
        await kamailio.start()
        assert await edge.taken(caller)
        # A program that comes back takes the list over; silence alone does not empty it.
        async with program(tmp_path, kamailio, 2_000) as edge:
            await asyncio.sleep(3)
            assert await edge.taken(caller)


async def test_a_kamailio_that_was_restarted_is_told_everything_again(tmp_path: Path) -> None:
    async with fed(tmp_path) as edge, SoftPhone(auto=Answer()) as gateway, SoftPhone() as caller:
        await edge.announce("g1", gateway)
        await eventually(lambda: edge.taken(caller), bool, WAIT_S, "a call that is taken")
        await edge.kamailio.stop()
        await edge.kamailio.start()
        assert await edge.taken(caller)
        await eventually(lambda: found_by_tag(edge, gateway), bool, WAIT_S, "a name that is known")


async def test_announcements_are_kept_for_a_kamailio_that_comes_late(tmp_path: Path) -> None:
    kamailio = Kamailio(folder=tmp_path / "edge", port=free_port())
    await asyncio.to_thread(kamailio.folder.mkdir, mode=0o700)
    async with (
        program(tmp_path, kamailio, 60_000) as edge,
        SoftPhone(auto=Answer()) as gateway,
        SoftPhone() as caller,
    ):
        await edge.announce("g1", gateway)
        async with kamailio:
            assert await edge.taken(caller)
            await eventually(
                lambda: found_by_tag(edge, gateway), bool, WAIT_S, "a name that is known"
            )


async def test_a_phone_that_forgets_the_way_is_led_by_the_tag(tmp_path: Path) -> None:
    async with fed(tmp_path) as edge, SoftPhone(auto=Answer()) as gateway:
        await edge.announce("g1", gateway)
        await eventually(lambda: found_by_tag(edge, gateway), bool, WAIT_S, "a name that is known")


async def found_by_tag(edge: Fed, gateway: SoftPhone) -> bool:
    """Whether a request without Route reaches the gateway that its To tag begins with."""
    before = len(gateway.ladder)
    async with SoftPhone() as phone:
        host, port = phone.address
        dialog = Dialog(
            call_id=f"lost-{before}",
            local=f"<sip:a@{host}:{port}>",
            local_tag="1",
            remote=f"<{edge.uri}>",
            remote_tag="g1-0123",
            target=edge.uri,
        )
        line = phone._line  # the only one who can send a request without its route
        answer = await line.ask(
            dialog.request(line, "INFO"), (edge.kamailio.host, edge.kamailio.port)
        )
        # Such a dialog it has not; yet it was asked.
        assert answer.status == 481
    return any("INFO" in str(step) for step in gateway.ladder[before:])


async def test_an_edge_without_its_folder_does_not_start(tmp_path: Path) -> None:
    world = local_world(var_dir=tmp_path / "var", run_dir=tmp_path / "run")
    settings = EdgeSettings(host="127.0.0.1", dir=tmp_path / "nowhere")
    running = Running([EdgeService(world, settings)], world)
    with pytest.raises(Exception, match="CARILLON_EDGE_DIR"):
        await running.start()


async def test_a_stranger_announcement_is_refused_in_words(tmp_path: Path) -> None:
    async with fed(tmp_path) as edge:
        with pytest.raises(aio.AioRpcError, match="gateway_id"):
            await edge.stub.Announce(
                edge_pb2.AnnounceRequest(
                    gateway_id="x y", incarnation="i", sip_address="h:1", state="taking"
                )
            )
        with pytest.raises(aio.AioRpcError, match="state: taking"):
            await edge.stub.Announce(edge_pb2.AnnounceRequest(gateway_id="g1", state="fine"))
