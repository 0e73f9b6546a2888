"""docker/compose.yaml as a program that brings it up reads it."""

from __future__ import annotations

import re
from typing import Any

import yaml

from docker.supply import ROOT

PATH = ROOT / "docker" / "compose.yaml"
_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::-([^}]*))?\})")


def interpolated(text: str) -> str:
    """Every `${NAME:-default}` by its default, and `$$` by one dollar; ValueError without one."""

    def said(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        if found[2] is None:
            raise ValueError(f"{found[0]} has no default")
        return found[2]

    return _VARIABLE.sub(said, text)


def _interpolated(value: Any) -> Any:
    match value:
        case str():
            return interpolated(value)
        case dict():
            return {key: _interpolated(each) for key, each in value.items()}
        case list():
            return [_interpolated(each) for each in value]
        case _:
            return value


def compose() -> dict[str, Any]:
    """The whole file, with merges and defaults in place."""
    found: dict[str, Any] = _interpolated(yaml.safe_load(PATH.read_text()))
    return found


def image_of(service: dict[str, Any]) -> str:
    """Which of Carillon's images it is; empty: none."""
    match = re.fullmatch(r"localhost/carillon/(\w+):[\w.]+", service["image"])
    return match[1] if match else ""
