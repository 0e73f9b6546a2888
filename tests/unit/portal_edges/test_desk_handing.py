"""Handing a caller on from the desk: whom to, with which reason, and what an agent knows before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from protos.acd.v1 import config_pb2, state_pb2
from protos.analytics.v1 import analytics_pb2
from protos.portal.v1 import desk_pb2
from services.chassis.errors import Kind
from services.portal.core.dialling import BadNumber, e164
from tests.unit.portal_edges.desk_stage import WHO, DeskStage, Named, desk_staged, ring
from tests.unit.portal_edges.test_desk import refused, work


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[DeskStage]:
    async with desk_staged() as made:
        made.acd.has(ring(stage="bridged"))
        made.gateway.carries("call-e1", "e1.1", state="bridged", connected=True)
        serves(made, "ben", "sales")
        yield made


def serves(stage: DeskStage, name: str, *queue_ids: str, **more: Any) -> None:
    stage.acd.views[name] = state_pb2.AgentView(
        agent_id=name, name=name.title(), queue_ids=queue_ids, presence="ready", **more
    )


def transfer(reason: str = "wants to buy", **target: str) -> desk_pb2.DeskTransferRequest:
    return desk_pb2.DeskTransferRequest(reservation_id="e1.1", reason=reason, **target)


async def asked_of_gateway(stage: DeskStage, **target: str) -> Any:
    view = await stage.desk.Transfer(transfer(**target), metadata=WHO)
    assert work(view).reservation.reservation_id == "e1.1"
    ((name, request, user_id),) = stage.gateway.asked
    assert (name, user_id, request.by) == ("Transfer", "ada", "ada")
    assert (request.call_id, request.leg_id) == ("call-e1", "leg-2")
    assert request.reason == "wants to buy"
    return request


async def test_to_a_queue(stage: DeskStage) -> None:
    assert (await asked_of_gateway(stage, queue_id="support")).queue_id == "support"


async def test_to_a_colleague_of_the_same_queue(stage: DeskStage) -> None:
    request = await asked_of_gateway(stage, agent_id="ben")
    assert (request.agent_id, request.via_queue_id) == ("ben", "")


async def test_to_a_colleague_who_serves_another_queue(stage: DeskStage) -> None:
    serves(stage, "ben", "billing", "complaints")
    request = await asked_of_gateway(stage, agent_id="ben")
    assert (request.agent_id, request.via_queue_id) == ("ben", "billing")


@pytest.mark.parametrize("written", ["0721 234 567", "+40 721-234-567", "(0721) 234567"])
async def test_to_a_number_as_people_write_it(stage: DeskStage, written: str) -> None:
    assert (await asked_of_gateway(stage, number=written)).number == "+40721234567"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({}, "bad-transfer"),
        ({"queue_id": "nowhere"}, "no-such-queue"),
        ({"agent_id": "eve"}, "no-such-agent"),
        ({"agent_id": "ada"}, "cannot-take-callers"),
        ({"number": "hello"}, "bad-number"),
        ({"queue_id": "sales", "reason": ""}, "bad-transfer"),
        ({"queue_id": "sales", "reason": "x" * 101}, "bad-transfer"),
    ],
)
async def test_a_target_that_is_none_is_refused_by_name(
    stage: DeskStage, target: dict[str, str], code: str
) -> None:
    error = await refused(stage.desk.Transfer(transfer(**target), metadata=WHO))
    assert error.code == code
    assert not stage.gateway.asked


async def test_nobody_is_handed_to_who_takes_no_callers(stage: DeskStage) -> None:
    serves(stage, "ben")
    error = await refused(stage.desk.Transfer(transfer(agent_id="ben"), metadata=WHO))
    assert (error.code, error.kind) == ("cannot-take-callers", Kind.PRECONDITION)
    serves(stage, "ben", "sales")
    stage.acd.views["ben"].presence = "signed_out"
    error = await refused(stage.desk.Transfer(transfer(agent_id="ben"), metadata=WHO))
    assert error.code == "cannot-take-callers"


async def test_without_a_leg_nothing_can_be_asked(stage: DeskStage) -> None:
    stage.gateway.calls.clear()
    error = await refused(stage.desk.Transfer(transfer(queue_id="support"), metadata=WHO))
    assert error.code == "not-connected"
    keys = desk_pb2.DeskDigitsRequest(reservation_id="e1.1", digits="1")
    error = await refused(stage.desk.SendDigits(keys, metadata=WHO))
    assert error.code == "not-connected"


async def test_keys_go_to_the_other_side(stage: DeskStage) -> None:
    keys = desk_pb2.DeskDigitsRequest(reservation_id="e1.1", digits="12#")
    await stage.desk.SendDigits(keys, metadata=WHO)
    ((name, request, _),) = stage.gateway.asked
    assert (name, request.leg_id, request.digits) == ("SendDigits", "leg-2", "12#")


async def test_targets_are_those_who_take_callers_the_reachable_first(stage: DeskStage) -> None:
    stage.acd.views = {"ada": stage.acd.views["ada"]}
    serves(stage, "zoe", "sales", routable=True, state="ready")
    serves(stage, "ben", "sales", state="talking")
    serves(stage, "out", "sales")
    stage.acd.views["out"].presence = "signed_out"
    serves(stage, "nobody")
    ready = state_pb2.ConditionCount(condition="ready", agents=2)
    stage.acd.queues = [
        state_pb2.QueueView(
            queue_id="sales",
            name="Sales",
            open=True,
            waiting=3,
            agents=[ready, state_pb2.ConditionCount(condition="on_break", agents=9)],
        ),
        state_pb2.QueueView(queue_id="billing", open=True, emergency=True),
    ]
    everything = desk_pb2.ListTransferTargetsRequest()
    told = await stage.desk.ListTransferTargets(everything, metadata=WHO)
    assert [(each.name, each.state, each.routable) for each in told.agents] == [
        ("Zoe", "ready", True),
        ("Ben", "talking", False),
    ]
    assert [(each.name, each.open, each.waiting, each.ready) for each in told.queues] == [
        ("billing", False, 0, 0),
        ("Sales", True, 3, 2),
    ]
    some = desk_pb2.ListTransferTargetsRequest(search=" sAL")
    told = await stage.desk.ListTransferTargets(some, metadata=WHO)
    assert ([each.name for each in told.queues], list(told.agents)) == (["Sales"], [])


async def test_own_figures_are_of_the_day_in_the_tenants_zone(stage: DeskStage) -> None:
    stage.clock.at_ms = round(datetime(2026, 7, 1, 22, 30, tzinfo=UTC).timestamp() * 1_000)
    figure = analytics_pb2.Figure(kpi="answered", value=7)
    stage.analytics.report.rows.add(figures=[figure])
    told = await stage.desk.GetOwnFigures(desk_pb2.GetOwnFiguresRequest(), metadata=WHO)
    # Bucharest is three hours ahead in summer: its day began at 21:00.
    midnight_ms = round(datetime(2026, 7, 1, 21, 0, tzinfo=UTC).timestamp() * 1_000)
    none = analytics_pb2.Figure(kpi="rings_unanswered", value=0, unit="count")
    assert (told.from_ms, list(told.figures)) == (midnight_ms, [figure, none])
    (asked,) = stage.analytics.reports
    assert (asked.from_ms, asked.to_ms) == (midnight_ms, stage.clock.at_ms)
    assert list(asked.agent_ids) == ["ada"]
    assert "average_handle_time" in asked.kpis


async def test_an_agent_knows_how_often_it_rang_and_they_did_not_take_it(stage: DeskStage) -> None:
    states = (
        *("ready", "ringing", "talking", "wrap_up"),
        *("ready", "ringing", "break", "ready", "reserved", "ringing", "ready", "ringing"),
    )
    stage.analytics.intervals = [
        analytics_pb2.Interval(agent_id=agent, state=state, from_ms=at_ms)
        for at_ms, state in enumerate(states)
        for agent in ("ada", "bob")
    ]
    told = await stage.desk.GetOwnFigures(desk_pb2.GetOwnFiguresRequest(), metadata=WHO)
    assert {figure.kpi: figure.value for figure in told.figures} == {"rings_unanswered": 2}


async def test_at_midnight_itself_and_in_an_unknown_zone_there_are_figures(
    stage: DeskStage,
) -> None:
    stage.people.tenant.time_zone = "Mars/Olympus"
    stage.clock.at_ms = round(datetime(2026, 7, 1, tzinfo=UTC).timestamp() * 1_000)
    told = await stage.desk.GetOwnFigures(desk_pb2.GetOwnFiguresRequest(), metadata=WHO)
    assert told.from_ms == stage.clock.at_ms
    assert stage.analytics.reports[0].to_ms == stage.clock.at_ms + 1


async def test_the_desk_shows_why_the_caller_is_here(stage: DeskStage) -> None:
    row = ring(stage="bridged")
    row.contact.attributes.append(config_pb2.Attribute(name="menu_path", value="menu: 1"))
    stage.acd.has(row)
    shown = work(await stage.desk.GetDesk(desk_pb2.GetDeskRequest(), metadata=WHO))
    attributes = {each.name: each.value for each in shown.reservation.contact.attributes}
    assert attributes["menu_path"] == "menu: 1"


async def test_what_the_gateway_refuses_keeps_its_name(stage: DeskStage) -> None:
    stage.gateway.refusals["Transfer"] = Named("leg-not-bridged", Kind.PRECONDITION)
    error = await refused(stage.desk.Transfer(transfer(queue_id="support"), metadata=WHO))
    assert error.code == "leg-not-bridged"


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("", "RO"),
        ("0721234567", ""),
        ("12", "RO"),
        ("+4072123456789012", "RO"),
        ("+1 202 555 0188 ext. 4", "US"),
        ("1" * 65, "RO"),
        ("\0", "RO"),
    ],
)
def test_what_is_no_number_is_refused(written: str, region: str) -> None:
    with pytest.raises(BadNumber):
        e164(written, region)
