"""tests/calls.sh forgives at most two tests that were late, once, and says so."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT

LATE_ONCE = """
from pathlib import Path
def test_{name}():
    seen = Path(__file__).with_suffix(".{name}")
    late = not seen.exists()
    seen.touch()
    assert not late
"""
ALWAYS_WRONG = """
def test_{name}():
    assert False
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Inside the tree: pytest names what lies outside in a way that it does not understand."""
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "var") as name:
        yield Path(name)


def calls(folder: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    file = folder / "test_made_up.py"
    file.write_text("".join(text.format(name=f"n{at}") for at, text in enumerate(tests)))
    command = [str(ROOT / "tests/calls.sh"), "-n", "0", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_what_was_late_once_is_named_and_forgiven(folder: Path) -> None:
    said = calls(folder, LATE_ONCE, LATE_ONCE)
    assert said.returncode == 0, said.stdout
    assert said.stdout.count("Passed at the second try: ") == 2


def test_what_fails_twice_is_not(folder: Path) -> None:
    said = calls(folder, LATE_ONCE, ALWAYS_WRONG)
    assert said.returncode == 1
    assert "Passed at the second try" not in said.stdout


def test_three_are_no_chance(folder: Path) -> None:
    said = calls(folder, LATE_ONCE, LATE_ONCE, LATE_ONCE)
    assert said.returncode == 1
    assert "once more" not in said.stdout


def test_what_is_not_even_collected_is_not_tried_again(folder: Path) -> None:
    said = calls(folder, "import no_such_thing")
    assert said.returncode == 2
    assert "once more" not in said.stdout
