"""INVITE server transaction (RFC 3261 section 17.2.1, with RFC 6026's Accepted state).

               | INVITE: to the user
        +------------+ INVITE again: last 1xx again
        | Proceeding | user's 1xx: send
        +------------+
   300-699  |      | 2xx: send, timer L
  timers G  |      +---------------------------+
    and H   v                                  v
     +-----------+ INVITE or G: send     +----------+ INVITE: absorbed
     | Completed |--- H: tell ---+       | Accepted | 2xx again: send
     +-----------+               |       +----------+ ACK: to the user
        ACK |                    |             | L
            v                    v             |
     +-----------+-- I ---->[ Terminated ]<----+
     | Confirmed |
     +-----------+

A repeated INVITE never leaves this machine, which is why it cannot make a second call. In
Accepted the user repeats its own 2xx until the ACK comes; the machine only carries it.
"""

from __future__ import annotations

from media_gateway.sip.transactions.machine import (
    PATIENCE_MS,
    T1_MS,
    T4_MS,
    Action,
    Input,
    Machine,
    Rule,
    State,
    Timer,
)

_PROCEEDING, _COMPLETED, _CONFIRMED, _ACCEPTED, _TERMINATED = (
    State.PROCEEDING,
    State.COMPLETED,
    State.CONFIRMED,
    State.ACCEPTED,
    State.TERMINATED,
)
_TIMERS_G_H = ((Timer.RETRANSMIT, T1_MS), (Timer.GIVE_UP, PATIENCE_MS))
_TIMER_I = ((Timer.LINGER, T4_MS),)
_TIMER_L = ((Timer.LINGER, PATIENCE_MS),)
_NO_MORE_SENDING = (Timer.RETRANSMIT, Timer.GIVE_UP)

INVITE_SERVER = Machine(
    name="INVITE server",
    first=_PROCEEDING,
    on_start=Rule(_PROCEEDING, (Action.TELL,)),
    states=frozenset({_PROCEEDING, _COMPLETED, _CONFIRMED, _ACCEPTED, _TERMINATED}),
    inputs=frozenset(
        {
            Input.RECEIVE_REQUEST,
            Input.RECEIVE_ACK,
            Input.SEND_1XX,
            Input.SEND_2XX,
            Input.SEND_FAILURE,
            Input.RETRANSMIT,
            Input.GIVE_UP,
            Input.LINGER_OVER,
        }
    ),
    table={
        (_PROCEEDING, Input.RECEIVE_REQUEST): Rule(_PROCEEDING, (Action.SEND,)),
        (_PROCEEDING, Input.SEND_1XX): Rule(_PROCEEDING, (Action.SEND,)),
        (_PROCEEDING, Input.SEND_2XX): Rule(_ACCEPTED, (Action.SEND,), start=_TIMER_L),
        (_PROCEEDING, Input.SEND_FAILURE): Rule(_COMPLETED, (Action.SEND,), start=_TIMERS_G_H),
        (_COMPLETED, Input.RECEIVE_REQUEST): Rule(_COMPLETED, (Action.SEND,)),
        (_COMPLETED, Input.RECEIVE_ACK): Rule(_CONFIRMED, (), _NO_MORE_SENDING, _TIMER_I),
        (_COMPLETED, Input.RETRANSMIT): Rule(_COMPLETED, (Action.SEND,), again=True),
        (_COMPLETED, Input.GIVE_UP): Rule(_TERMINATED, (Action.TELL_TIMEOUT,), _NO_MORE_SENDING),
        (_CONFIRMED, Input.LINGER_OVER): Rule(_TERMINATED),
        (_ACCEPTED, Input.SEND_2XX): Rule(_ACCEPTED, (Action.SEND,)),
        (_ACCEPTED, Input.RECEIVE_ACK): Rule(_ACCEPTED, (Action.TELL,)),
        (_ACCEPTED, Input.LINGER_OVER): Rule(_TERMINATED),
    },
    ignored=frozenset(
        {
            # An ACK before any final response acknowledges nothing.
            (_PROCEEDING, Input.RECEIVE_ACK),
            # Timers of other states, already stopped.
            (_PROCEEDING, Input.RETRANSMIT),
            (_PROCEEDING, Input.GIVE_UP),
            (_PROCEEDING, Input.LINGER_OVER),
            (_COMPLETED, Input.LINGER_OVER),
            (_CONFIRMED, Input.RETRANSMIT),
            (_CONFIRMED, Input.GIVE_UP),
            (_ACCEPTED, Input.RETRANSMIT),
            (_ACCEPTED, Input.GIVE_UP),
            # The first final response decides.
            (_COMPLETED, Input.SEND_1XX),
            (_COMPLETED, Input.SEND_2XX),
            (_COMPLETED, Input.SEND_FAILURE),
            (_CONFIRMED, Input.SEND_1XX),
            (_CONFIRMED, Input.SEND_2XX),
            (_CONFIRMED, Input.SEND_FAILURE),
            (_ACCEPTED, Input.SEND_1XX),
            (_ACCEPTED, Input.SEND_FAILURE),
            # Repeats to absorb.
            (_CONFIRMED, Input.RECEIVE_REQUEST),
            (_CONFIRMED, Input.RECEIVE_ACK),
            (_ACCEPTED, Input.RECEIVE_REQUEST),
            (_TERMINATED, Input.RECEIVE_REQUEST),
            (_TERMINATED, Input.RECEIVE_ACK),
            (_TERMINATED, Input.SEND_1XX),
            (_TERMINATED, Input.SEND_2XX),
            (_TERMINATED, Input.SEND_FAILURE),
            (_TERMINATED, Input.RETRANSMIT),
            (_TERMINATED, Input.GIVE_UP),
            (_TERMINATED, Input.LINGER_OVER),
        }
    ),
)
