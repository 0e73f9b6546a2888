"""Numbers as people write them, read as a telephone of their own country would."""

from __future__ import annotations

from typing import ClassVar

import phonenumbers

from services.chassis.errors import CarillonError, Kind

MAX_NUMBER_CHARS = 64
"""Of what somebody writes; E.164 needs 16."""


class BadNumber(CarillonError):
    """What was written is no telephone number, or none that can be told apart."""

    code: ClassVar[str] = "bad-number"
    kind: ClassVar[Kind] = Kind.INVALID


def e164(written: str, region: str) -> str:
    """The number in E.164; without a plus sign it is one of `region` (ISO 3166). BadNumber."""
    text = written.strip()
    if not 0 < len(text) <= MAX_NUMBER_CHARS:
        raise BadNumber(f"write a number of at most {MAX_NUMBER_CHARS} characters")
    try:
        number = phonenumbers.parse(text, region.upper() or None)
    except phonenumbers.NumberParseException as error:
        raise BadNumber("write a number with its plus sign and country code") from error
    if not phonenumbers.is_possible_number(number):
        raise BadNumber("a number of that country has fewer or more digits")
    if number.extension:
        raise BadNumber("an extension can not be dialled: send it as keys once they answer")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
