"""What a request asks for, held to its limits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final, TypeVar

from services.analytics.core.catalogue import choose, find, for_rows
from services.analytics.core.kpi import Kpi
from services.analytics.core.measures import OfCalls, OfEntries, OfTime, Terms
from services.analytics.model.errors import BadFilter, BadRange, KpiNotFor, NotYours
from services.analytics.model.words import Grouping
from services.analytics.store import before_all, before_all_intervals
from services.chassis.request import present

W = TypeVar("W", bound=StrEnum)
P = TypeVar("P", OfEntries, OfTime, OfCalls)

DAY_MS: Final = 86_400_000
MAX_DAYS: Final = 400
"""A year to compare with, and some."""
LATEST_MS: Final = 32_503_680_000_000
"""The year 3000."""
MAX_IDS: Final = 200
MAX_ID_CHARS: Final = 256
MAX_KPIS: Final = 100
MAX_THRESHOLD_S: Final = 86_400
_PLACE: Final = re.compile(r"([0-9]{1,16}) ([^\0]*)", re.DOTALL)
_INTERVAL_PLACE: Final = re.compile(r"([0-9]{1,16}) ([0-9]{1,16}) ([^\0]*)", re.DOTALL)
_STRANGE_PLACE: Final = "page.token is not one that a page ended with"
_MADE_OF: Final[dict[type, str]] = {
    OfEntries: "contacts: ask for entries",
    OfTime: "agents' time: ask for agent intervals",
    OfCalls: "calls: ask for call records",
}


def check_range(from_ms: int, to_ms: int) -> None:
    """BadRange, which says what is wrong."""
    if not to_ms:
        raise BadRange("say of when: from_ms and to_ms, in UTC milliseconds")
    check_moments(from_ms, to_ms)
    if to_ms - from_ms > MAX_DAYS * DAY_MS:
        raise BadRange(f"at most {MAX_DAYS} days at once")


def check_moments(from_ms: int, to_ms: int) -> None:
    """BadRange, unless the one is before the other."""
    if not 0 <= from_ms <= LATEST_MS or not 0 <= to_ms <= LATEST_MS:
        raise BadRange(f"from_ms and to_ms are UTC milliseconds from 0 to {LATEST_MS}")
    if from_ms >= to_ms:
        raise BadRange(f"from_ms must be before to_ms: {from_ms} is not before {to_ms}")


def words(kind: type[W], given: Sequence[str], field: str) -> tuple[W, ...]:
    """Words of a closed set, each once; BadFilter names those there are."""
    try:
        return tuple(dict.fromkeys(kind(text) for text in given if text))
    except ValueError:
        raise BadFilter(f"{field} is one of {', '.join(kind)}") from None


def word(kind: type[W], given: str, field: str) -> W:
    """One word of a closed set; BadFilter names those there are, also where none is given."""
    return words(kind, (given or "-",), field)[0]


def grouping(given: str) -> Grouping:
    """What rows are about; BadFilter."""
    return words(Grouping, (given or Grouping.TOTAL,), "by")[0]


def ids(given: Sequence[str], field: str) -> tuple[str, ...]:
    """Ids to filter by, each once; BadFilter."""
    found = tuple(dict.fromkeys(each for each in given if each))
    if len(found) > MAX_IDS or any(len(each) > MAX_ID_CHARS or "\0" in each for each in found):
        raise BadFilter(f"{field}: at most {MAX_IDS} ids of at most {MAX_ID_CHARS} characters")
    return found


def own_agents(given: Sequence[str]) -> tuple[str, ...]:
    """The agents asked about; whoever may see only their own asks about themselves. NotYours."""
    found = ids(given, "agent_ids")
    own = present().own_agent_id
    if not own:
        return found
    if any(agent_id != own for agent_id in found):
        raise NotYours("you may see only what is your own")
    return (own,)


def terms_of(terms: Terms, threshold_s: int) -> Terms:
    """The usual terms with the threshold asked for, in seconds; BadFilter."""
    if threshold_s > MAX_THRESHOLD_S:
        raise BadFilter(f"threshold_s is at most {MAX_THRESHOLD_S}")
    return replace(terms, threshold_ms=threshold_s * 1_000) if threshold_s else terms


def kpis_for_rows(labels: Sequence[str], *, calls: bool, agents: bool) -> tuple[Kpi, ...]:
    """The KPIs of a report; NoSuchKpi, or KpiNotFor where a named one says nothing."""
    if len(labels) > MAX_KPIS:
        raise BadFilter(f"at most {MAX_KPIS} KPIs at once")
    chosen = choose(labels)
    fitting = for_rows(chosen, calls=calls, agents=agents)
    if labels and fitting != chosen:
        strange = ", ".join(kpi.label for kpi in chosen if kpi not in fitting)
        raise KpiNotFor(f"{strange}: says nothing about queues or agents asked for like this")
    return fitting


def part_behind(label: str, *, denominator: bool, kind: type[P]) -> P | None:
    """What of a KPI the records asked for are in; None: no KPI is named. NoSuchKpi, KpiNotFor."""
    if not label:
        return None
    kpi = find(label)
    part = kpi.denominator if denominator else kpi.numerator
    if part is None:
        raise KpiNotFor(f"{kpi.label} is a plain count and has no denominator")
    if not isinstance(part, kind):
        raise KpiNotFor(f"this part of {kpi.label} is made of {_MADE_OF[type(part)]}")
    return part


def place(token: str, *, newest_first: bool) -> tuple[int, str]:
    """Where a page of entries or calls goes on, as `token_of` wrote it; BadFilter."""
    if not token:
        return before_all(newest_first=newest_first)
    found = _PLACE.fullmatch(token)
    if found is None:
        raise BadFilter(_STRANGE_PLACE)
    return int(found[1]), found[2]


def interval_place(token: str, *, newest_first: bool) -> tuple[int, str, int]:
    """Where a page of intervals goes on, as `token_of` wrote it; BadFilter."""
    if not token:
        return before_all_intervals(newest_first=newest_first)
    found = _INTERVAL_PLACE.fullmatch(token)
    if found is None:
        raise BadFilter(_STRANGE_PLACE)
    return int(found[1]), found[3], int(found[2])


def token_of(*key: int | str) -> str:
    """A key as a page's token: numbers, then one text."""
    return " ".join(map(str, key))
