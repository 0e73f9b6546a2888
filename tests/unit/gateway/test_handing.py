"""What an agent asks for beyond talking: handing the caller on, and keys for the other side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from media_gateway.adapters.leg_media import press_keys
from media_gateway.core import facts, reports
from media_gateway.core import happenings as h
from media_gateway.core.handing import ASK_AGAIN_MS, hearer_of
from media_gateway.core.steps import StopRinging
from media_gateway.model import (
    CALLER_LEG,
    BadKeys,
    FlowAway,
    KeysNotHeard,
    LegEnd,
    LegNotBridged,
    LegRole,
    NoSuchLeg,
    TargetRefused,
    Transfer,
    TransferKind,
    TransferUnderWay,
)
from media_gateway.rtp.errors import BadDigits, MediaError, NoTelephoneEvent
from services.chassis.ids import LegId
from tests.unit.gateway.driver import AGENT_LEG, Driver, published, told

NUMBER = TransferKind.NUMBER
TO_SALES = Transfer(TransferKind.QUEUE, "sales", "wants to buy", "u-1", "Ann")


def test_the_flow_is_asked_and_it_is_on_record() -> None:
    driver = Driver().talking()
    events = driver.do(h.AskTransfer(AGENT_LEG, TO_SALES))
    assert told(events) == [reports.TransferRequested("r.1", TO_SALES)]
    assert published(events) == [facts.TransferRequested(AGENT_LEG, TO_SALES)]


def test_until_the_flow_has_done_it_nobody_asks_again() -> None:
    driver = Driver().talking()
    driver.do(h.AskTransfer(AGENT_LEG, TO_SALES))
    driver.now_ms += ASK_AGAIN_MS - 1
    with pytest.raises(TransferUnderWay):
        driver.do(h.AskTransfer(AGENT_LEG, TO_SALES))
    driver.now_ms += 1
    assert told(driver.do(h.AskTransfer(AGENT_LEG, TO_SALES)))


def test_a_number_that_may_not_be_dialled_is_refused_while_the_agent_has_the_caller() -> None:
    driver = Driver().talking()
    with pytest.raises(TargetRefused, match="CARILLON_GATEWAY_DIAL_ALLOW"):
        driver.do(h.AskTransfer(AGENT_LEG, replace(TO_SALES, kind=NUMBER, target="+4930123456")))
    allowed = replace(TO_SALES, kind=NUMBER, target="+12025550188")
    assert told(driver.do(h.AskTransfer(AGENT_LEG, allowed)))


def test_the_agents_leg_ends_as_the_flow_commands_and_the_callers_stays() -> None:
    driver = Driver().talking()
    driver.do(h.AskTransfer(AGENT_LEG, TO_SALES))
    events = driver.step(StopRinging("r.1", "transferred"))
    ended = reports.LegEnded(AGENT_LEG, LegRole.AGENT, "r.1", LegEnd.BY_COMMAND)
    assert ended in told(events)
    assert driver.call.bridge is None
    assert driver.call.caller is not None


def test_a_transfer_needs_a_flow_that_hears_of_it() -> None:
    driver = Driver().talking()
    driver.do(h.DetachFlow(driver.call.flow.epoch, "gone"))
    with pytest.raises(FlowAway):
        driver.do(h.AskTransfer(AGENT_LEG, TO_SALES))


@pytest.mark.parametrize("leg_id", [CALLER_LEG, AGENT_LEG])
def test_only_an_agent_who_hears_the_caller_hands_on(leg_id: LegId) -> None:
    driver = Driver().talking() if leg_id == CALLER_LEG else Driver().ringing()
    with pytest.raises(LegNotBridged):
        driver.do(h.AskTransfer(leg_id, TO_SALES))
    with pytest.raises(LegNotBridged):
        hearer_of(driver.call, leg_id)


def test_a_leg_that_is_not_there_hands_nobody_on() -> None:
    with pytest.raises(NoSuchLeg):
        Driver().talking().do(h.AskTransfer(LegId("9"), TO_SALES))


def test_the_caller_hears_an_agents_keys_and_their_number_is_on_record() -> None:
    driver = Driver().talking()
    assert hearer_of(driver.call, AGENT_LEG) == CALLER_LEG
    assert published(driver.do(h.KeysSent(AGENT_LEG, 4))) == [facts.DigitsSent(AGENT_LEG, 4)]


class Keypad:
    """A port that refuses keys, or takes them."""

    def __init__(self, error: MediaError | None = None) -> None:
        self.error = error
        self.pressed = ""

    def send_digits(self, digits: str) -> None:
        if self.error is not None:
            raise self.error
        self.pressed += digits


def test_keys_that_cannot_be_heard_or_are_none_are_refused_by_name() -> None:
    port: Any = Keypad()
    press_keys(port, "12#")
    assert port.pressed == "12#"
    with pytest.raises(KeysNotHeard):
        press_keys(cast("Any", Keypad(NoTelephoneEvent("none"))), "1")
    with pytest.raises(BadKeys):
        press_keys(cast("Any", Keypad(BadDigits("x"))), "x")
