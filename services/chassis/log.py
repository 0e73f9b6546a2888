"""Structured log lines: an event in words, and its facts as keys.

Each line names the tenant and the call that it is about, where they are known: by the keys that it
is given, else by what the running task is about. Numbers of people are never written whole.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
SHOWN_DIGITS = 2
"""Of a person's number in a line: enough to tell two calls apart beside the one who asks."""

Subject: TypeAlias = tuple[str, str] | Callable[[], tuple[str, str]]
"""A tenant's id and a call's, each empty where there is none; or who knows them by then."""
NOTHING: Subject = ("", "")

_subject: ContextVar[Subject] = ContextVar("carillon_log_subject", default=NOTHING)


def concerns(subject: Subject) -> None:
    """From here on, lines of the running task, and of those that it starts, are about this."""
    _subject.set(subject)


@contextmanager
def about(subject: Subject) -> Iterator[None]:
    """Lines inside are about this, also those of tasks and timers that are started inside."""
    token = _subject.set(subject)
    try:
        yield
    finally:
        _subject.reset(token)


def hidden(number: str) -> str:
    """A person's number or address as a line may show it: its last digits."""
    name = number.removeprefix("sips:").removeprefix("sip:").partition("@")[0]
    digits = [each for each in name if each.isdecimal()]
    return "…" + "".join(digits[-SHOWN_DIGITS:]) if digits else "hidden" if number else ""


def configure(*, level: str = "info", as_json: bool = True) -> None:
    """Sets up logging of this process to stderr, that of libraries included."""
    shared: list[Processor] = [
        name_subject,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatting: list[Processor] = [structlog.processors.format_exc_info] if as_json else []
    structlog.configure(
        processors=[*shared, *formatting, last],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Through()], level=logging.WARNING, force=True)
    # While brokers are away it has thousands of lines to say; the bus says it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger whose lines carry `room=name`."""
    return cast("FilteringBoundLogger", structlog.get_logger(room=name))


def name_subject(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Adds what the line is about, unless it says so itself."""
    present = _subject.get()
    tenant, call = present() if callable(present) else present
    if tenant:
        line.setdefault("tenant", tenant)
    if call:
        line.setdefault("call", call)
    return line


class _Through(logging.Handler):
    """Hands what libraries log by the standard library to the same output."""

    def emit(self, record: logging.LogRecord) -> None:
        # A library may log between the levels that have names; the lower one is meant.
        known = (*LEVELS.values(), logging.CRITICAL)
        level = max((each for each in known if each <= record.levelno), default=logging.DEBUG)
        try:
            # What a library speaks of may be another's than what the running task is about.
            with about(NOTHING):
                structlog.get_logger(room=record.name).log(
                    level, record.getMessage(), exc_info=record.exc_info
                )
        except Exception:  # noqa: BLE001  # as every handler does: who logs must not fail by it
            self.handleError(record)
