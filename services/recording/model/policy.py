"""A tenant's decisions about its recordings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Record(StrEnum):
    """Which calls are recorded."""

    FLOW = "flow"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for all recordings of a tenant; as it stands, where nobody decided otherwise."""

    record: Record = Record.FLOW
    """As the flows say, or never; whoever runs the flows keeps to it."""
    agents_may_listen: bool = True
    """False: agents do not hear even the calls they took part in."""
    agents_may_pause: bool = True
    """False: agents can not pause a recording; the desk keeps to it."""
