"""What a test call is asked to be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind

USUAL_CALLER = "+12025550199"
USUAL_TALK_S = 30
MIN_TALK_S, MAX_TALK_S = 5, 120
MAX_DIGITS = 8
_CALLED = re.compile(r"\+[1-9][0-9]{1,14}|[0-9*#]{2,15}")
_CALLER = re.compile(r"\+?[0-9]{1,15}")
_DIGITS = re.compile(rf"[0-9*#A-D]{{0,{MAX_DIGITS}}}")


class BadTestCall(CarillonError):
    """A test call that cannot be placed as asked; the text names what is wrong."""

    code: ClassVar[str] = "bad-test-call"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Order:
    """One test call."""

    called: str
    """A number of the tenant: E.164 with its plus sign, or a short one."""
    caller: str
    """What the called sees as the caller's number."""
    digits: str
    """Keys pressed in menus, one at each."""
    talk_s: int
    """From the answer of a person to the hang-up."""


def order_of(*, called: str, caller: str, digits: str, talk_s: int) -> Order:
    """Reads what was asked for, the usual in place of what was not said; BadTestCall."""
    if not _CALLED.fullmatch(called):
        raise BadTestCall("the number to call is neither E.164 nor a short number")
    if caller and not _CALLER.fullmatch(caller):
        raise BadTestCall("the caller's number is not 1 to 15 digits, with or without a plus sign")
    if not _DIGITS.fullmatch(digits):
        raise BadTestCall(f"the keys are not at most {MAX_DIGITS} of 0-9, *, #, A-D")
    if talk_s and not MIN_TALK_S <= talk_s <= MAX_TALK_S:
        raise BadTestCall(f"it talks for {MIN_TALK_S} to {MAX_TALK_S} s, not {talk_s}")
    return Order(called, caller or USUAL_CALLER, digits, talk_s or USUAL_TALK_S)
