"""An agent's browser as a leg: rung by nobody, connected by itself, lost and found."""

from __future__ import annotations

import pytest

from media_gateway.core import events as e
from media_gateway.core import facts, reports
from media_gateway.core import happenings as h
from media_gateway.core.steps import JoinLegs, RingAgent, SetConsent, StopRinging
from media_gateway.model import (
    BROWSER,
    CALLER_LEG,
    LegEnd,
    LegRole,
    LegState,
    NoSuchLeg,
    OperationEnd,
    RingOutcome,
)
from tests.unit.gateway.driver import AGENT_LEG, Driver, any_of, only, published, told

RING_MS = 20_000
CONNECTED = facts.LegConnectionChanged(AGENT_LEG, connected=True, took_ms=80.0)
LOST = facts.LegConnectionChanged(AGENT_LEG, connected=False, took_ms=0.0)
LEFT = reports.LegEnded(AGENT_LEG, LegRole.AGENT, "r.1", LegEnd.CONNECTION_LOST)


def rung() -> Driver:
    driver = Driver().answered()
    driver.do(h.MediaHeard(CALLER_LEG))
    driver.step(RingAgent("r.1", "agent-1", BROWSER, RING_MS))
    driver.do(h.MediaOpened(AGENT_LEG))
    return driver


def connect(driver: Driver) -> list[e.Event]:
    events = driver.do(h.LegConnects(AGENT_LEG, "PCMU", 80.0))
    return events + driver.do(h.MediaHeard(AGENT_LEG))


def talking() -> Driver:
    driver = rung()
    connect(driver)
    driver.step(JoinLegs("r.1"))
    return driver


def sounds(events: list[e.Event]) -> list[tuple[str, str]]:
    """What begins and stops to play: leg and sound."""
    return [
        (event.leg_id, event.sound if isinstance(event, e.StartSound) else "")
        for event in events
        if isinstance(event, e.StartSound | e.StopSound)
    ]


def test_nothing_is_sent_to_a_browser_and_the_flow_hears_no_ringing() -> None:
    driver = rung()
    assert not any_of(driver.events, e.SendInvite)
    assert told(connect(driver)) == []
    assert CONNECTED in published(driver.events)
    assert driver.call.leg(AGENT_LEG).state is LegState.INVITED


def test_a_connected_browser_is_bridged_at_once() -> None:
    driver = rung()
    connect(driver)
    events = driver.step(JoinLegs("r.1"))
    assert only(events, e.ConnectMedia).peer_leg_id == AGENT_LEG
    assert told(events) == [
        reports.OperationEnded("hold", OperationEnd.STOPPED),
        reports.Bridged("r.1", AGENT_LEG),
    ]
    assert facts.LegStateChanged(AGENT_LEG, LegState.ANSWERED, "PCMU") in published(events)
    assert driver.call.leg(AGENT_LEG).state is LegState.BRIDGED
    assert told(driver.wait(RING_MS * 2)) == []


def test_a_bridge_waits_for_the_browser_and_the_music_goes_on_meanwhile() -> None:
    driver = rung()
    asked = driver.step(JoinLegs("r.1"))
    assert told(asked) == []
    assert sounds(asked) == []
    driver.wait(2_000)
    assert told(driver.step(JoinLegs("r.1"))) == []
    driver.wait(999)
    assert reports.Bridged("r.1", AGENT_LEG) in told(connect(driver))


def test_a_browser_that_does_not_come_fails_the_bridge_and_not_the_caller() -> None:
    driver = rung()
    driver.step(JoinLegs("r.1"))
    events = driver.wait(3_000)
    assert told(events) == [reports.BridgeFailed("r.1", "not-connected")]
    gone = facts.LegEnded(AGENT_LEG, LegRole.AGENT, LegEnd.CONNECTION_LOST, 0)
    assert gone in published(events)
    assert [leg.leg_id for leg in driver.call.legs] == [CALLER_LEG]
    assert driver.call.operation is not None
    with pytest.raises(NoSuchLeg):
        driver.do(h.LegConnects(AGENT_LEG, "PCMU", 80.0))


def test_a_connection_lost_while_it_rings_is_awaited_as_long_as_it_rings() -> None:
    driver = rung()
    connect(driver)
    assert LOST in published(driver.do(h.LegDisconnects(AGENT_LEG)))
    assert driver.do(h.LegDisconnects(AGENT_LEG)) == []
    driver.wait(RING_MS - 1)
    connect(driver)
    assert reports.Bridged("r.1", AGENT_LEG) in told(driver.step(JoinLegs("r.1")))


