"""The agent's desk: what it shows, what it does, and that it is nobody else's."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from protos.acd.v1 import config_pb2
from protos.gateway.v1 import gateway_pb2_grpc
from protos.portal.v1 import desk_pb2
from services.chassis.errors import Kind, RemoteError
from services.chassis.rpc import Face, RpcServer, remote_errors
from services.portal import desk as desk_module
from tests.unit.portal_edges.desk_stage import (
    ADA,
    BEN,
    PATIENCE_S,
    WHO,
    DeskStage,
    Named,
    desk_staged,
    ring,
)

WORK = desk_pb2.WorkRequest(reservation_id="e1.1")


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[DeskStage]:
    async with desk_staged() as made:
        yield made


class Page:
    """What a page has been told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def put(self, text: str) -> None:
        self.told.put_nowait(json.loads(f"{{{text}}}"))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            return await self.told.get()

    async def until(self, holds: Any) -> dict[str, Any]:
        """The first desk of which something holds."""
        while True:
            told = await self.next()
            if holds(told["desk"]):
                return told


async def refused(call: Any) -> RemoteError:
    with pytest.raises(RemoteError) as caught, remote_errors():
        await call
    return caught.value


def work(view: Any) -> Any:
    (only,) = view.work
    return only


async def test_a_desk_without_work(stage: DeskStage) -> None:
    view = await stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=WHO)
    assert (view.agent.agent_id, view.agent.state, len(view.work)) == ("ada", "ready", 0)


async def test_a_ring_shows_its_customer_its_queue_and_its_leg(stage: DeskStage) -> None:
    stage.acd.has(ring())
    stage.gateway.carries("call-e1", "e1.1", state="ringing", connected=True)
    shown = work(await stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=WHO))
    assert (shown.card.known, shown.card.customer.name) == (True, "Ion")
    assert (shown.queue_name, shown.recording, shown.connected) == ("Sales", "on", True)


async def test_of_somebody_unknown_the_number_is_shown(stage: DeskStage) -> None:
    stage.acd.has(ring(number="+4070"))
    shown = work(await stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=WHO))
    assert (shown.card.known, shown.card.number) == (False, "+4070")
    stage.acd.has(ring(number=""))
    shown = work(await stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=WHO))
    assert (shown.card.known, shown.card.number) == (False, "")


async def test_whom_the_flow_has_found_is_shown(stage: DeskStage) -> None:
    row = ring(number="+4070")
    row.contact.attributes.append(config_pb2.Attribute(name="customer_id", value="c7"))
    stage.acd.has(row)
    shown = work(await stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=WHO))
    assert (shown.card.known, shown.card.customer.name, shown.card.contacts) == (True, "Maria", 1)
    row.contact.attributes[1].value = "c8"
    stage.acd.has(row)
    shown = work(await stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=WHO))
    assert not shown.card.known


async def test_without_customers_or_gateway_there_is_a_desk_all_the_same(
    stage: DeskStage,
) -> None:
    stage.exchange.kill("crm")
    stage.exchange.kill("gateway")
    stage.acd.has(ring())
    shown = work(await stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=WHO))
    assert (shown.card.known, shown.card.number) == (False, "+40211234567")
    assert (shown.connected, shown.recording) == (False, "off")


async def test_who_is_no_agent_has_no_desk(stage: DeskStage) -> None:
    stranger = (("carillon-tenant", "demo"), ("carillon-user", "eve"))
    error = await refused(stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=stranger))
    assert (error.code, error.kind) == ("no-such-agent", Kind.NOT_FOUND)
    nobody = (("carillon-tenant", "demo"),)
    error = await refused(stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=nobody))
    assert error.code == "users-only"


COMMANDS = sorted(
    name
    for name, method in desk_pb2.DESCRIPTOR.services_by_name["Desk"].methods_by_name.items()
    if "reservation_id" in method.input_type.fields_by_name
)


@pytest.mark.parametrize("name", COMMANDS)
async def test_nobody_touches_another_agents_contact(stage: DeskStage, name: str) -> None:
    stage.acd.has(ring())
    stage.gateway.carries("call-e1", "e1.1", state="bridged")
    method = desk_pb2.DESCRIPTOR.services_by_name["Desk"].methods_by_name[name]
    request = getattr(desk_pb2, method.input_type.name)(reservation_id="e1.1")
    error = await refused(getattr(stage.desk, name)(request, metadata=BEN))
    assert error.code == "no-such-reservation"
    assert not stage.acd.asked
    assert not stage.gateway.asked


