"""Which dispositions there can be, and which of them may be given."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.portal.model.dispositions import Disposition
from services.portal.model.errors import BadDisposition, NoSuchDisposition

MAX_DISPOSITIONS = 500
"""Of one tenant."""
MAX_LABEL = 100
MAX_QUEUES = 200
"""Of one disposition."""
MAX_QUEUE_ID = 128
MAX_POSITION = 1_000_000
_CODE = re.compile(r"[a-z0-9-]{1,64}")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*")


def check_disposition(disposition: Disposition) -> None:
    """BadDisposition unless each part is of its form."""
    if not _CODE.fullmatch(disposition.code):
        raise BadDisposition("code: lower-case letters, digits and dashes, at most 64")
    label = disposition.label
    if not label.strip() or len(label) > MAX_LABEL or not _PRINTABLE.fullmatch(label):
        raise BadDisposition(f"label: 1 to {MAX_LABEL} printable characters")
    queues = disposition.queue_ids
    if len(queues) > MAX_QUEUES or len(set(queues)) != len(queues):
        raise BadDisposition(f"queue_ids: at most {MAX_QUEUES}, each once")
    if not all(0 < len(each) <= MAX_QUEUE_ID and _PRINTABLE.fullmatch(each) for each in queues):
        raise BadDisposition(f"queue_ids: each 1 to {MAX_QUEUE_ID} printable characters")
    if abs(disposition.position) > MAX_POSITION:
        raise BadDisposition(f"position: at most {MAX_POSITION}")


def in_order(dispositions: Iterable[Disposition]) -> list[Disposition]:
    """By position, then by what people see."""
    return sorted(dispositions, key=lambda each: (each.position, each.label, each.code))


def offered(dispositions: Iterable[Disposition], queue_id: str) -> list[Disposition]:
    """Those that may be given to a contact of a queue, in their order."""
    return in_order(
        each
        for each in dispositions
        if each.active and (not each.queue_ids or queue_id in each.queue_ids)
    )


def check_given(codes: Iterable[str], code: str) -> None:
    """NoSuchDisposition when others are offered than the one that is given; no code is none."""
    known = list(codes)
    if code and known and code not in known:
        raise NoSuchDisposition("choose one of the dispositions that are offered for this queue")
