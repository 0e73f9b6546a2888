"""The locks hold what the project says that it needs, so that a new machine gets it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAME = re.compile(r"[A-Za-z0-9._-]+")
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
RUN = [
    *PROJECT["project"]["dependencies"],
    *(each for name, extra in EXTRAS.items() if name not in ("all", "postgres") for each in extra),
]


def named(requirement: str) -> str:
    match = NAME.match(requirement)
    assert match is not None, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def pinned(lock: str) -> set[str]:
    lines = (ROOT / lock).read_text().splitlines()
    return {named(line) for line in lines if re.match(r"[A-Za-z0-9]", line) and "==" in line}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", RUN),
        ("requirements-dev.lock", [*RUN, *PROJECT["dependency-groups"]["dev"]]),
        ("requirements-postgres.lock", EXTRAS["postgres"]),
    ],
)
def test_whatever_is_needed_is_pinned(lock: str, wanted: list[str]) -> None:
    assert {named(each) for each in wanted} - pinned(lock) == set()
