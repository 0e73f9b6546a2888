"""How much room a flow's variables take."""

from __future__ import annotations

import json

from services.ivr.model.flow import Value


def variables_bytes(variables: tuple[tuple[str, Value], ...]) -> int:
    """Their JSON in UTF-8, in bytes."""
    return len(json.dumps(dict(variables), ensure_ascii=False, separators=(",", ":")).encode())
