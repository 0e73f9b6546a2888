"""Checkpoints as bytes: compact JSON that the release before and the one after can read.

Fields at their defaults are left out; missing ones get their defaults; unknown ones are ignored.
`FORMAT` changes only when that is not enough, one release after every replica can read the new.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, fields
from enum import StrEnum
from typing import Any, TypeVar

from services.ivr.core.limits import MAX_CHECKPOINT_BYTES
from services.ivr.model.call import TransferKind
from services.ivr.model.checkpoint import (
    CallFacts,
    Checkpoint,
    CustomerFacts,
    Handing,
    Purpose,
    Ring,
    Stage,
    Stay,
)
from services.ivr.model.errors import BadCheckpoint

FORMAT = 1
Part = CallFacts | CustomerFacts | Handing | Ring | Stay
T = TypeVar("T", bound=Part | Checkpoint)

_PAIRS = frozenset({"variables", "headers"})
_NESTED: dict[str, type[Part]] = {
    "call": CallFacts,
    "customer": CustomerFacts,
    "handing": Handing,
    "ring": Ring,
    "stay": Stay,
}
_WORDS: dict[str, type[StrEnum]] = {
    "stage": Stage,
    "purpose": Purpose,
    "kind": TransferKind,
}


def encode(at: Checkpoint) -> bytes:
    """The checkpoint as bytes, at most 16 KiB by the limits of what is in it."""
    data = json.dumps(
        {"format": FORMAT, **_plain(at)}, ensure_ascii=False, separators=(",", ":")
    ).encode()
    assert len(data) <= MAX_CHECKPOINT_BYTES, f"a checkpoint of {len(data)} bytes"
    return data


def decode(data: bytes) -> Checkpoint:
    """The checkpoint in bytes; BadCheckpoint when there is none that this release can read."""
    try:
        if len(data) > MAX_CHECKPOINT_BYTES:
            raise BadCheckpoint(f"{len(data)} bytes, at most {MAX_CHECKPOINT_BYTES}")
        given = json.loads(data)
        if not isinstance(given, dict) or given.get("format") != FORMAT:
            raise BadCheckpoint("unknown format")
        return _read(Checkpoint, given)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadCheckpoint(str(error)[:200]) from error


def _plain(value: Part | Checkpoint) -> dict[str, Any]:
    plain = {}
    for field in fields(value):
        held = getattr(value, field.name)
        if held == field.default:
            continue
        if field.name in _PAIRS:
            held = dict(held)
        elif field.name in _NESTED:
            held = _plain(held)
        plain[field.name] = held
    return plain


def _read(kind: type[T], given: dict[str, Any]) -> T:
    return kind(
        **{
            field.name: _value(field, given[field.name])
            for field in fields(kind)
            if field.name in given or field.default is MISSING
        }
    )


def _value(field: Field[Any], value: Any) -> Any:
    if field.name in _PAIRS:
        return tuple((str(name), held) for name, held in value.items())
    if field.name in _WORDS:
        return _WORDS[field.name](value)
    if field.name in _NESTED:
        return None if value is None else _read(_NESTED[field.name], value)
    expected = {"str": str, "int": int, "bool": bool}.get(str(field.type))
    if expected is not None and type(value) is not expected:
        raise BadCheckpoint(f"`{field.name}` is no {field.type}")
    return value
