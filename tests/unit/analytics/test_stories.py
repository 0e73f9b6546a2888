"""A contact's story, from its first INVITE to the end of its wrap-up."""

from __future__ import annotations

import asyncio
from typing import Any

from protos.acd.v1 import config_pb2, events_pb2
from protos.analytics.v1 import analytics_pb2 as pb
from protos.common.v1 import common_pb2
from protos.gateway.v1 import events_pb2 as gateway_pb2
from services.analytics.core.story import MAX_STEPS, in_order
from services.analytics.model.story import Step
from services.analytics.model.words import Source
from services.chassis.envelope import enveloped
from services.chassis.errors import Kind
from services.chassis.ids import TenantId
from services.chassis.request import on_behalf
from services.chassis.rpc import metadata
from services.chassis.simulated import START_MS
from tests.unit.analytics.scene import DEMO, Play, S, Scene, refused

CALL = "call-e1"
Steps = list[tuple[str, dict[str, str]]]


async def tell(scene: Scene, *bodies: dict[str, Any], first_seq: int = 1) -> None:
    """A gateway's facts about the call, a second apart, published and taken in."""
    events = []
    for seq, body in enumerate(bodies, start=first_seq):
        fact = gateway_pb2.CallFact(
            event_id=f"fact-{seq}", call_id=CALL, seq=seq, at_ms=START_MS + seq * S, **body
        )
        event = enveloped(
            fact,
            event_id=fact.event_id,
            tenant_id=TenantId("demo"),
            at_ms=fact.at_ms,
            key=CALL,
            seq=seq,
        )
        events.append(event)
    await scene.world.bus.publish("gateway.events.v1", events)
    await asyncio.sleep(0.001)


def noted(kind: str, **values: str) -> dict[str, Any]:
    return {"flow_noted": gateway_pb2.FlowNoted(kind=kind, values=values)}


async def story_of(scene: Scene, contact_id: str = CALL, who: Any = DEMO) -> pb.Story:
    return await scene.stub.GetStory(pb.GetStoryRequest(contact_id=contact_id), metadata=who)


def steps_of(story: pb.Story, *sources: str) -> Steps:
    return [(each.kind, dict(each.values)) for each in story.steps if each.source in sources]


BEGIN = (
    {"call_started": gateway_pb2.CallStarted(**{"from": "+491"}, to="+4930", trunk="local")},
    {"leg_started": gateway_pb2.LegStarted(leg_id="l1", role="caller")},
    noted("node-entered", node="menu"),
    {"play_started": gateway_pb2.PlayStarted(leg_id="l1", prompts=["beep", "ab12"], loop=True)},
    {"digits_received": gateway_pb2.DigitsReceived(leg_id="l1", count=1, how="rfc4733")},
    noted("digits", node="menu", digits="2"),
    noted("consent", granted="yes", basis="announced"),
    noted("queue-joined", queue="sales", entry="e1"),
    noted("queue-message", queue="sales", text="You are next."),
)
MIDDLE = (
    {"leg_started": gateway_pb2.LegStarted(leg_id="l2", role="agent", agent_id="anna")},
    {"leg_state_changed": gateway_pb2.LegStateChanged(leg_id="l2", state="answered", codec="opus")},
    {"leg_connection_changed": gateway_pb2.LegConnectionChanged(leg_id="l2", state="connected")},
    {"legs_bridged": gateway_pb2.LegsBridged(leg_id="l1", peer_leg_id="l2", took_ms=19.6)},
    {"recording_changed": gateway_pb2.RecordingChanged(state="paused", reason="card", by="anna")},
    {"leg_hold_changed": gateway_pb2.LegHoldChanged(leg_id="l1", held=True)},
    {"leg_hold_changed": gateway_pb2.LegHoldChanged(leg_id="l1", held=False)},
    {"leg_mute_changed": gateway_pb2.LegMuteChanged(leg_id="l2", muted=True)},
    {"leg_mute_changed": gateway_pb2.LegMuteChanged(leg_id="l2", muted=False)},
    {"digits_sent": gateway_pb2.DigitsSent(leg_id="l2", count=3)},
    {
        "transfer_requested": gateway_pb2.TransferRequested(
            leg_id="l2", kind="queue", target="support", reason="technical", by="anna"
        )
    },
    {"flow_detached": gateway_pb2.FlowDetached(reason="stream broke")},
    {"flow_attached": gateway_pb2.FlowAttached(epoch=2)},
)
END = (
    {"leg_ended": gateway_pb2.LegEnded(leg_id="l2", role="agent", reason="ended-by-command")},
    {"leg_ended": gateway_pb2.LegEnded(leg_id="l1", role="caller", reason="hung-up")},
    {
        "ladder_noted": gateway_pb2.LadderNoted(
            steps=[
                gateway_pb2.LadderStep(
                    at_ms=START_MS,
                    leg_id="l1",
                    peer="192.0.2.1:5060",
                    line="INVITE",
                    cseq="1 INVITE",
                    times=2,
                )
            ]
        )
    },
    {
        "call_ended": gateway_pb2.CallEnded(
            termination=common_pb2.Termination(
                termination_class=common_pb2.TERMINATION_CLASS_SUCCESS, reason="caller-hung-up"
            ),
            duration_ms=9 * S,
        )
    },
)


