"""Structured log lines: an event in words, and its facts as keys."""

from __future__ import annotations

import logging
import sys
from typing import cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure(*, level: str = "info", as_json: bool = True) -> None:
    """Sets up logging of this process to stderr, that of libraries included."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
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


class _Through(logging.Handler):
    """Hands what libraries log by the standard library to the same output."""

    def emit(self, record: logging.LogRecord) -> None:
        # A library may log between the levels that have names; the lower one is meant.
        known = (*LEVELS.values(), logging.CRITICAL)
        level = max((each for each in known if each <= record.levelno), default=logging.DEBUG)
        try:
            structlog.get_logger(room=record.name).log(
                level, record.getMessage(), exc_info=record.exc_info
            )
        except Exception:  # noqa: BLE001  # as every handler does: who logs must not fail by it
            self.handleError(record)
