"""The collecting of keys from the caller.

    prompting ──key (barge-in) / prompts end──▶ first ──key──▶ next ──full / end key──▶ done

While prompts play, patience has not begun; looped prompts never end, so there it begins at once.
With barge-in the first key silences the prompts. Without it keys pressed meanwhile count, the
prompts play to their end, and only then may the gather end; looped prompts have no end to wait
for. Patience for the first key and between keys are two limits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from media_gateway.core.transitions import Transitions
from media_gateway.model import Gather, GatherState, OperationEnd

DEFAULT_NEXT_DIGIT_TIMEOUT_MS = 3_000
MAX_DIGITS = 32
KEYS = frozenset("0123456789*#ABCD")


class GatherHappening(StrEnum):
    """What moves a gather."""

    KEY = "key"
    PROMPTS_END = "prompts-end"
    FILLED = "filled"
    PATIENCE_ENDS = "patience-ends"
    STOPS = "stops"


_H, _S = GatherHappening, GatherState

GATHER: Transitions[GatherState, GatherHappening] = Transitions(
    "gather",
    {
        _S.PROMPTING: {
            _H.KEY: _S.NEXT,
            _H.PROMPTS_END: _S.FIRST,
            _H.FILLED: _S.DONE,
            _H.PATIENCE_ENDS: _S.DONE,
            _H.STOPS: _S.DONE,
        },
        _S.FIRST: {
            _H.KEY: _S.NEXT,
            _H.FILLED: _S.DONE,
            _H.PATIENCE_ENDS: _S.DONE,
            _H.STOPS: _S.DONE,
        },
        _S.NEXT: {
            _H.KEY: _S.NEXT,
            _H.FILLED: _S.DONE,
            _H.PATIENCE_ENDS: _S.DONE,
            _H.STOPS: _S.DONE,
        },
        _S.DONE: {},
    },
)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a happening made of a gather."""

    gather: Gather
    """As it is now."""
    ended: OperationEnd | None = None
    """How it ended; None while it goes on."""


def begin(gather: Gather, *, prompts: bool, now_ms: int) -> Gather:
    """A gather at its start, with or without something to hear first."""
    if prompts and not gather.loop:
        return replace(gather, state=GatherState.PROMPTING)
    state = GatherState.PROMPTING if prompts else GatherState.FIRST
    return replace(gather, state=state, deadline_ms=_first_deadline(gather, now_ms))


def plays(gather: Gather) -> bool:
    """Whether its prompts are to be heard now."""
    return gather.state is GatherState.PROMPTING or (gather.loop and not gather.barge_in)


def press(gather: Gather, key: str, now_ms: int) -> Progress:
    """A key was pressed. After the last key that fits, further ones are of no account."""
    if _full(gather):
        return Progress(gather)
    if key == gather.end_key:
        return _filled(replace(gather, deadline_ms=None), ended_by_key=True)
    keyed = replace(gather, digits=gather.digits + key)
    if _full(keyed):
        return _filled(replace(keyed, deadline_ms=None), ended_by_key=False)
    if _waits_for_prompts(keyed):
        return Progress(keyed)
    return Progress(
        replace(
            keyed,
            state=GATHER.next(gather.state, GatherHappening.KEY),
            deadline_ms=now_ms + gather.next_digit_timeout_ms,
        )
    )


def prompts_end(gather: Gather, now_ms: int) -> Progress:
    """The last prompt was played."""
    if gather.state is not GatherState.PROMPTING:
        return Progress(gather)
    state = GATHER.next(gather.state, GatherHappening.PROMPTS_END)
    if _full(gather):
        return _done(replace(gather, state=state), GatherHappening.FILLED, OperationEnd.COMPLETE)
    if not gather.digits:
        return Progress(replace(gather, state=state, deadline_ms=_first_deadline(gather, now_ms)))
    return Progress(
        replace(
            gather,
            state=GATHER.next(state, GatherHappening.KEY),
            deadline_ms=now_ms + gather.next_digit_timeout_ms,
        )
    )


def patience_ends(gather: Gather) -> Progress:
    """The present time limit passed."""
    return _done(gather, GatherHappening.PATIENCE_ENDS, OperationEnd.TIMEOUT)


def _filled(gather: Gather, *, ended_by_key: bool) -> Progress:
    if _waits_for_prompts(gather):
        # The prompts are heard out; a full gather needs no further mark, an end key does.
        return Progress(replace(gather, max_digits=len(gather.digits)) if ended_by_key else gather)
    return _done(gather, GatherHappening.FILLED, OperationEnd.COMPLETE)


def _done(gather: Gather, happening: GatherHappening, ended: OperationEnd) -> Progress:
    return Progress(
        replace(gather, state=GATHER.next(gather.state, happening), deadline_ms=None),
        ended=ended,
    )


def _waits_for_prompts(gather: Gather) -> bool:
    return gather.state is GatherState.PROMPTING and not gather.barge_in and not gather.loop


def _full(gather: Gather) -> bool:
    return len(gather.digits) >= gather.max_digits


def _first_deadline(gather: Gather, now_ms: int) -> int | None:
    return now_ms + gather.first_digit_timeout_ms if gather.first_digit_timeout_ms else None