async def test_presence(stage: DeskStage) -> None:
    request = desk_pb2.SetDeskPresenceRequest(presence="break", reason="lunch")
    view = await stage.desk.SetPresence(request, metadata=WHO)
    (asked,) = stage.acd.asked
    assert (asked.agent_id, asked.presence, asked.reason) == ("ada", "break", "lunch")
    assert view.agent.presence == "break"


@pytest.mark.parametrize(
    ("name", "request_", "expected"),
    [
        ("ConfirmRinging", WORK, {"agent_id": "ada"}),
        ("Accept", WORK, {"agent_id": "ada"}),
        ("Reject", WORK, {"agent_id": "ada", "outcome": "reject"}),
        (
            "SetDisposition",
            desk_pb2.DispositionRequest(reservation_id="e1.1", code="sold"),
            {"code": "sold"},
        ),
        (
            "FinishWrapUp",
            desk_pb2.DispositionRequest(reservation_id="e1.1", code="sold"),
            {"code": "sold"},
        ),
        ("ExtendWrapUp", WORK, {}),
    ],
)
async def test_what_routing_is_asked_for(
    stage: DeskStage, name: str, request_: Any, expected: dict[str, str]
) -> None:
    stage.acd.has(ring())
    view = await getattr(stage.desk, name)(request_, metadata=WHO)
    (asked,) = stage.acd.asked
    assert asked.reservation_id == "e1.1"
    for field, value in expected.items():
        assert getattr(asked, field) == value
    assert view.agent.agent_id == "ada"


async def test_what_routing_refuses_keeps_its_name(stage: DeskStage) -> None:
    stage.acd.has(ring())
    stage.acd.refusal = Named("answered-elsewhere", Kind.PRECONDITION)
    error = await refused(stage.desk.Accept(WORK, metadata=WHO))
    assert (error.code, error.kind) == ("answered-elsewhere", Kind.PRECONDITION)
    assert error.message == "this is answered-elsewhere"


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("Hold", "held", True),
        ("Unhold", "held", False),
        ("Mute", "muted", True),
        ("Unmute", "muted", False),
    ],
)
async def test_what_the_gateway_is_asked_for(
    stage: DeskStage,
    name: str,
    field: str,
    value: bool,
) -> None:
    stage.acd.has(ring(stage="bridged"))
    stage.gateway.carries("call-e1", "e1.1", state="bridged", **{field: not value})
    view = await getattr(stage.desk, name)(WORK, metadata=WHO)
    ((asked, request, who),) = stage.gateway.asked
    assert (asked, request.call_id, request.leg_id, who) == (name, "call-e1", "leg-2", "ada")
    assert getattr(work(view), field) is value


async def test_hanging_up_is_for_who_has_a_leg(stage: DeskStage) -> None:
    stage.acd.has(ring(stage="bridged"))
    leg = stage.gateway.carries("call-e1", "e1.1", state="bridged")
    await stage.desk.HangUp(WORK, metadata=WHO)
    assert [asked for asked, _, _ in stage.gateway.asked] == ["HangUp"]
    leg.state = "ended"
    error = await refused(stage.desk.HangUp(WORK, metadata=WHO))
    assert (error.code, error.kind) == ("not-connected", Kind.PRECONDITION)


async def test_recording_is_paused_under_the_agents_name(stage: DeskStage) -> None:
    stage.acd.has(ring(stage="bridged"))
    stage.gateway.carries("call-e1", "e1.1", state="bridged")
    request = desk_pb2.PauseRecordingRequest(reservation_id="e1.1", reason="card")
    assert work(await stage.desk.PauseRecording(request, metadata=WHO)).recording == "paused"
    ((_, asked, _),) = stage.gateway.asked
    assert (asked.call_id, asked.reason, asked.by) == ("call-e1", "card", "ada")
    assert work(await stage.desk.ResumeRecording(WORK, metadata=WHO)).recording == "on"


async def test_who_has_no_leg_does_not_touch_what_others_record(stage: DeskStage) -> None:
    stage.acd.has(ring(stage="ended"))
    leg = stage.gateway.carries("call-e1", "e1.1", state="ended")
    request = desk_pb2.PauseRecordingRequest(reservation_id="e1.1", reason="card")
    for asked in (
        stage.desk.PauseRecording(request, metadata=WHO),
        stage.desk.ResumeRecording(WORK, metadata=WHO),
    ):
        assert (await refused(asked)).code == "not-connected"
    assert not stage.gateway.asked
    leg.state = "bridged"
    await stage.desk.PauseRecording(request, metadata=WHO)


