"""What may be in the repository, and how large it may be."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.tree import ROOT, tracked, written_python

MAX_LINES = 500
MAX_BYTES = 512 * 1024
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))


def shown(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_no_python_file_is_longer_than_500_lines() -> None:
    long = [path for path in written_python() if len(path.read_text().splitlines()) > MAX_LINES]
    assert shown(long) == []


def test_no_file_is_larger_than_512_kib() -> None:
    assert shown([path for path in tracked() if path.stat().st_size > MAX_BYTES]) == []


def test_locks_pin_every_package_by_hash_and_name_no_address() -> None:
    for name in LOCKS:
        text = (ROOT / name).read_text()
        packages = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==", text, re.MULTILINE)
        assert packages, name
        # Every package line is continued by at least one hash.
        assert len(re.findall(r"^\S+==.*\\\n\s+--hash=sha256:", text, re.MULTILINE)) == len(
            packages
        )
        assert "://" not in text, name


def test_the_development_lock_contains_the_running_one() -> None:
    def pins(name: str) -> set[str]:
        return set(
            re.findall(r"^([a-z0-9][\w.-]*==[\w.]+)", (ROOT / name).read_text(), re.MULTILINE)
        )

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_no_path_of_a_developers_machine_is_written_down() -> None:
    private = re.compile(rb"(?<![\w.])/(?:home|Users)/\w+|(?<![\w.])/root/\.")
    guilty = [
        path
        for path in tracked()
        if path != Path(__file__).resolve() and private.search(path.read_bytes())
    ]
    assert shown(guilty) == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty_words = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}
    guilty = [path for path in written_python() if path.stem in empty_words]
    assert shown(guilty) == []
