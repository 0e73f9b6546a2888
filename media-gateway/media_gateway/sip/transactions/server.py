"""Server transaction of every method but INVITE and ACK (RFC 3261, section 17.2.2).

            | request: to the user
       +--------+
       | Trying | request again: absorbed
       +--------+
    1xx  |   | 200-699: send, timer J
         v   +-----------------------+
 +------------+      200-699         v
 | Proceeding |--------------->+-----------+      J
 +------------+                | Completed |------------>[ Terminated ]
request again: last 1xx again  +-----------+
                            request again: last response again
"""

from __future__ import annotations

from media_gateway.sip.transactions.machine import (
    PATIENCE_MS,
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
_ANSWERED = Rule(_COMPLETED, (Action.SEND,), start=((Timer.LINGER, PATIENCE_MS),))

SERVER = Machine(
    name="server",
    first=_TRYING,
    on_start=Rule(_TRYING, (Action.TELL,)),
    states=frozenset({_TRYING, _PROCEEDING, _COMPLETED, _TERMINATED}),
    inputs=frozenset(
        {
            Input.RECEIVE_REQUEST,
            Input.SEND_1XX,
            Input.SEND_2XX,
            Input.SEND_FAILURE,
            Input.LINGER_OVER,
        }
    ),
    table={
        (_TRYING, Input.SEND_1XX): Rule(_PROCEEDING, (Action.SEND,)),
        (_TRYING, Input.SEND_2XX): _ANSWERED,
        (_TRYING, Input.SEND_FAILURE): _ANSWERED,
        (_PROCEEDING, Input.RECEIVE_REQUEST): Rule(_PROCEEDING, (Action.SEND,)),
        (_PROCEEDING, Input.SEND_1XX): Rule(_PROCEEDING, (Action.SEND,)),
        (_PROCEEDING, Input.SEND_2XX): _ANSWERED,
        (_PROCEEDING, Input.SEND_FAILURE): _ANSWERED,
        (_COMPLETED, Input.RECEIVE_REQUEST): Rule(_COMPLETED, (Action.SEND,)),
        (_COMPLETED, Input.LINGER_OVER): Rule(_TERMINATED),
    },
    ignored=frozenset(
        {
            # Nothing to repeat yet.
            (_TRYING, Input.RECEIVE_REQUEST),
            # J runs only in Completed.
            (_TRYING, Input.LINGER_OVER),
            (_PROCEEDING, Input.LINGER_OVER),
            # The first final response decides.
            (_COMPLETED, Input.SEND_1XX),
            (_COMPLETED, Input.SEND_2XX),
            (_COMPLETED, Input.SEND_FAILURE),
            (_TERMINATED, Input.RECEIVE_REQUEST),
            (_TERMINATED, Input.SEND_1XX),
            (_TERMINATED, Input.SEND_2XX),
            (_TERMINATED, Input.SEND_FAILURE),
            (_TERMINATED, Input.LINGER_OVER),
        }
    ),
)