async def a_call(scene: Scene) -> None:
    """Sales is left by overflow to support; anna is rung, then answers, talks and wraps up."""
    await scene.staff()
    at_ms = scene.now_ms
    await scene.happen(scene.enqueued("e1"))
    await scene.happen(events_pb2.WaitAnnounced(entry_id="e1", wait_s=60, basis="measured"))
    for attempt in (1, 2):
        reservation: dict[str, Any] = {"reservation_id": f"e1.{attempt}", "agent_id": "anna"}
        await scene.happen(
            events_pb2.ContactReserved(**reservation, entry_id="e1", attempt=attempt),
            events_pb2.RingConfirmed(**reservation, at_ms=at_ms),
        )
        if attempt == 1:
            await scene.happen(
                events_pb2.ReservationEnded(**reservation, entry_id="e1", outcome="no_answer")
            )
    await scene.happen(
        events_pb2.ReservationAccepted(**reservation, entry_id="e1"),
        scene.exited("e1", "answered", 7 * S),
    )
    await scene.happen(
        events_pb2.ContactCompleted(
            entry_id="e1", agent_id="anna", ended_by="caller", talk_ms=5, hold_ms=6
        ),
        events_pb2.WrapUpCodeSet(reservation_id="e1.2", agent_id="anna", code="sold"),
        events_pb2.WrapUpEnded(
            entry_id="e1", agent_id="anna", cause="code", code="sold", wrap_up_ms=8
        ),
    )


