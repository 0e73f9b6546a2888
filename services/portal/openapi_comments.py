"""What the protos say in comments, which the descriptors at run time no longer know.

The proto files lie beside the generated modules and are read once. Where an image leaves them
out, the description of the API has no words, and is otherwise the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from google.protobuf.descriptor import FileDescriptor

from services.portal.access import FILES

_COMMENT = re.compile(r"\s*//\s?(.*)")
_OPENS = re.compile(r"\s*(message|service|enum|oneof|extend)\s+([\w.]+)\s*\{")
_RPC = re.compile(r"\s*rpc\s+(\w+)\s*\(")
_FIELD = re.compile(
    r"\s*(?:repeated\s+|optional\s+)?(?:map<[^>]*>|[\w.]+)\s+(\w+)\s*=\s*\d+\s*[;\[]"
)
_VALUE = re.compile(r"\s*(\w+)\s*=\s*\d+\s*[;\[]")
_PACKAGE = re.compile(r"\s*package\s+([\w.]+)\s*;")


@cache
def comments() -> Mapping[str, str]:
    """The leading comment of every message, field, service and RPC, by its full name."""
    found: dict[str, str] = {}
    for path in _paths():
        found |= read_comments(path.read_text(encoding="utf-8").splitlines())
    return found


def read_comments(lines: Iterable[str]) -> dict[str, str]:
    """The leading comments of one proto file: full name → text, paragraphs apart by a blank line.

    Knows what Carillon's protos use: one declaration a line, `//` comments above it.
    """
    reader = _Reader()
    for line in lines:
        reader.take(line)
    return reader.found


class _Reader:
    """Where in the file the reading is."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._open: list[str] = []
        self._above: list[str] = []

    def take(self, line: str) -> None:
        comment = _COMMENT.fullmatch(line)
        if comment is not None:
            self._above.append(comment.group(1).rstrip())
            return
        if package := _PACKAGE.match(line):
            self._open = [package.group(1)]
        elif opened := _OPENS.match(line):
            # A oneof is no part of its fields' names.
            name = "" if opened.group(1) == "oneof" else opened.group(2)
            self._note(name)
            if "}" not in line:
                self._open.append(name)
        elif rpc := _RPC.match(line):
            self._note(rpc.group(1))
            if line.rstrip().endswith("{"):
                self._open.append(rpc.group(1))
        elif line.strip() in {"}", "};"} and len(self._open) > 1:
            self._open.pop()
        elif (field := _FIELD.match(line)) or (field := _VALUE.match(line)):
            self._note(field.group(1))
        elif line.rstrip().endswith("{"):
            self._open.append("")
        self._above.clear()

    def _note(self, name: str) -> None:
        if name and self._above:
            full_name = ".".join([*(part for part in self._open if part), name])
            self.found[full_name] = _joined(self._above)


def _joined(lines: list[str]) -> str:
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs if paragraph)


def _paths() -> list[Path]:
    """The proto files of what is for outside, with those that they import, where they are there."""
    root = Path(__file__).resolve().parent.parent.parent
    names: dict[str, None] = {}
    waiting: list[FileDescriptor] = [file for _, file in FILES]
    while waiting:
        file = waiting.pop()
        if file.name.startswith("protos/") and file.name not in names:
            names[file.name] = None
            waiting += file.dependencies
    return [path for path in (root / name for name in sorted(names)) if path.is_file()]
