"""The four transaction tables are total, and what they ignore changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Hashable

import pytest

from media_gateway.sip.message import Request, Response, parse
from media_gateway.sip.timers import Timers
from media_gateway.sip.transactions.client import CLIENT
from media_gateway.sip.transactions.invite_client import INVITE_CLIENT
from media_gateway.sip.transactions.invite_server import INVITE_SERVER
from media_gateway.sip.transactions.layer import Datagram, Transaction, TransactionLayer
from media_gateway.sip.transactions.machine import (
    PATIENCE_MS,
    T4_MS,
    Input,
    Machine,
    State,
    Timer,
)
from media_gateway.sip.transactions.server import SERVER
from tests.unit.sip.wire import THERE, request

MACHINES = (INVITE_CLIENT, CLIENT, INVITE_SERVER, SERVER)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_pair_has_a_rule_or_is_ignored(machine: Machine) -> None:
    pairs = set(itertools.product(machine.states, machine.inputs))
    assert set(machine.table) | machine.ignored == pairs
    assert set(machine.table) & machine.ignored == set()


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_state_is_reached_and_leads_to_the_end(machine: Machine) -> None:
    reached = {machine.first}
    ending = {State.TERMINATED}
    for _ in machine.states:
        reached |= {rule.state for (state, _), rule in machine.table.items() if state in reached}
        ending |= {state for (state, _), rule in machine.table.items() if rule.state in ending}
    assert reached == machine.states
    assert ending == machine.states
    assert not any(state is State.TERMINATED for state, _ in machine.table)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_timer_that_starts_is_heard(machine: Machine) -> None:
    rules = {machine.first: [machine.on_start]}
    for rule in machine.table.values():
        rules.setdefault(rule.state, []).append(rule)
    for state, entering in rules.items():
        for rule in entering:
            for timer, _ in rule.start:
                assert (state, timer.value) in machine.table


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_ignored_input_changes_nothing(machine: Machine) -> None:
    sent: list[Datagram] = []
    timers: Timers[Hashable] = Timers()
    layer = TransactionLayer(timers=timers, send=sent.append, limit=10)
    for state, given in machine.ignored:
        transaction = Transaction(machine, ("key",), _parsed("INVITE"), THERE)
        transaction.state = state
        assert layer.feed(transaction, given, 0) is None
        assert (transaction.state, sent, len(timers)) == (state, [], 0)


def test_an_invite_is_repeated_at_doubling_intervals_and_given_up() -> None:
    sending = Sending()
    transaction = sending.layer.open_client(_parsed("INVITE"), THERE, owner=None, now_ms=0)
    assert sending.run(transaction) == [(PATIENCE_MS, "TELL_TIMEOUT")]
    assert sending.times == [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]
    assert len(sending.layer) == 0


def test_another_request_is_repeated_at_most_every_four_seconds() -> None:
    sending = Sending()
    transaction = sending.layer.open_client(_parsed("BYE"), THERE, owner=None, now_ms=0)
    assert sending.run(transaction) == [(PATIENCE_MS, "TELL_TIMEOUT")]
    assert sending.times[:5] == [0, 500, 1_500, 3_500, 7_500]
    pauses = [later - earlier for earlier, later in itertools.pairwise(sending.times[4:])]
    assert pauses == [4_000] * 6


def test_a_provisional_answer_stops_the_repeats_of_an_invite() -> None:
    sending = Sending()
    transaction = sending.layer.open_client(_parsed("INVITE"), THERE, owner=None, now_ms=0)
    sending.layer.feed(transaction, Input.RECEIVE_1XX, 100)
    assert sending.timers.deadline_ms() is None
    assert sending.times == [0]


def test_a_refusal_is_repeated_until_it_is_acknowledged() -> None:
    sending = Sending()
    transaction = sending.layer.open_server(_parsed("INVITE"), THERE, to_tag="t", now_ms=0)
    transaction.wire = b"SIP/2.0 486 Busy Here"
    sending.layer.feed(transaction, Input.SEND_FAILURE, 0)
    due = sending.timers.pop_due(500)
    assert due is not None
    sending.layer.fire(transaction, Timer.RETRANSMIT, 500)
    sending.layer.feed(transaction, Input.RECEIVE_ACK, 600)
    assert len(sending.times) == 2
    assert sending.timers.deadline_ms() == 600 + T4_MS
    assert sending.run(transaction) == []
    assert len(sending.layer) == 0


class Sending:
    """A transaction layer whose clock jumps from timer to timer."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.times: list[int] = []
        self.timers: Timers[Hashable] = Timers()
        self.layer = TransactionLayer(
            timers=self.timers, send=lambda _: self.times.append(self.now_ms), limit=10
        )

    def run(self, transaction: Transaction) -> list[tuple[int, str]]:
        """Run every timer; what the transaction tells its user, and when."""
        told = []
        while (at_ms := self.timers.deadline_ms()) is not None:
            self.now_ms = at_ms
            due = self.timers.pop_due(at_ms)
            assert due is not None
            owner, timer = due
            assert owner is transaction
            assert isinstance(timer, Timer)
            action = self.layer.fire(transaction, timer, at_ms)
            if action is not None:
                told.append((at_ms, action.name))
        return told


def _parsed(method: str) -> Request:
    message = parse(request(method))
    assert isinstance(message, Request)
    return message


def test_a_second_final_answer_does_not_replace_the_first() -> None:
    sending = Sending()
    transaction = sending.layer.open_server(_parsed("BYE"), THERE, to_tag="t", now_ms=0)
    for status in (200, 500):
        answer = Response(status, "", transaction.request.headers)
        sending.layer.respond(transaction, answer, 0)
    assert transaction.wire.startswith(b"SIP/2.0 200")
    assert len(sending.times) == 1