@pytest.mark.parametrize("connected", [True, False])
def test_the_ring_of_a_browser_ends_after_routing_had_the_time_to_end_it(connected: bool) -> None:
    driver = rung()
    if connected:
        connect(driver)
    assert told(driver.wait(RING_MS + 4_999)) == []
    assert told(driver.wait(1)) == [reports.LegFailed("r.1", RingOutcome.NO_ANSWER)]
    assert len(driver.call.legs) == 1


def test_a_ring_that_is_stopped_is_over_at_once() -> None:
    driver = rung()
    connect(driver)
    events = driver.step(StopRinging("r.1", "answered-elsewhere"))
    assert told(events) == [reports.LegFailed("r.1", RingOutcome.CANCELLED)]
    assert only(events, e.CloseMedia).leg_id == AGENT_LEG
    assert not any_of(events, e.SendCancel)
    assert any_of(events, e.LegGone)


def test_a_lost_connection_is_music_for_the_caller_until_it_is_back() -> None:
    driver = talking()
    lost = driver.do(h.LegDisconnects(AGENT_LEG))
    assert sounds(lost) == [(CALLER_LEG, "own:music")]
    assert told(lost) == []
    driver.wait(29_999)
    back = connect(driver)
    assert sounds(back) == [(CALLER_LEG, "")]
    assert told(back) == []
    assert driver.call.bridge is not None
    assert told(driver.wait(60_000)) == []


def test_after_thirty_seconds_the_flow_decides() -> None:
    driver = talking()
    driver.do(h.LegDisconnects(AGENT_LEG))
    events = driver.wait(30_000)
    assert told(events) == [LEFT]
    assert only(events, e.DisconnectMedia).peer_leg_id == AGENT_LEG
    assert driver.call.bridge is None
    assert [leg.state for leg in driver.call.legs] == [LegState.ANSWERED]


def test_a_caller_who_leaves_meanwhile_ends_it_all() -> None:
    driver = talking()
    driver.do(h.LegDisconnects(AGENT_LEG))
    events = driver.do(h.LegLeaves(CALLER_LEG, LegEnd.HUNG_UP))
    assert driver.call.legs == ()
    assert reports.LegEnded(AGENT_LEG, LegRole.AGENT, "r.1", LegEnd.BY_COMMAND) in told(events)
    assert driver.call.termination is not None
    assert driver.call.termination.reason == "caller-hung-up"


def test_hold_is_between_the_legs_alone() -> None:
    driver = talking()
    events = driver.do(h.HoldLeg(AGENT_LEG, held=True))
    assert any_of(events, e.SetHold)
    assert not any_of(events, e.SendHold)
    assert sounds(events) == [(CALLER_LEG, "own:music")]
    driver.do(h.LegDisconnects(AGENT_LEG))
    assert sounds(connect(driver)) == []
    assert sounds(driver.do(h.HoldLeg(AGENT_LEG, held=False))) == [(CALLER_LEG, "")]


def test_hanging_up_in_the_browser_is_hanging_up() -> None:
    driver = talking()
    events = driver.do(h.HangUpLeg(AGENT_LEG))
    assert told(events) == [reports.LegEnded(AGENT_LEG, LegRole.AGENT, "r.1", LegEnd.HUNG_UP)]
    assert not any_of(events, e.SendBye)
    assert [leg.leg_id for leg in driver.call.legs] == [CALLER_LEG]


def test_silence_on_a_connection_that_lives_is_a_media_timeout() -> None:
    driver = talking()
    (left,) = told(driver.do(h.MediaLost(AGENT_LEG)))
    assert left == reports.LegEnded(AGENT_LEG, LegRole.AGENT, "r.1", LegEnd.MEDIA_TIMEOUT)


def test_a_browser_is_recorded_like_any_other_leg_and_still_when_it_is_back() -> None:
    driver = rung()
    driver.step(SetConsent(granted=True, basis="announced"))
    connect(driver)
    assert not any_of(driver.do(h.MediaHeard(AGENT_LEG)), e.TapLeg)
    assert only(driver.step(JoinLegs("r.1")), e.TapLeg).leg_id == AGENT_LEG
    driver.do(h.LegDisconnects(AGENT_LEG))
    connect(driver)
    assert driver.call.leg(AGENT_LEG).tapped


def test_only_a_browser_connects() -> None:
    driver = Driver().ringing()
    assert driver.do(h.LegConnects(AGENT_LEG, "PCMA", 1.0)) == []
    assert driver.do(h.LegConnects(CALLER_LEG, "PCMA", 1.0)) == []
