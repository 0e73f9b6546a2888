"""The few shapes that every SIP header is made of (RFC 3261, section 25.1).

Everything here is one pass over the text: no pattern can backtrack, so the time spent on a
hostile header is bounded by its length, which the message parser bounds in turn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_PARAMS = 64
"""Parameters on one URI or header value; real ones carry fewer than ten."""

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
# Wider than the grammar on purpose: equipment in the field puts `=`, `/` and `@` into values.
# What could end a value early, or be read differently by another element, stays out.
_LOOSE_VALUE = re.compile(r"[^\s\"<>;,\\\x00-\x1f\x7f]+")
_STOPS = {separator: re.compile(f'["<{separator}]') for separator in ",;"}
_UNPRESENTABLE = re.compile("[\x00-\x1f\x7f\udc80-\udcff]")


class MalformedField(ValueError):
    """A header value or URI that RFC 3261's grammar does not allow; the text says which."""


def is_token(text: str) -> bool:
    """Whether the text is a `token`: a method, a header name, an option tag."""
    return _TOKEN.fullmatch(text) is not None


def is_quoted(text: str) -> bool:
    """Whether the text is exactly one quoted string."""
    return len(text) >= 2 and text[0] == '"' and closing_quote(text, 0) == len(text) - 1


def closing_quote(text: str, start: int) -> int:
    """Index of the quote that closes the one at `start`; `MalformedField` if none does."""
    at = start + 1
    while True:
        at = text.find('"', at)
        if at < 0:
            raise MalformedField("Unbalanced Quotes")
        escapes = 0
        while text[at - 1 - escapes] == "\\" and at - 1 - escapes > start:
            escapes += 1
        if escapes % 2 == 0:
            return at
        at += 1


def unquote(text: str) -> str:
    """The content of a quoted string, or the text itself when it is not quoted."""
    if not text.startswith('"'):
        return text
    if "\\" not in text:
        return text[1:-1]
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def quote(text: str) -> str:
    """A quoted string that `unquote` turns back into the text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def presentable(text: str) -> str:
    """Text fit for screens and stores: no control characters, stray bytes read as Latin-1.

    Messages keep bytes that are no UTF-8 as surrogates; old exchanges send Latin-1 names.
    """
    return text if text.isprintable() else _UNPRESENTABLE.sub(_presentable_char, text)


def _presentable_char(match: re.Match[str]) -> str:
    code = ord(match.group())
    return " " if code < 0x80 else chr(code - 0xDC00)


def split_outside(text: str, separator: str) -> list[str]:
    """Split at a comma or semicolon that stands outside quotes and angle brackets."""
    if separator not in text:
        return [text.strip()]
    if '"' not in text and "<" not in text:
        return [part.strip() for part in text.split(separator)]
    parts: list[str] = []
    start = at = 0
    stops = _STOPS[separator]
    while (stop := stops.search(text, at)) is not None:
        at = stop.start()
        char = text[at]
        if char == '"':
            at = closing_quote(text, at)
        elif char == "<":
            at = text.find(">", at)
            if at < 0:
                raise MalformedField("Unbalanced Brackets")
        else:
            parts.append(text[start:at].strip())
            start = at + 1
        at += 1
    parts.append(text[start:].strip())
    return parts


def split_list(text: str) -> list[str]:
    """The values of a comma-separated header; an empty value between commas is malformed."""
    parts = split_outside(text, ",")
    if not all(parts):
        raise MalformedField("Empty List Element")
    return parts


def parse_number(text: str, *, limit: int) -> int:
    """A decimal number of at most `limit` (leading zeros allowed); `MalformedField` beyond."""
    if not (text.isascii() and text.isdigit()):
        raise MalformedField("Not A Number")
    # Twelve digits hold every number that SIP allows; longer ones would cost to convert.
    digits = text.lstrip("0") or "0"
    if len(digits) > 12 or (number := int(digits)) > limit:
        raise MalformedField("Number Out Of Range")
    return number


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of a URI or header value, in order; names compare without case."""

    items: tuple[tuple[str, str | None], ...] = field(default=())
    """Name and raw value (quotes kept), None for a parameter without a value."""

    @classmethod
    def parse(cls, text: str) -> Params:
        """Read `;name=value;name`; the empty text has none."""
        if not text:
            return _NO_PARAMS
        first, *parts = split_outside(text, ";")
        if first:
            raise MalformedField("Text Before Parameters")
        if len(parts) > MAX_PARAMS:
            raise MalformedField("Too Many Parameters")
        return cls(tuple(_parse_param(part) for part in parts))

    def has(self, name: str) -> bool:
        """Whether the parameter is present, with or without a value."""
        return any(key.lower() == name for key, _ in self.items)

    def get(self, name: str) -> str | None:
        """The first value under a lower-case name, without quotes; None if absent or bare."""
        for key, value in self.items:
            if key.lower() == name:
                return None if value is None else unquote(value)
        return None

    def put(self, name: str, value: str | None) -> Params:
        """A copy in which the parameter stands last, once, with this raw value."""
        return Params((*self.drop(name).items, (name, value)))

    def drop(self, name: str) -> Params:
        """A copy without the parameter."""
        return Params(tuple(item for item in self.items if item[0].lower() != name))

    def __str__(self) -> str:
        return "".join(
            f";{name}" if value is None else f";{name}={value}" for name, value in self.items
        )


_NO_PARAMS = Params()


def _parse_param(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    name, value = name.rstrip(), value.lstrip()
    if not is_token(name):
        raise MalformedField("Bad Parameter")
    if not equals:
        return name, None
    shape = is_quoted(value) if value.startswith('"') else _LOOSE_VALUE.fullmatch(value)
    # Tags and URIs reach screens and stores as they are: nothing unpresentable in them.
    if not shape or _UNPRESENTABLE.search(value):
        raise MalformedField("Bad Parameter Value")
    return name, value
