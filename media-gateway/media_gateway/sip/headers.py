"""Header fields in order, with RFC 3261's rules on case, compact forms and lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from media_gateway.sip.grammar import MalformedField, is_token, presentable, split_list

MAX_HEADERS = 256
"""Header fields in one message."""
MAX_HEADER_CHARS = 8_192
"""Characters in one header value after unfolding."""

COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
}
"""The one-letter names of the IANA registry."""

HeaderFields = Iterable[tuple[str, str]]


class UnsafeHeader(ValueError):
    """A header that would break out of its line, or whose name is no token."""


class Headers:
    """An immutable list of header fields; names are found without regard to case or form."""

    __slots__ = ("_fields", "_index")

    def __init__(self, fields: HeaderFields = ()) -> None:
        self._fields = tuple(fields)
        self._index: dict[str, list[str]] = {}
        for name, value in self._fields:
            self._index.setdefault(canonical(name), []).append(value)

    def get(self, name: str, default: str = "") -> str:
        """The first value under a lower-case long name, as written."""
        values = self._index.get(name)
        return values[0] if values else default

    def all(self, name: str) -> list[str]:
        """Every field's value under the name, lists not split, in order."""
        return self._index.get(name, [])

    def values(self, name: str) -> list[str]:
        """Every value under the name, lists split, in order; `MalformedField` if one is bad."""
        return [value for line in self.all(name) if line for value in split_list(line)]

    def tokens(self, name: str) -> list[str]:
        """The option tags or methods listed under the name; `MalformedField` if one is none."""
        values = self.values(name)
        if not all(is_token(value) for value in values):
            raise MalformedField(f"Bad {name.title()}")
        return values

    def presentable(self) -> Headers:
        """A copy whose values may be shown and stored as text."""
        return Headers((name, presentable(value)) for name, value in self._fields)

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(self._fields)

    def __repr__(self) -> str:
        return f"Headers({list(self._fields)!r})"


def canonical(name: str) -> str:
    """The lower-case long form of a header name."""
    lower = name.lower()
    return COMPACT.get(lower, lower)


def checked(fields: HeaderFields) -> tuple[tuple[str, str], ...]:
    """Fields from outside the stack, refused with `UnsafeHeader` if one could inject another."""
    fields = tuple(fields)
    for name, value in fields:
        if not is_token(name) or any(char in value for char in "\r\n\0"):
            raise UnsafeHeader(name)
        if len(value) > MAX_HEADER_CHARS:
            raise UnsafeHeader(f"{name} is longer than {MAX_HEADER_CHARS} characters")
    if len(fields) > MAX_HEADERS:
        raise UnsafeHeader(f"more than {MAX_HEADERS} header fields")
    return fields
