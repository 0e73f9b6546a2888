"""The files of the facts journal: written by one incarnation, read by the publisher.

A file is named by the incarnation that wrote it and a number, so that names sort by age. Its
first record lists the calls that were open when it was begun; every other one is a fact. So the
last file alone tells which calls a lost gateway left open, and whatever is published may go.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from media_gateway.facts.open_calls import OpenCalls
from media_gateway.records import framed, whole_records
from protos.gateway.v1.events_pb2 import CallFact
from services.chassis.durable import sync_folder

MAX_FILE_BYTES = 4 * 1024 * 1024
"""A file that has grown beyond it is followed by another."""
READ_BYTES = 1024 * 1024
"""Of a file, at once; more where a single record is longer."""
_SUFFIX = ".facts"
_OPEN, _FACT = b"O", b"F"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the journal."""

    file: str = ""
    """The file's name; empty: before the first."""
    offset: int = 0
    """Bytes from its beginning."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A fact in the journal."""

    fact: CallFact
    """What happened."""
    begin: Position
    """Where it stands."""
    end: Position
    """Where the next one stands."""


class JournalWriter:
    """Appends facts; every method may block."""

    def __init__(
        self,
        folder: Path,
        *,
        incarnation: str,
        open_calls: OpenCalls,
        max_file_bytes: int = MAX_FILE_BYTES,
    ) -> None:
        self._folder = folder
        self._incarnation = incarnation
        self._open = open_calls
        self._max_bytes = max_file_bytes
        self._number = 0
        self._file: BinaryIO | None = None
        self._size = 0

    @property
    def end(self) -> Position:
        """Up to here everything is durable."""
        return Position(self._name, self._size) if self._file else Position()

    def append(self, facts: Sequence[CallFact]) -> None:
        """Durable when it returns; OSError leaves the journal as it was."""
        if self._file is None or self._size >= self._max_bytes:
            self._begin_file()
        self._write(b"".join(framed(_FACT + fact.SerializeToString()) for fact in facts))
        for fact in facts:
            self._open.take(fact)

    def close(self) -> None:
        """Nothing is appended any more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def _name(self) -> str:
        return f"{self._incarnation}.{self._number:08d}{_SUFFIX}"

    def _begin_file(self) -> None:
        self.close()
        self._number += 1
        path = self._folder / self._name
        self._file = path.open("wb", buffering=0)
        self._size = 0
        try:
            path.chmod(0o600)
            self._write(framed(_OPEN + self._open.to_bytes()))
        except OSError:
            # Facts behind no list of calls would lose the open ones: the next try is another file.
            self.close()
            raise
        sync_folder(self._folder)

    def _write(self, data: bytes) -> None:
        file = self._file
        assert file is not None, "a file was begun"
        try:
            written = 0
            while written < len(data):
                written += file.write(data[written:])
            os.fsync(file.fileno())
        except OSError:
            # Half a record must not stand before a whole one.
            file.seek(self._size)
            file.truncate()
            raise
        self._size += len(data)


class JournalReader:
    """Reads the facts of every incarnation in their order, and forgets those that are done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._record = folder / "position.json"

    def files(self) -> list[str]:
        """The names of all files, oldest first."""
        return sorted(path.name for path in self._folder.glob(f"*{_SUFFIX}"))

    def open_calls(self) -> OpenCalls:
        """The calls that the newest facts leave open."""
        found = OpenCalls()
        for name in self.files():
            for data, _ in whole_records((self._folder / name).read_bytes()):
                if data[:1] == _OPEN:
                    found = OpenCalls.of_bytes(data[1:])
                else:
                    found.take(CallFact.FromString(data[1:]))
        return found

    def done(self) -> Position:
        """Up to where everything was published."""
        try:
            told = json.loads(self._record.read_text())
            return Position(str(told["file"]), int(told["offset"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Position()  # nothing yet, or unreadable: again from the first file that is left

    def last_in_line(self, incarnation: str) -> str:
        """The incarnation's name, changed if need be so that its files sort behind all others.

        After a clock was set back its facts would else pass for some that were published long ago.
        """
        newest = max([*self.files(), self.done().file])
        return incarnation if newest < incarnation else f"{newest.partition('.')[0]}~"

    def commit(self, position: Position) -> None:
        """Remembers it, and removes files that lie before it."""
        temporary = self._record.with_suffix(".tmp")
        temporary.write_text(json.dumps({"file": position.file, "offset": position.offset}))
        temporary.replace(self._record)
        for name in self.files():
            if name < position.file:
                (self._folder / name).unlink(missing_ok=True)

    def read(self, after: Position, until: Position, *, limit: int) -> list[Kept]:
        """Facts after a place, at most up to another; empty when there are none."""
        for name in self.files():
            if name < after.file or name > until.file:
                continue
            offset = after.offset if name == after.file else 0
            end = until.offset if name == until.file else None
            found = self._read_file(name, offset, end, limit)
            if found:
                return found
        return []

    def _read_file(self, name: str, offset: int, end: int | None, limit: int) -> list[Kept]:
        with (self._folder / name).open("rb") as file:
            file.seek(offset)
            left = os.fstat(file.fileno()).st_size if end is None else end
            left = max(0, left - offset)
            buffer = file.read(min(READ_BYTES, left))
            found = _facts_in(buffer, name, offset, limit)
            if not found and left > READ_BYTES:
                # The list of open calls may fill what was read, to the last fact before its end.
                buffer += file.read(left - READ_BYTES)
                found = _facts_in(buffer, name, offset, limit)
        return found


def _facts_in(buffer: bytes, name: str, offset: int, limit: int) -> list[Kept]:
    found: list[Kept] = []
    begin = offset
    for data, after in whole_records(buffer):
        if data[:1] == _FACT:
            here, there = Position(name, begin), Position(name, offset + after)
            found.append(Kept(CallFact.FromString(data[1:]), here, there))
        begin = offset + after
        if len(found) >= limit:
            break
    return found
