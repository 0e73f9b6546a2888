"""Texts with placeholders: `{name}`, `{name:digits}` spelt key by key, `{{` and `}}` for braces."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.ivr.model.errors import BadTemplate
from services.ivr.model.flow import Value

MAX_FILLED_CHARS = 2_000
"""What is spoken in one go; more is cut."""

_PIECE = re.compile(
    r"(?P<brace>\{\{|\}\})|\{(?P<name>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)(?::(?P<form>[a-z]*))?\}|(?P<stray>[{}])"
)
_FORMS = frozenset({None, "digits"})


def names(template: str) -> frozenset[str]:
    """The names that a text needs; BadTemplate when a placeholder is not well formed."""
    found = set()
    for piece in _PIECE.finditer(template):
        if piece["stray"]:
            raise BadTemplate(
                f"a brace at character {piece.start() + 1} belongs to no placeholder; "
                "write {{ or }} for a brace that is meant"
            )
        if piece["form"] not in _FORMS:
            raise BadTemplate(f"{piece[0]} asks for an unknown form; only `digits` is known")
        if piece["name"]:
            found.add(piece["name"])
    return frozenset(found)


def fill(template: str, values: Mapping[str, Value]) -> str:
    """The text with its values; KeyError for a name that has none."""

    def piece(found: re.Match[str]) -> str:
        if found["brace"]:
            return found["brace"][0]
        text = spoken(values[found["name"]])
        return " ".join(text) if found["form"] else text

    return _PIECE.sub(piece, template)[:MAX_FILLED_CHARS].strip()


def spoken(value: Value) -> str:
    """A value in words: whole numbers without a point, truth as yes or no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


def clip(text: str, most_bytes: int) -> str:
    """The beginning of a text that fits in so many bytes of UTF-8, whole characters only."""
    return text.encode(errors="ignore")[:most_bytes].decode(errors="ignore")
