"""Requests that come twice under one Idempotency-Key."""

from __future__ import annotations

import re

from services.portal.model.errors import BadIdempotencyKey, KeyReused
from services.portal.model.trail import Answer, Replay, ReplayState

KEEP_MS = 24 * 60 * 60_000
"""Answers are kept for so long."""
TAKE_OVER_MS = 60_000
"""Whoever reserved a key and did not answer for so long has died: the next one may."""
MAX_BODY_BYTES = 1_048_576
"""A longer answer is not kept."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def check_key(key: str) -> None:
    """BadIdempotencyKey unless the key is 1 to 255 visible ASCII characters."""
    if not _KEY.fullmatch(key):
        raise BadIdempotencyKey("an Idempotency-Key is 1 to 255 visible ASCII characters")


def is_free(known: Answer | None, request_hash: str, now_ms: int) -> bool:
    """Whether a request may take the key for itself."""
    if known is None:
        return True
    age_ms = now_ms - known.reserved_at_ms
    is_same = known.request_hash == request_hash
    return age_ms >= KEEP_MS or (not known.status and is_same and age_ms >= TAKE_OVER_MS)


def judge(taken_by: Answer | None, request_hash: str) -> Replay:
    """What is to be done: the key is the request's own now (None), or was taken; KeyReused."""
    if taken_by is None:
        return Replay(ReplayState.NEW)
    if taken_by.request_hash != request_hash:
        raise KeyReused("this Idempotency-Key came with another request before")
    if not taken_by.status:
        return Replay(ReplayState.IN_PROGRESS)
    return Replay(ReplayState.STORED, taken_by.status, taken_by.content_type, taken_by.body)
