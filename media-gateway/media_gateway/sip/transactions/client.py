"""Client transaction of every method but INVITE and ACK (RFC 3261, section 17.1.2).

          | request sent, timers E and F run
      +--------+   E: send again, E doubles up to T2
      | Trying |------------------------- F or unreachable --+
      +--------+                                             |
   1xx  |   | 200-699                                        |
        v   +------------+                                   |
+------------+  200-699  v                                   v
| Proceeding |----->+-----------+---- K ------------>[ Terminated ]
+------------+      | Completed |                            ^
   E: every T2      +-----------+                            |
   F or unreachable -----------------------------------------+
"""

from __future__ import annotations

from media_gateway.sip.transactions.machine import (
    PATIENCE_MS,
    T1_MS,
    T2_MS,
    T4_MS,
    Action,
    Input,
    Machine,
    Rule,
    State,
    Timer,
)

_TRYING, _PROCEEDING, _COMPLETED, _TERMINATED = (
    State.TRYING,
    State.PROCEEDING,
    State.COMPLETED,
    State.TERMINATED,
)
_NO_MORE_SENDING = (Timer.RETRANSMIT, Timer.GIVE_UP)
_TIMER_K = ((Timer.LINGER, T4_MS),)

_FINISHED = Rule(_COMPLETED, (Action.TELL,), _NO_MORE_SENDING, _TIMER_K)
_TIMED_OUT = Rule(_TERMINATED, (Action.TELL_TIMEOUT,), _NO_MORE_SENDING)
_CUT_OFF = Rule(_TERMINATED, (Action.TELL_UNREACHABLE,), _NO_MORE_SENDING)

CLIENT = Machine(
    name="client",
    first=_TRYING,
    on_start=Rule(
        _TRYING,
        (Action.SEND,),
        start=((Timer.RETRANSMIT, T1_MS), (Timer.GIVE_UP, PATIENCE_MS)),
    ),
    states=frozenset({_TRYING, _PROCEEDING, _COMPLETED, _TERMINATED}),
    inputs=frozenset(
        {
            Input.RECEIVE_1XX,
            Input.RECEIVE_2XX,
            Input.RECEIVE_FAILURE,
            Input.RETRANSMIT,
            Input.GIVE_UP,
            Input.LINGER_OVER,
            Input.UNREACHABLE,
        }
    ),
    table={
        # Somebody is working on it: ask on, but no oftener than every T2.
        (_TRYING, Input.RECEIVE_1XX): Rule(
            _PROCEEDING, (Action.TELL,), (Timer.RETRANSMIT,), ((Timer.RETRANSMIT, T2_MS),)
        ),
        (_TRYING, Input.RECEIVE_2XX): _FINISHED,
        (_TRYING, Input.RECEIVE_FAILURE): _FINISHED,
        (_TRYING, Input.RETRANSMIT): Rule(_TRYING, (Action.SEND,), again=True),
        (_TRYING, Input.GIVE_UP): _TIMED_OUT,
        (_TRYING, Input.UNREACHABLE): _CUT_OFF,
        (_PROCEEDING, Input.RECEIVE_1XX): Rule(_PROCEEDING, (Action.TELL,)),
        (_PROCEEDING, Input.RECEIVE_2XX): _FINISHED,
        (_PROCEEDING, Input.RECEIVE_FAILURE): _FINISHED,
        (_PROCEEDING, Input.RETRANSMIT): Rule(_PROCEEDING, (Action.SEND,), again=True),
        (_PROCEEDING, Input.GIVE_UP): _TIMED_OUT,
        (_PROCEEDING, Input.UNREACHABLE): _CUT_OFF,
        (_COMPLETED, Input.LINGER_OVER): Rule(_TERMINATED),
    },
    ignored=frozenset(
        {
            # Timers of other states, already stopped.
            (_TRYING, Input.LINGER_OVER),
            (_PROCEEDING, Input.LINGER_OVER),
            (_COMPLETED, Input.RETRANSMIT),
            (_COMPLETED, Input.GIVE_UP),
            # Completed absorbs repeated answers: that is all it is for.
            (_COMPLETED, Input.RECEIVE_1XX),
            (_COMPLETED, Input.RECEIVE_2XX),
            (_COMPLETED, Input.RECEIVE_FAILURE),
            (_COMPLETED, Input.UNREACHABLE),
            (_TERMINATED, Input.RECEIVE_1XX),
            (_TERMINATED, Input.RECEIVE_2XX),
            (_TERMINATED, Input.RECEIVE_FAILURE),
            (_TERMINATED, Input.RETRANSMIT),
            (_TERMINATED, Input.GIVE_UP),
            (_TERMINATED, Input.LINGER_OVER),
            (_TERMINATED, Input.UNREACHABLE),
        }
    ),
)
