"""What Carillon itself says to those who wait, in the languages that it knows."""

from __future__ import annotations

from collections.abc import Callable

MINUTE_MS = 60_000


def _english(position: int, minutes: int | None) -> str:
    place = f"You are number {position} in the queue."
    if minutes is None:
        return place
    return f"{place} The expected wait is about {minutes} minute{'' if minutes == 1 else 's'}."


def _mandarin(position: int, minutes: int | None) -> str:
    place = f"您排在第{position}位."
    return place if minutes is None else f"{place} 预计等待约{minutes}分钟."


def _romanian(position: int, minutes: int | None) -> str:
    place = f"Sunteți pe locul {position} la coadă."
    if minutes is None:
        return place
    if minutes == 1:
        return f"{place} Timpul de așteptare este de aproximativ un minut."
    # Romanian puts "de" between a number and its noun from 20 on, but for 101 to 119 and so on.
    of = " de" if minutes % 100 == 0 or minutes % 100 > 19 else ""
    return f"{place} Timpul de așteptare este de aproximativ {minutes}{of} minute."


_PHRASES: dict[str, Callable[[int, int | None], str]] = {
    "en": _english,
    "cmn": _mandarin,
    "ro": _romanian,
}


_AGENT_LOST = {
    "en": "We are sorry, the connection to your agent was lost. You keep your place in the queue.",
    "cmn": "很抱歉, 与客服的连接中断了。您的排队位置将保留。",
    "ro": "Ne pare rău, legătura cu operatorul s-a întrerupt. Vă păstrați locul la coadă.",
}
_DELAY = {
    "en": "We are sorry, this takes a little longer than usual. Please stay on the line.",
    "cmn": "很抱歉, 现在需要的时间比平时长。请不要挂断。",
    "ro": "Ne pare rău, durează puțin mai mult decât de obicei. Vă rugăm să rămâneți pe fir.",
}


def agent_lost(language: str) -> str:
    """To a caller whose agent's connection was lost; empty where there are no words."""
    return _AGENT_LOST.get(_family(language), "")


def delay(language: str) -> str:
    """To a caller for whom no place can be had yet; empty where there are no words."""
    return _DELAY.get(_family(language), "")


def is_known(language: str) -> bool:
    """Whether there are words in that language, for example `en-us`."""
    return _family(language) in _PHRASES


def queue_message(language: str, position: int, expected_wait_ms: int | None) -> str:
    """Where the caller stands and how long it may take; the wait is left out when unknown."""
    minutes = None if expected_wait_ms is None else whole_minutes(expected_wait_ms)
    return _PHRASES[_family(language)](position, minutes)


def whole_minutes(duration_ms: int) -> int:
    """Minutes, rounded up, at least 1: nobody is promised less than was measured."""
    return max(1, -(-duration_ms // MINUTE_MS))


def _family(language: str) -> str:
    return language.split("-", maxsplit=1)[0]