async def test_what_the_feed_tells_while_an_answer_is_made_counts_as_newer(
    stage: DeskStage,
) -> None:
    page = Page()
    async with stage.desks.held(*ADA) as desk:
        desk.topic.follow(page.put)
        first = await page.next()
        stage.acd.has(ring(stage="bridged"))
        stage.gateway.carries("call-e1", "e1.1", state="bridged")
        rung = await page.until(lambda desk: desk["work"] and desk["work"][0]["recording"] == "on")

        async def over() -> None:
            stage.acd.has()
            await page.until(lambda desk: not desk["work"])

        stage.gateway.meanwhile = over
        view = await stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=WHO)
    assert work(view).reservation.stage == "bridged"
    assert int(first["desk"]["number"]) < view.number == int(rung["desk"]["number"])


async def test_a_desk_outlives_a_fault_in_the_telling_of_it(stage: DeskStage) -> None:
    queues: Any = stage.queues
    names, failed = queues.names, asyncio.Event()

    async def broken(*_: Any) -> Any:
        queues.names = names
        failed.set()
        raise ZeroDivisionError

    page = Page()
    async with stage.desks.held(*ADA) as desk:
        desk.topic.follow(page.put)
        await page.next()
        queues.names = broken
        stage.acd.has(ring())
        async with asyncio.timeout(PATIENCE_S):
            await failed.wait()
        stage.acd.has(ring(stage="ringing"))
        await page.until(lambda desk: desk["work"])


async def test_connecting_hands_the_offer_to_the_contacts_gateway(stage: DeskStage) -> None:
    stage.acd.has(ring())
    request = desk_pb2.ConnectRequest(reservation_id="e1.1", sdp_offer="offer")
    answer = await stage.desk.Connect(request, metadata=WHO)
    assert (answer.sdp_answer, answer.leg_id) == ("answer", "leg-2")
    ((_, asked, _),) = stage.gateway.asked
    assert (asked.reservation_id, asked.agent_id, asked.sdp_offer) == ("e1.1", "ada", "offer")


async def test_a_contact_on_no_gateway_can_not_be_connected(stage: DeskStage) -> None:
    row = ring()
    for address in ("", "tcp:1.2.3.4:5", "../gateway"):
        row.contact.gateway = address
        stage.acd.has(row)
        request = desk_pb2.ConnectRequest(reservation_id="e1.1", sdp_offer="offer")
        error = await refused(stage.desk.Connect(request, metadata=WHO))
        assert error.code == "no-gateway"


async def test_a_gateway_is_reached_where_the_contact_says(stage: DeskStage) -> None:
    with tempfile.TemporaryDirectory(prefix="c-") as folder:
        path = Path(folder) / "gateway.sock"
        register: Any = gateway_pb2_grpc.add_GatewayServicer_to_server
        face = Face(lambda server: register(stage.gateway, server), "carillon.gateway.v1.Gateway")
        server = RpcServer(path=path, faces=[face])
        await server.start()
        stage.exchange.kill("gateway")
        row = ring(stage="bridged")
        row.contact.gateway = f"unix:{path}"
        stage.acd.has(row)
        stage.gateway.carries("call-e1", "e1.1", state="bridged")
        for name in ("Hold", "Mute"):
            await getattr(stage.desk, name)(WORK, metadata=WHO)
        await stage.close()
        await server.stop()
    assert [asked for asked, _, _ in stage.gateway.asked] == ["Hold", "Mute"]


async def test_a_page_sees_the_ring_with_its_card_and_every_change(stage: DeskStage) -> None:
    page = Page()
    async with stage.desks.held(*ADA) as desk:
        desk.topic.follow(page.put)
        first = await page.next()
        assert (first["topic"], first["desk"]["number"]) == ("desk", "1")
        stage.gateway.carries("call-e1", "e1.1", state="ringing")
        stage.acd.has(ring())
        rung = await page.next()
        assert rung["desk"]["number"] == "2"
        (shown,) = rung["desk"]["work"]
        assert shown["card"]["customer"]["name"] == "Ion"
        assert shown["queue_name"] == "Sales"
        stage.acd.has(ring(stage="connecting"))
        told = await page.until(
            lambda desk: desk["work"][0]["reservation"]["stage"] == "connecting"
        )
        assert int(told["desk"]["number"]) > 2
        assert stage.crm.asked == ["+40211234567"], "the customer was asked for once"


