"""Thresholds and alarms through the face, in a simulated world."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protos.acd.v1 import events_pb2
from protos.analytics.v1 import analytics_pb2 as pb
from protos.common.v1 import common_pb2
from services.analytics.core.alarms import MAX_THRESHOLDS
from services.chassis.errors import Kind
from services.chassis.request import on_behalf
from services.chassis.rpc import metadata
from services.chassis.simulated import START_MS
from tests.unit.analytics.scene import DEMO, Play, S, Scene, refused

OTHER = metadata(tenant_id="other")
ANNA = on_behalf(tenant_id="demo", user_id="u-1", user_name="Änn", own_agent_id="")


def crowd(**more: Any) -> pb.Threshold:
    """More than two wait for sales."""
    kept: dict[str, Any] = {
        "threshold_id": "crowd",
        "name": "Many wait",
        "measure": "waiting",
        "queue_id": "sales",
        "direction": "above",
        "raise_at": 2,
        "clear_at": 1,
        "severity": "critical",
        "active": True,
    }
    return pb.Threshold(**(kept | more))


async def put(scene: Scene, threshold: pb.Threshold, who: Any = DEMO) -> pb.Threshold:
    return await scene.stub.PutThreshold(pb.PutThresholdRequest(threshold=threshold), metadata=who)


async def alarms(scene: Scene, who: Any = DEMO, **more: Any) -> list[pb.Alarm]:
    found = await scene.stub.ListAlarms(pb.ListAlarmsRequest(**more), metadata=who)
    return list(found.alarms)


async def come(scene: Scene, *entry_ids: str) -> None:
    await scene.happen(*(scene.enqueued(entry_id) for entry_id in entry_ids))


async def go(scene: Scene, *entry_ids: str) -> None:
    await scene.happen(*(scene.exited(entry_id, "abandoned", 1) for entry_id in entry_ids))


def test_an_alarm_is_raised_soon_after_the_event_and_cleared_again(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        assert await put(scene, crowd()) == crowd()
        await asyncio.sleep(1)
        await come(scene, "e1", "e2", "e3")
        came_ms = scene.now_ms
        await asyncio.sleep(0.25)
        (alarm,) = await alarms(scene)
        assert alarm.raised_at_ms - came_ms <= 250
        assert (alarm.state, alarm.value, alarm.worst, alarm.queue_name) == (
            "raised",
            3,
            3,
            "Sales",
        )
        assert alarm.threshold == crowd()
        await come(scene, "e4")
        await asyncio.sleep(10)
        await go(scene, "e1", "e2")
        await asyncio.sleep(2)
        assert [each.state for each in await alarms(scene)] == ["raised"]
        await go(scene, "e3")
        await asyncio.sleep(0.25)
        (alarm,) = await alarms(scene)
        assert (alarm.state, alarm.worst) == ("cleared", 4)
        assert alarm.cleared_at_ms == pytest.approx(scene.now_ms, abs=250)

    play(story)


def test_a_wait_that_grows_is_noticed_without_any_event(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        slow = crowd(measure="longest_wait", queue_id="", raise_at=30 * S, clear_at=30 * S, for_s=5)
        await put(scene, slow)
        await come(scene, "e1")
        await asyncio.sleep(33)
        assert await alarms(scene) == []
        await asyncio.sleep(5)
        (alarm,) = await alarms(scene)
        assert alarm.queue_name == ""
        assert alarm.raised_at_ms == pytest.approx(START_MS + 35 * S, abs=1_200)

    play(story)


def test_watchers_get_all_and_then_every_change(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        await put(scene, crowd())
        await come(scene, "e1", "e2", "e3")
        await asyncio.sleep(1.5)
        told: list[tuple[bool, list[tuple[str, bool]]]] = []

        async def watch() -> None:
            call = scene.stub.WatchAlarms(pb.WatchAlarmsRequest(), metadata=DEMO)
            async for change in call:
                seen = [(each.state, each.acknowledged_at_ms > 0) for each in change.alarms]
                told.append((change.all, seen))

        watching = asyncio.ensure_future(watch())
        await asyncio.sleep(0.1)
        assert told == [(True, [("raised", False)])]
        (alarm,) = await alarms(scene)
        request = pb.AcknowledgeAlarmRequest(alarm_id=alarm.alarm_id, note="on it")
        await scene.stub.AcknowledgeAlarm(request, metadata=ANNA)
        await asyncio.sleep(0.1)
        await go(scene, "e1", "e2", "e3")
        await asyncio.sleep(8)
        watching.cancel()
        assert told[1:] == [(False, [("raised", True)]), (False, [("cleared", True)])]

    play(story)


def test_the_first_who_has_seen_an_alarm_counts(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        await put(scene, crowd())
        await come(scene, "e1", "e2", "e3")
        await asyncio.sleep(1.5)
        (alarm,) = await alarms(scene, open=True)
        request = pb.AcknowledgeAlarmRequest(alarm_id=alarm.alarm_id, note="on it")
        first = await scene.stub.AcknowledgeAlarm(request, metadata=ANNA)
        assert (first.acknowledged_by, first.acknowledged_by_name, first.note) == (
            "u-1",
            "Änn",
            "on it",
        )
        assert first.acknowledged_at_ms == pytest.approx(scene.now_ms, abs=5)
        await asyncio.sleep(1)
        request.note = "me too"
        again = await scene.stub.AcknowledgeAlarm(request, metadata=DEMO)
        assert again == first
        assert len(await alarms(scene, open=True)) == 1
        await go(scene, "e1", "e2", "e3")
        await asyncio.sleep(1)
        assert await alarms(scene, open=True) == []
        assert len(await alarms(scene)) == 1

    play(story)


def test_a_threshold_that_is_gone_or_rests_ends_its_alarm(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        await come(scene, "e1", "e2", "e3")
        await put(scene, crowd())
        await put(scene, crowd(threshold_id="mob"))
        await asyncio.sleep(1.5)
        assert {each.state for each in await alarms(scene)} == {"raised"}
        await put(scene, crowd(raise_at=1))
        assert {each.state for each in await alarms(scene)} == {"raised"}
        await put(scene, crowd(active=False))
        removal = pb.RemoveThresholdRequest(threshold_id="mob")
        await scene.stub.RemoveThreshold(removal, metadata=DEMO)
        assert {each.state for each in await alarms(scene)} == {"cleared"}
        await asyncio.sleep(3)
        assert len(await alarms(scene)) == 2
        error = await refused(scene.stub.RemoveThreshold(removal, metadata=DEMO))
        assert (error.code, error.kind) == ("no-such-threshold", Kind.NOT_FOUND)

    play(story)


def test_alarms_come_newest_first_page_by_page(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        for number in range(5):
            await put(
                scene,
                crowd(threshold_id=f"t{number}", measure="agents_ready", raise_at=0, clear_at=0),
            )
            await asyncio.sleep(1.2)
        seen: list[str] = []
        token = ""
        while True:
            page = common_pb2.PageRequest(size=2, token=token)
            found = await scene.stub.ListAlarms(pb.ListAlarmsRequest(page=page), metadata=DEMO)
            seen += [each.threshold.threshold_id for each in found.alarms]
            token = found.page.next_token
            if not token:
                break
        assert seen == ["t4", "t3", "t2", "t1", "t0"]
        middle = (await alarms(scene))[2]
        only = {"from_ms": middle.raised_at_ms, "to_ms": middle.raised_at_ms + 1}
        assert await alarms(scene, **only) == [middle]
        listed = await scene.stub.ListThresholds(pb.ListThresholdsRequest(), metadata=DEMO)
        assert [each.threshold_id for each in listed.thresholds] == sorted(seen)

    play(story)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold_id": "Über"},
        {"threshold_id": ""},
        {"name": "x" * 101},
        {"measure": "mood"},
        {"measure": ""},
        {"direction": "beside"},
        {"severity": ""},
        {"clear_at": 3},
        {"for_s": 3_601},
        {"queue_id": "q" * 300},
        {"raise_at": float("nan")},
    ],
)
def test_a_threshold_that_makes_no_sense_is_refused(play: Play, wrong: dict[str, Any]) -> None:
    async def story(scene: Scene) -> None:
        error = await refused(put(scene, crowd(**wrong)))
        assert (error.code, error.kind) == ("bad-threshold", Kind.INVALID)

    play(story)


def test_other_requests_that_make_no_sense_are_refused(play: Play) -> None:
    async def story(scene: Scene) -> None:
        stub = scene.stub
        for call, code in (
            (stub.ListAlarms(pb.ListAlarmsRequest(from_ms=5, to_ms=4), metadata=DEMO), "bad-range"),
            (
                stub.ListAlarms(
                    pb.ListAlarmsRequest(page=common_pb2.PageRequest(token="?")), metadata=DEMO
                ),
                "bad-filter",
            ),
            (
                stub.RemoveThreshold(pb.RemoveThresholdRequest(threshold_id="?"), metadata=DEMO),
                "bad-threshold",
            ),
            (
                stub.AcknowledgeAlarm(
                    pb.AcknowledgeAlarmRequest(alarm_id="a", note="x" * 201), metadata=DEMO
                ),
                "bad-filter",
            ),
            (
                stub.AcknowledgeAlarm(pb.AcknowledgeAlarmRequest(alarm_id="a"), metadata=DEMO),
                "no-such-alarm",
            ),
        ):
            assert (await refused(call)).code == code

    play(story)


def test_a_tenant_has_so_many_thresholds(play: Play) -> None:
    async def story(scene: Scene) -> None:
        for number in range(MAX_THRESHOLDS):
            await put(scene, crowd(threshold_id=f"t{number}"))
        await put(scene, crowd(threshold_id="t7", name="again"))
        error = await refused(put(scene, crowd(threshold_id="one-more")))
        assert (error.code, error.kind) == ("too-many-thresholds", Kind.EXHAUSTED)

    play(story)


def test_another_tenant_sees_and_ends_nothing_of_it(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        await put(scene, crowd())
        await come(scene, "e1", "e2", "e3")
        await asyncio.sleep(1.5)
        (mine,) = await alarms(scene)
        assert await alarms(scene, OTHER) == []
        request = pb.AcknowledgeAlarmRequest(alarm_id=mine.alarm_id)
        error = await refused(scene.stub.AcknowledgeAlarm(request, metadata=OTHER))
        assert error.code == "no-such-alarm"
        removal = pb.RemoveThresholdRequest(threshold_id="crowd")
        error = await refused(scene.stub.RemoveThreshold(removal, metadata=OTHER))
        assert error.code == "no-such-threshold"
        listed = await scene.stub.ListThresholds(pb.ListThresholdsRequest(), metadata=OTHER)
        assert not listed.thresholds
        await put(scene, crowd(), OTHER)
        await asyncio.sleep(2)
        assert await alarms(scene, OTHER) == []

    play(story)


def test_an_agents_own_figures_of_today_come_without_a_span(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        await scene.happen(scene.enqueued("e1"), scene.exited("e1", "answered", 10 * S))
        await scene.happen(scene.state("talking"))
        await asyncio.sleep(60)
        await scene.happen(scene.state("wrap_up"))
        await asyncio.sleep(20)
        await scene.happen(
            events_pb2.ContactCompleted(entry_id="e1", talk_ms=50 * S, hold_ms=10 * S),
            events_pb2.WrapUpEnded(entry_id="e1", wrap_up_ms=20 * S),
            scene.state("ready"),
        )
        await asyncio.sleep(60)
        figures = (await scene.report(from_ms=0, to_ms=0, agent_ids=["anna"]))[""]
        assert figures["answered"] == figures["handled"] == 1
        assert figures["average_talk_time"] == 50 * S
        assert figures["average_hold_time:all"] == figures["average_hold_time:held"] == 10 * S
        assert figures["after_call_work"] == 20 * S
        assert figures["average_handle_time:talk-wrap"] == 70 * S
        assert figures["average_handle_time:talk-hold-wrap"] == 80 * S
        assert figures["occupancy:talk-hold"] == pytest.approx(50, abs=0.1)
        nobody = (await scene.report(from_ms=0, to_ms=0, agent_ids=["bea"]))[""]
        assert (nobody["answered"], nobody["occupancy:talk-hold"]) == (0, None)
        yesterday = await scene.report(
            from_ms=START_MS - 2 * 86_400 * S, to_ms=START_MS - 86_400 * S
        )
        assert yesterday[""]["answered"] == 0

    play(story)
