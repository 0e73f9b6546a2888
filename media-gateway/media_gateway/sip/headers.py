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

_LONG = (
    *("Accept", "Allow", "Authorization", "CSeq", "Call-ID", "Contact", "Content-Encoding"),
    *("Content-Length", "Content-Type", "Expires", "From", "Max-Forwards", "P-Asserted-Identity"),
    *("Proxy-Authenticate", "Proxy-Authorization", "Proxy-Require", "Reason", "Record-Route"),
    *("Require", "Retry-After", "Route", "Server", "Supported", "To", "User-Agent", "Via"),
    *("WWW-Authenticate",),
)
# Names as they are nearly always written, so that they are looked up and not examined.
_FAMILIAR = {name: name.lower() for name in _LONG} | COMPACT

HeaderFields = Iterable[tuple[str, str]]


class UnsafeHeader(ValueError):
    """Text that would break out of its line, or a header name that is no token."""


class Headers:
    """An immutable list of header fields; names are found without regard to case or form."""

    __slots__ = ("_fields", "_index")

    def __init__(self, fields: HeaderFields = ()) -> None:
        self._fields = tuple(fields)
        self._index: dict[str, list[str]] | None = None

    def _by_name(self) -> dict[str, list[str]]:
        """The index, made when first asked for: messages that only leave need none."""
        if self._index is None:
            self._index = {}
            for name, value in self._fields:
                self._index.setdefault(canonical(name), []).append(value)
        return self._index

    def get(self, name: str, default: str = "") -> str:
        """The first value under a lower-case long name, as written."""
        values = self._by_name().get(name)
        return values[0] if values else default

    def all(self, name: str) -> list[str]:
        """Every field's value under the name, lists not split, in order."""
        return self._by_name().get(name, [])

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
        if all(value.isprintable() for _, value in self._fields):
            return self
        return Headers((name, presentable(value)) for name, value in self._fields)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name()

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
    familiar = _FAMILIAR.get(name)
    if familiar is not None:
        return familiar
    lower = name.lower()
    return COMPACT.get(lower, lower)


def is_name(text: str) -> bool:
    """Whether the text can name a header."""
    return text in _FAMILIAR or is_token(text)


def checked(fields: HeaderFields) -> tuple[tuple[str, str], ...]:
    """Fields from outside the stack, refused with `UnsafeHeader` if one could inject another."""
    fields = tuple(fields)
    for name, value in fields:
        if not is_token(name):
            raise UnsafeHeader(f"{name!r} is no header name")
        checked_line(value)
    if len(fields) > MAX_HEADERS:
        raise UnsafeHeader(f"more than {MAX_HEADERS} header fields")
    return fields


def checked_line(text: str) -> str:
    """Text from outside the stack that becomes part of a line; errors as with `checked`."""
    if any(char in text for char in "\r\n\0"):
        raise UnsafeHeader("a line break within a line")
    if len(text) > MAX_HEADER_CHARS:
        raise UnsafeHeader(f"longer than {MAX_HEADER_CHARS} characters")
    return text
