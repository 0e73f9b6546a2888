"""Numbers in one form, however they were dialled or shown."""

from __future__ import annotations

import re

import phonenumbers

MAX_NUMBER_CHARS = 64
"""Of what a caller's side sends; E.164 needs 16."""
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_WITHHELD = frozenset({"", "anonymous", "unknown", "unavailable", "restricted", "private"})


def e164(number: str, region: str = "") -> str:
    """A number in E.164; empty when it is none.

    Without a plus sign it is read as a caller of `region` (ISO 3166) would dial it; without a
    region such a number is none.
    """
    text = number.strip()[:MAX_NUMBER_CHARS]
    try:
        parsed = phonenumbers.parse(text, region.upper() or None)
    except phonenumbers.NumberParseException:
        return text if _E164.fullmatch(text) else ""
    if not text.startswith("+") and not phonenumbers.is_valid_number(parsed):
        return ""  # a short service number, not somebody
    made = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return made if _E164.fullmatch(made) else ""


def region_of(number: str) -> str:
    """The region of a number in E.164, two letters; empty when it cannot be told."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return ""
    region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return "" if region in {"ZZ", "001"} else str(region)


def shown(number: str, region: str = "") -> str:
    """E.164 where it is a number, else as it came; empty when it was withheld."""
    text = number.strip()[:MAX_NUMBER_CHARS]
    if text.lower() in _WITHHELD:
        return ""
    return e164(text, region) or text
