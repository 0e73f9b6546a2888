"""What the audit trail says of a request: whom or what it was about, and what was asked for."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from services.portal.access import Exposed

MAX_DETAIL_BYTES = 4_096
MAX_MESSAGE_BYTES = 256 * 1024
"""Of a larger request only its size is told: looking through it would hold up others."""
MAX_SUBJECT_CHARS = 200
MAX_TEXT_CHARS = 200
"""Of one text within the detail; a flow's or a browser's long ones are cut."""
_SECRET = ("password", "secret", "token", "sdp")
_HIDDEN = "(not kept)"
_NAMES = ("username", "name")
_DRY_RUN = "dry run"
"""Said of a request that only asked what would be."""


def subject(exposed: Exposed, message: Message) -> str:
    """What a request was about, for example `queue sales`; empty when it names nothing."""
    paths = exposed.bindings[0].path_fields if exposed.bindings else ()
    words = [f"{_noun(path)} {_value(message, path)}" for path in paths]
    if not words:
        words = [name for name in (_name_in(message),) if name]
    if getattr(message, "dry_run", False):
        words.append(_DRY_RUN)
    return ", ".join(words)[:MAX_SUBJECT_CHARS]


def detail(message: Message) -> str:
    """What was asked for, as JSON of at most 4 KiB, without secrets."""
    if message.ByteSize() > MAX_MESSAGE_BYTES:
        return json.dumps({"too_long_bytes": message.ByteSize()})
    tree = json_format.MessageToDict(message, preserving_proto_field_name=True)
    text = json.dumps(_shown(tree), ensure_ascii=False)
    size = len(text.encode())
    return text if size <= MAX_DETAIL_BYTES else json.dumps({"too_long_bytes": size})


def _noun(path: str) -> str:
    return path.rpartition(".")[2].removesuffix("_id")


def _value(message: Any, path: str) -> str:
    for name in path.split("."):
        message = getattr(message, name)
    return str(message)


def _name_in(message: Message) -> str:
    """The name of what is made, where a request has nothing better."""
    for descriptor, value in message.ListFields():
        if descriptor.name in _NAMES and isinstance(value, str):
            return value
        if isinstance(value, Message):
            for name in _NAMES:
                if name in value.DESCRIPTOR.fields_by_name and getattr(value, name):
                    return f"{descriptor.name} {getattr(value, name)}"
    return ""


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _HIDDEN if any(word in name.lower() for word in _SECRET) else _shown(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_shown(inner) for inner in value]
    if isinstance(value, str) and len(value) > MAX_TEXT_CHARS:
        return value[:MAX_TEXT_CHARS] + "…"
    return value
