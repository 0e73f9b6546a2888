"""The life of one leg.

    invited ──rings──▶ ringing ──answers──▶ answered ⇄ bridged
       │  ╲               ▲                     │         │
       │   early media ─▶ early                 │         │
       └───────────────┬──┴─────────────────────┴─────────┘
                    releases ──▶ ending ──ends──▶ ended

The caller's leg goes the same way: what the gateway plays before the answer makes it `early`.
A leg ends at once (`ends`) when its far end left; it is `ending` while the gateway's own BYE,
CANCEL or refusal is under way. Nothing leaves `ended`.
"""

from __future__ import annotations

from enum import StrEnum

from media_gateway.core.transitions import Transitions
from media_gateway.model import LegState


class LegHappening(StrEnum):
    """What moves a leg."""

    EARLY_MEDIA = "early-media"
    RINGS = "rings"
    ANSWERS = "answers"
    JOINS = "joins"
    PARTS = "parts"
    RELEASES = "releases"
    ENDS = "ends"


_H, _S = LegHappening, LegState

LEG: Transitions[LegState, LegHappening] = Transitions(
    "leg",
    {
        _S.INVITED: {
            _H.EARLY_MEDIA: _S.EARLY,
            _H.RINGS: _S.RINGING,
            _H.ANSWERS: _S.ANSWERED,
            _H.RELEASES: _S.ENDING,
            _H.ENDS: _S.ENDED,
        },
        _S.EARLY: {
            _H.EARLY_MEDIA: _S.EARLY,
            _H.RINGS: _S.RINGING,
            _H.ANSWERS: _S.ANSWERED,
            _H.RELEASES: _S.ENDING,
            _H.ENDS: _S.ENDED,
        },
        _S.RINGING: {
            # Media that comes while it rings (a network's own ringback) does not undo the ringing.
            _H.EARLY_MEDIA: _S.RINGING,
            _H.RINGS: _S.RINGING,
            _H.ANSWERS: _S.ANSWERED,
            _H.RELEASES: _S.ENDING,
            _H.ENDS: _S.ENDED,
        },
        _S.ANSWERED: {
            _H.JOINS: _S.BRIDGED,
            _H.RELEASES: _S.ENDING,
            _H.ENDS: _S.ENDED,
        },
        _S.BRIDGED: {
            _H.PARTS: _S.ANSWERED,
            _H.RELEASES: _S.ENDING,
            _H.ENDS: _S.ENDED,
        },
        _S.ENDING: {_H.ENDS: _S.ENDED},
        _S.ENDED: {},
    },
)

RINGABLE = frozenset({LegState.INVITED, LegState.EARLY, LegState.RINGING})
"""States before the answer."""
TALKING = frozenset({LegState.ANSWERED, LegState.BRIDGED})
"""States between the answer and the end."""
HEARING = frozenset({LegState.EARLY, LegState.ANSWERED, LegState.BRIDGED})
"""States of the caller's leg in which what is played is heard."""
GONE = frozenset({LegState.ENDING, LegState.ENDED})
"""States in which a leg has no media any more."""
