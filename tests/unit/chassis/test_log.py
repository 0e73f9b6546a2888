from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SCRIPT = """
import logging, sys
from services.chassis import log

early = log.get_logger("early")
log.configure(level=sys.argv[1], as_json=sys.argv[2] == "json")
early.info("reservation expired", agent="a-1", waited_ms=12)
early.debug("a detail")
log.get_logger("other").error("not written as JSON by itself", path=object)
try:
    1 / 0
except ZeroDivisionError as error:
    early.error("it failed", exc_info=error)
    logging.getLogger("library").exception("it failed too")
library = logging.getLogger("library")
library.warning("%d percent of %s", 50, "100%")
library.info("too quiet")
library.log(35, "between warning and error")
library.warning("%d", "not a number")
early.info("still alive")
"""


def lines(level: str, form: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, level, form],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_json_lines_carry_event_facts_and_room() -> None:
    written: list[dict[str, Any]] = [
        json.loads(line) for line in lines("info", "json") if line.startswith("{")
    ]
    first = written[0]
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "reservation expired",
        "agent": "a-1",
        "waited_ms": 12,
        "room": "early",
        "level": "info",
    }
    by_event = {line["event"]: line for line in written}
    assert "a detail" not in by_event
    assert "ZeroDivisionError" in by_event["it failed"]["exception"]
    assert "ZeroDivisionError" in by_event["it failed too"]["exception"]
    assert by_event["50 percent of 100%"]["room"] == "library"
    assert by_event["50 percent of 100%"]["level"] == "warning"
    assert "too quiet" not in by_event
    # A level between the usual ones counts as the one below it.
    assert by_event["between warning and error"]["level"] == "warning"
    # A library's own mistake in logging does not end the process.
    assert written[-1]["event"] == "still alive"


def test_the_level_decides_what_is_written() -> None:
    assert any("a detail" in line for line in lines("debug", "json"))
    quiet = "\n".join(lines("error", "json"))
    assert "reservation expired" not in quiet
    assert "50 percent" not in quiet
    assert "it failed" in quiet


def test_a_terminal_gets_readable_lines() -> None:
    written = lines("info", "text")
    assert any("reservation expired" in line and "agent" in line for line in written)
    assert not any(line.startswith("{") for line in written)
    assert not any("\x1b" in line for line in written)
