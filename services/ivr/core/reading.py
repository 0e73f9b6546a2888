"""Readers of single values in a flow's JSON: each gives the value or raises the fault it found."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar

from services.ivr.core.limits import MAX_CORRECTIONS, MAX_PROMPTS, MAX_TEXT_CHARS
from services.ivr.model.flow import Prompt, Value

T = TypeVar("T")
Reader = Callable[[Any], T]

SYSTEM_SOUNDS = ("music", "apology", "ringback", "beep")
KEYS = "0123456789*#ABCD"
_SOURCES = ("text", "prompt", "sha256", "system")
NODE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
LIBRARY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Fault(Exception):
    """What is wrong with a value; whoever knows the place makes a problem of it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def suggest(word: str, known: tuple[str, ...]) -> str:
    """`; did you mean ...?` when something near is known, else nothing."""
    near = get_close_matches(word, known, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def text(longest: int = MAX_TEXT_CHARS, *, shortest: int = 1) -> Reader[str]:
    """A text within lengths in characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Fault("wrong-type", f"must be a text, not {kind_of(value)}")
        if not shortest <= len(value.strip()) or len(value) > longest:
            raise Fault("wrong-length", f"must have {shortest} to {longest} characters")
        return value

    return read


def matching(pattern: re.Pattern[str], example: str) -> Reader[str]:
    """A text of a form."""

    def read(value: Any) -> str:
        found = text(256)(value)
        if not pattern.fullmatch(found):
            raise Fault("wrong-form", f"`{found[:64]}` is not of the form of `{example}`")
        return found

    return read


node_id = matching(NODE_ID, "main-menu")
variable_name = matching(NAME, "order_number")
language = matching(LANGUAGE, "en-us")
library_id = matching(LIBRARY_ID, "welcome")


def whole(lowest: int, highest: int) -> Reader[int]:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Fault("wrong-type", f"must be a whole number, not {kind_of(value)}")
        if not lowest <= value <= highest:
            raise Fault("out-of-range", f"must be between {lowest} and {highest}")
        return value

    return read


def seconds(lowest: float, highest: float) -> Reader[int]:
    """Seconds within bounds, as milliseconds."""

    def read(value: Any) -> int:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise Fault("wrong-type", f"must be a number of seconds, not {kind_of(value)}")
        if not lowest <= value <= highest:
            raise Fault("out-of-range", f"must be between {lowest:g} and {highest:g} seconds")
        return round(value * 1000)

    return read


def truth(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Fault("wrong-type", f"must be true or false, not {kind_of(value)}")
    return value


def one_of(*words: str) -> Reader[str]:
    """One of a few words."""

    def read(value: Any) -> str:
        if value not in words:
            hint = suggest(str(value), words)
            raise Fault("unknown-word", f"must be one of {', '.join(words)}{hint}")
        return str(value)

    return read


def key(value: Any) -> str:
    """A key of a telephone."""
    if not isinstance(value, str) or len(value) != 1 or value not in KEYS:
        raise Fault("no-such-key", f"must be one key of {KEYS}")
    return value


def optional(read: Reader[str]) -> Reader[str]:
    """The same, or an empty text."""
    return lambda value: "" if value == "" else read(value)


def items(read: Reader[T], fewest: int, most: int) -> Reader[tuple[T, ...]]:
    """A list within lengths."""

    def read_all(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Fault("wrong-type", f"must be a list, not {kind_of(value)}")
        if not fewest <= len(value) <= most:
            raise Fault("wrong-length", f"must have {fewest} to {most} entries")
        return tuple(_inside(at, read, item) for at, item in enumerate(value))

    return read_all


def mapping(
    read_key: Reader[str], read: Reader[T], fewest: int, most: int
) -> Reader[tuple[tuple[str, T], ...]]:
    """An object whose keys are data, as pairs in their order."""

    def read_all(value: Any) -> tuple[tuple[str, T], ...]:
        entries = as_object(value)
        if not fewest <= len(entries) <= most:
            raise Fault("wrong-length", f"must have {fewest} to {most} entries")
        return tuple(
            (_inside(name, read_key, name), _inside(name, read, entry))
            for name, entry in entries.items()
        )

    return read_all


def as_object(value: Any, allowed: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object; with `allowed`, one that has no other keys."""
    if not isinstance(value, dict):
        raise Fault("wrong-type", f"must be an object, not {kind_of(value)}")
    for name in value:
        if allowed and name not in allowed:
            raise Fault("unknown-key", f"`{name[:64]}` means nothing here{suggest(name, allowed)}")
    return value


def prompt(value: Any) -> Prompt:
    """A text to speak, or an object that names a text, a prompt, a recording or a sound."""
    if isinstance(value, str):
        return Prompt(text=text()(value))
    given = as_object(value, (*_SOURCES, "language"))
    sources = [name for name in _SOURCES if name in given]
    if len(sources) != 1:
        raise Fault("wrong-prompt", f"must have exactly one of {', '.join(_SOURCES)}")
    if "language" in given and sources != ["text"]:
        raise Fault("wrong-prompt", "only a text has a language")
    return Prompt(
        text=text()(given["text"]) if "text" in given else "",
        language=language(given["language"]) if "language" in given else "",
        sha256=matching(_SHA256, "64 digits of 0-9 and a-f")(given.get("sha256"))
        if "sha256" in given
        else "",
        system=one_of(*SYSTEM_SOUNDS)(given["system"]) if "system" in given else "",
        prompt_id=library_id(given["prompt"]) if "prompt" in given else "",
    )


prompts = items(prompt, 1, MAX_PROMPTS)
question = items(prompt, 1, MAX_PROMPTS - MAX_CORRECTIONS)
correction = items(prompt, 0, MAX_CORRECTIONS)


def message(value: Any) -> tuple[Prompt, ...]:
    """One prompt, or several that belong together."""
    return prompts(value) if isinstance(value, list) else (prompt(value),)


def plain(value: Any) -> Value:
    """A text, a number or a truth."""
    if isinstance(value, str):
        return text(1_000, shortest=0)(value)
    if not isinstance(value, (bool, int, float)):
        raise Fault("wrong-type", f"must be a text, a number or a truth, not {kind_of(value)}")
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise Fault("out-of-range", "must fit 64 bits")
    return value


def kind_of(value: Any) -> str:
    """What sort of JSON value it is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "nothing" if value is None else names.get(type(value), "a number")


def _inside(place: int | str, read: Reader[T], value: Any) -> T:
    try:
        return read(value)
    except Fault as fault:
        raise Fault(fault.code, f"entry {str(place)[:64]}: {fault.message}") from None