def test_routing_tells_its_part_with_the_names_of_the_time(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await a_call(scene)
        renamed = config_pb2.AgentConfig(agent_id="anna", name="Anna B.")
        await scene.happen(events_pb2.AgentPut(agent=renamed))
        found = await story_of(scene)
        sales = {"queue_id": "sales", "queue": "Sales"}
        anna = {"agent_id": "anna", "agent": "Anna"} | sales
        assert steps_of(found, "acd") == [
            ("queued", {"entry_id": "e1", "priority": "0"} | sales),
            ("position", {"wait_s": "60", "basis": "measured"} | sales),
            ("reserved", {"attempt": "1"} | anna),
            ("ringing", anna),
            ("released", {"outcome": "no_answer"} | anna),
            ("reserved", {"attempt": "2"} | anna),
            ("ringing", anna),
            ("accepted", anna),
            ("left", {"exit": "answered", "wait_ms": "7000", "reason": ""} | anna),
            (
                "completed",
                {"ended_by": "caller", "reason": "", "talk_ms": "5", "hold_ms": "6"} | anna,
            ),
            ("disposition", {"code": "sold"} | anna),
            ("wrap-up-ended", {"cause": "code", "code": "sold", "wrap_up_ms": "8"} | anna),
        ]
        assert [(each.entry_id, each.agent_name) for each in found.entries] == [("e1", "Anna")]
        assert not found.HasField("call")

    play(story)


def test_where_a_contact_was_moved_is_named(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        moved = scene.exited("e1", "overflowed", 9)
        moved.target = "support"
        await scene.happen(scene.enqueued("e1"), moved)
        kind, values = steps_of(await story_of(scene), "acd")[-1]
        assert kind == "left"
        assert (values["exit"], values["target_id"], values["target"]) == (
            "overflowed",
            "support",
            "Support",
        )

    play(story)


def test_gateway_and_flow_tell_theirs(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        await tell(scene, *BEGIN, *MIDDLE, *END)
        found = await story_of(scene)
        assert (getattr(found, "from"), found.to) == ("+491", "+4930")
        assert found.call.termination == "success/caller-hung-up"
        assert steps_of(found, "flow") == [
            ("node", {"node": "menu"}),
            ("keyed", {"node": "menu", "count": "1"}),
            ("flow", {"note": "consent", "granted": "yes", "basis": "announced"}),
            ("position", {"queue_id": "sales", "queue": "Sales", "text": "You are next."}),
        ]
        caller = {"leg": "l1", "role": "caller"}
        anna = {"leg": "l2", "role": "agent", "agent_id": "anna", "agent": "Anna"}
        unheard = {"packets_received": "0", "packets_lost": "0", "jitter_ms": "0.0"}
        assert steps_of(found, "gateway") == [
            ("invited", {"from": "+491", "to": "+4930", "trunk": "local"}),
            ("leg", {"state": "started"} | caller),
            ("said", {"prompts": "beep ab12", "loop": "yes"} | caller),
            ("keyed", {"count": "1", "how": "rfc4733"} | caller),
            ("leg", {"state": "started"} | anna),
            ("leg", {"state": "answered", "codec": "opus"} | anna),
            ("connection", {"state": "connected", "took_ms": "0"} | anna),
            ("bridged", {"peer_leg": "l2", "took_ms": "20"} | caller),
            (
                "recording",
                {"state": "paused", "reason": "card", "by": "anna", "by_name": "Anna"},
            ),
            ("hold", caller),
            ("unhold", caller),
            ("mute", anna),
            ("unmute", anna),
            ("keypad", {"count": "3"} | anna),
            (
                "transfer",
                {
                    "to": "queue",
                    "target": "support",
                    "target_name": "Support",
                    "reason": "technical",
                    "by": "anna",
                    "by_name": "Anna",
                }
                | anna,
            ),
            ("flow", {"note": "detached", "reason": "stream broke"}),
            ("flow", {"note": "attached", "epoch": "2"}),
            ("leg", {"state": "ended", "reason": "ended-by-command"} | unheard | anna),
            ("leg", {"state": "ended", "reason": "hung-up"} | unheard | caller),
            ("ended", {"termination": "success/caller-hung-up", "duration_ms": "9000"}),
        ]
        (invite,) = found.ladder
        assert invite == pb.StoryLadderStep(
            at_ms=START_MS,
            leg_id="l1",
            role="caller",
            peer="192.0.2.1:5060",
            line="INVITE",
            cseq="1 INVITE",
            times=2,
        )

    play(story)


def test_a_call_that_goes_on_has_its_story_so_far_and_no_ladder(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await tell(scene, *BEGIN[:3])
        found = await story_of(scene)
        assert [each.kind for each in found.steps] == ["invited", "leg", "node"]
        assert found.call.ended_at_ms == 0
        assert not found.ladder

    play(story)


def test_what_comes_again_is_told_once(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await tell(scene, *BEGIN[:2])
        await tell(scene, *BEGIN)
        await tell(scene, *BEGIN[3:], *END, first_seq=4)
        await tell(scene, *BEGIN[3:], *END, first_seq=4)
        found = await story_of(scene)
        assert len(found.steps) == len(BEGIN) - 1 + len(END) - 1
        moments = [each.at_ms for each in found.steps]
        assert moments == sorted(moments)
        assert len(found.ladder) == 1

    play(story)


def test_no_key_that_a_caller_pressed_is_in_a_story(play: Play) -> None:
    async def story(scene: Scene) -> None:
        secret = "73519"
        await tell(
            scene,
            noted("digits", node="pin", digits=secret),
            noted("new-kind", digits=secret, key=secret, node="pin"),
        )
        assert secret not in str(await story_of(scene))

    play(story)


def test_a_contact_that_nobody_knows_has_no_story(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await a_call(scene)
        for contact_id, who in (
            ("call-nobody", DEMO),
            (CALL, metadata(tenant_id="other")),
            (
                CALL,
                on_behalf(tenant_id="demo", user_id="b", user_name="", own_agent_id="b"),
            ),
        ):
            error = await refused(story_of(scene, contact_id, who))
            assert (error.code, error.kind) == ("no-such-contact", Kind.NOT_FOUND)
        mine = on_behalf(tenant_id="demo", user_id="anna", user_name="", own_agent_id="anna")
        assert (await story_of(scene, who=mine)).entries
        error = await refused(story_of(scene, "x" * 300))
        assert error.code == "bad-filter"

    play(story)


def test_a_story_begins_with_what_came_first_and_has_an_end() -> None:
    steps = [Step("c", f"{n}", n, MAX_STEPS - n, "said", Source.FLOW, {}) for n in range(2_100)]
    ordered = in_order(steps)
    assert len(ordered) == MAX_STEPS
    assert ordered[0].seq == 2_099


def test_what_happens_to_a_stay_that_began_before_what_is_kept_is_nobodys(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.happen(scene.exited("e1", "abandoned", 1))
        error = await refused(story_of(scene))
        assert error.code == "no-such-contact"

    play(story)
