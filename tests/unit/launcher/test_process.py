from __future__ import annotations

from pathlib import Path

from services.launcher.process import Program


def program(log: Path) -> Program:
    return Program(module="services", args=(), env={}, log=log)


def test_the_end_of_a_long_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "services.log"
    log.write_text("".join(f"line {number} ä\n" for number in range(50_000)))
    assert program(log).tail(2) == "line 49998 ä\nline 49999 ä"


def test_a_short_log_is_all_there_is(tmp_path: Path) -> None:
    log = tmp_path / "services.log"
    assert program(log).tail() == "(no log)"
    log.write_text("one\n")
    assert program(log).tail() == "one"
