"""What an audit entry may hold: no secrets, and no more than fits."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DETAIL_BYTES = 4_096
MAX_WORD_CHARS = 300
"""Of a subject, an action, an address or a name."""
MAX_DEPTH = 20
HIDDEN = "(hidden)"
_SECRET = re.compile(r"passw|secret|token|credential|authorization|api_?key$", re.IGNORECASE)


def scrubbed(detail_json: str) -> str:
    """The detail without values whose names say that they are secret; at most 4 KiB of JSON.

    What is no JSON, or too long, is replaced by its size.
    """
    if not detail_json:
        return ""
    size = len(detail_json.encode(errors="replace"))
    try:
        detail = json.loads(detail_json)
        text = json.dumps(_clean(detail, MAX_DEPTH), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        text = ""
    encoded = text.encode(errors="replace")
    if not text or len(encoded) > MAX_DETAIL_BYTES:
        return json.dumps({"omitted_bytes": size})
    return encoded.decode()


def word(text: str) -> str:
    """Text cut to what an entry's field holds, without characters that a store refuses."""
    plain = text.replace("\0", "").encode(errors="replace").decode()
    return plain if len(plain) <= MAX_WORD_CHARS else plain[: MAX_WORD_CHARS - 1] + "…"


def _clean(value: Any, depth: int) -> Any:
    if not depth:
        return HIDDEN
    match value:
        case dict():
            return {
                name: HIDDEN if _SECRET.search(name) else _clean(inner, depth - 1)
                for name, inner in value.items()
            }
        case list():
            return [_clean(inner, depth - 1) for inner in value]
        case _:
            return value