async def test_a_ring_does_not_wait_longer_than_its_card_may_take(
    stage: DeskStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "CARD_RETRY_S", (0.01, 0.01))
    stage.crm.gate.clear()
    page = Page()
    async with stage.desks.held(*ADA) as desk:
        desk.topic.follow(page.put)
        await page.next()
        stage.acd.has(ring())
        rung = await page.until(lambda desk: desk["work"])
        assert rung["desk"]["work"][0]["card"] == {
            "known": False,
            "number": "+40211234567",
            "latest": [],
            "contacts": 0,
        }
        # What came too late for the ring is shown when it comes.
        stage.crm.gate.set()
        late = await page.until(lambda desk: desk["work"][0]["card"]["known"])
        assert late["desk"]["work"][0]["card"]["customer"]["name"] == "Ion"


async def test_customers_that_stay_away_are_asked_for_a_few_times_only(
    stage: DeskStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "CARD_RETRY_S", (0.01, 0.01))
    stage.crm.failures = 100
    page = Page()
    async with stage.desks.held(*ADA) as desk:
        desk.topic.follow(page.put)
        stage.acd.has(ring(), push=False)
        await page.until(lambda desk: desk["work"])
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(3):
                await stage.crm.failed.acquire()
    assert len(stage.crm.asked) == 3


async def test_what_happens_to_the_leg_is_shown(stage: DeskStage) -> None:
    page = Page()
    leg = stage.gateway.carries("call-e1", "e1.1", state="ringing")
    stage.acd.has(ring())
    async with stage.desks.held(*ADA) as desk:
        desk.topic.follow(page.put)
        await page.until(lambda desk: desk["work"][0]["recording"] == "on")
        leg.connected = True
        stage.gateway.tell()
        await page.until(lambda desk: desk["work"][0]["connected"])
        leg.held = leg.muted = True
        stage.gateway.tell()
        told = await page.until(lambda desk: desk["work"][0]["held"])
        assert told["desk"]["work"][0]["muted"]
        # What the agent does here is shown without waiting for the gateway to tell.
        await stage.desk.Unmute(WORK, metadata=WHO)
        await page.until(lambda desk: not desk["work"][0]["muted"])


async def test_a_desk_outlives_routing_and_gateway(stage: DeskStage) -> None:
    page = Page()
    leg = stage.gateway.carries("call-e1", "e1.1", state="bridged")
    stage.acd.has(ring(stage="bridged"))
    async with stage.desks.held(*ADA) as desk:
        desk.topic.follow(page.put)
        await page.until(lambda desk: desk["work"] and desk["work"][0]["recording"] == "on")
        stage.exchange.kill("acd")
        stage.gateway.facts.put(Named("lost", Kind.UNAVAILABLE))
        leg.held = True
        stage.serve_acd()
        stage.acd.has(ring(stage="bridged"), ring("e2.1"), push=False)
        told = await page.until(lambda desk: len(desk["work"]) == 2)
        if not told["desk"]["work"][0]["held"]:
            await page.until(lambda desk: desk["work"][0]["held"])


async def test_what_is_over_leaves_the_desk(stage: DeskStage) -> None:
    page = Page()
    stage.gateway.carries("call-e1", "e1.1", state="bridged")
    stage.acd.has(ring(stage="bridged"))
    async with stage.desks.held(*ADA) as desk:
        desk.topic.follow(page.put)
        await page.until(lambda desk: desk["work"] and desk["work"][0]["recording"] == "on")
        stage.acd.has()
        await page.until(lambda desk: not desk["work"])
        assert not desk.cards
        async with asyncio.timeout(PATIENCE_S):
            await stage.gateway.facts.left.wait()
        assert not stage.gateway.facts.readers


async def test_two_pages_share_one_desk_and_the_last_one_ends_it(stage: DeskStage) -> None:
    async with stage.desks.held(*ADA) as first:
        async with stage.desks.held(*ADA) as second:
            assert first is second
            async with asyncio.timeout(PATIENCE_S):
                await stage.acd.feeds.opened.wait()
        assert stage.desks.find(*ADA) is first
    assert stage.desks.find(*ADA) is None
    async with asyncio.timeout(PATIENCE_S):
        await stage.acd.feeds.left.wait()
