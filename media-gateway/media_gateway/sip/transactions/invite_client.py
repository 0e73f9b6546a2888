"""INVITE client transaction (RFC 3261 section 17.1.1, with RFC 6026's Accepted state).

                  | INVITE sent, timers A and B run
             +---------+  A: send again, A doubles
             | Calling |---------------------------- B or unreachable --+
             +---------+                                                |
        1xx    |  |  | 2xx                                              |
      +--------+  |  +------------------------+                         |
      v           | 300-699: ACK              v                         |
 +------------+   |        2xx           +----------+ 2xx: to the user  |
 | Proceeding |---|--------------------->| Accepted | (forks, repeats)  |
 +------------+   v                      +----------+                   |
      |     +-----------+ 300-699: ACK        | M                       |
      +---->| Completed |--- D ----+          v                         v
            +-----------+          +---->[ Terminated ]<----------------+

Accepted is why a repeated or forked 2xx still finds whom it belongs to: the user sends each
ACK itself, for 32 s. In Proceeding no timer runs: how long a phone may ring is the user's
decision, and ABANDON is how it ends a transaction that no longer answers a CANCEL.
"""

from __future__ import annotations

from media_gateway.sip.transactions.machine import (
    PATIENCE_MS,
    T1_MS,
    Action,
    Input,
    Machine,
    Rule,
    State,
    Timer,
)

_CALLING, _PROCEEDING, _COMPLETED, _ACCEPTED, _TERMINATED = (
    State.CALLING,
    State.PROCEEDING,
    State.COMPLETED,
    State.ACCEPTED,
    State.TERMINATED,
)
_NO_MORE_SENDING = (Timer.RETRANSMIT, Timer.GIVE_UP)
_TIMER_D = _TIMER_M = ((Timer.LINGER, PATIENCE_MS),)

_FAILED = Rule(_COMPLETED, (Action.ACK, Action.TELL), _NO_MORE_SENDING, _TIMER_D)
_SUCCEEDED = Rule(_ACCEPTED, (Action.TELL,), _NO_MORE_SENDING, _TIMER_M)

INVITE_CLIENT = Machine(
    name="INVITE client",
    first=_CALLING,
    on_start=Rule(
        _CALLING,
        (Action.SEND,),
        start=((Timer.RETRANSMIT, T1_MS), (Timer.GIVE_UP, PATIENCE_MS)),
    ),
    states=frozenset({_CALLING, _PROCEEDING, _COMPLETED, _ACCEPTED, _TERMINATED}),
    inputs=frozenset(
        {
            Input.RECEIVE_1XX,
            Input.RECEIVE_2XX,
            Input.RECEIVE_FAILURE,
            Input.RETRANSMIT,
            Input.GIVE_UP,
            Input.LINGER_OVER,
            Input.UNREACHABLE,
            Input.ABANDON,
        }
    ),
    table={
        (_CALLING, Input.RECEIVE_1XX): Rule(_PROCEEDING, (Action.TELL,), _NO_MORE_SENDING),
        (_CALLING, Input.RECEIVE_2XX): _SUCCEEDED,
        (_CALLING, Input.RECEIVE_FAILURE): _FAILED,
        (_CALLING, Input.RETRANSMIT): Rule(_CALLING, (Action.SEND,), again=True),
        (_CALLING, Input.GIVE_UP): Rule(_TERMINATED, (Action.TELL_TIMEOUT,), _NO_MORE_SENDING),
        (_CALLING, Input.UNREACHABLE): Rule(
            _TERMINATED, (Action.TELL_UNREACHABLE,), _NO_MORE_SENDING
        ),
        (_CALLING, Input.ABANDON): Rule(_TERMINATED, (), _NO_MORE_SENDING),
        (_PROCEEDING, Input.RECEIVE_1XX): Rule(_PROCEEDING, (Action.TELL,)),
        (_PROCEEDING, Input.RECEIVE_2XX): _SUCCEEDED,
        (_PROCEEDING, Input.RECEIVE_FAILURE): _FAILED,
        (_PROCEEDING, Input.ABANDON): Rule(_TERMINATED),
        (_COMPLETED, Input.RECEIVE_FAILURE): Rule(_COMPLETED, (Action.ACK,)),
        (_COMPLETED, Input.LINGER_OVER): Rule(_TERMINATED),
        (_COMPLETED, Input.UNREACHABLE): Rule(_TERMINATED, (), (Timer.LINGER,)),
        (_ACCEPTED, Input.RECEIVE_2XX): Rule(_ACCEPTED, (Action.TELL,)),
        (_ACCEPTED, Input.LINGER_OVER): Rule(_TERMINATED),
    },
    ignored=frozenset(
        {
            # Timers of other states, already stopped.
            (_CALLING, Input.LINGER_OVER),
            (_PROCEEDING, Input.RETRANSMIT),
            (_PROCEEDING, Input.GIVE_UP),
            (_PROCEEDING, Input.LINGER_OVER),
            (_COMPLETED, Input.RETRANSMIT),
            (_COMPLETED, Input.GIVE_UP),
            (_ACCEPTED, Input.RETRANSMIT),
            (_ACCEPTED, Input.GIVE_UP),
            # An answer came already, so the far end was reached.
            (_PROCEEDING, Input.UNREACHABLE),
            (_ACCEPTED, Input.UNREACHABLE),
            # The first final response decides.
            (_COMPLETED, Input.RECEIVE_1XX),
            (_COMPLETED, Input.RECEIVE_2XX),
            (_ACCEPTED, Input.RECEIVE_1XX),
            (_ACCEPTED, Input.RECEIVE_FAILURE),
            # Finished, and soon forgotten.
            (_COMPLETED, Input.ABANDON),
            (_ACCEPTED, Input.ABANDON),
            (_TERMINATED, Input.RECEIVE_1XX),
            (_TERMINATED, Input.RECEIVE_2XX),
            (_TERMINATED, Input.RECEIVE_FAILURE),
            (_TERMINATED, Input.RETRANSMIT),
            (_TERMINATED, Input.GIVE_UP),
            (_TERMINATED, Input.LINGER_OVER),
            (_TERMINATED, Input.UNREACHABLE),
            (_TERMINATED, Input.ABANDON),
        }
    ),
    longest_interval_ms=None,
)
