"""The spool: sealed segments on disk until the recording service has them.

    <spool>/t-<tenant>/c-<call>/log                   what the manifest will be made of
                               /<track>.<number>.seg  a sealed segment, ready to be handed over
                               /manifest              written last: the recording is over

Everything here blocks and runs in one thread. Segments are not synced: a process that is killed
loses nothing that it has written, and the loss of the machine costs what was not handed over yet.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from google.protobuf.message import DecodeError

from media_gateway.recording import call_log
from media_gateway.recording.call_log import CallLog
from media_gateway.recording.model import CallKey
from media_gateway.records import whole_records
from protos.recording.v1 import recording_pb2
from services.chassis.log import get_logger

log = get_logger("recording")

LOG, MANIFEST, SEGMENT_SUFFIX = "log", "manifest", ".seg"
MAX_REFUSED = 1_000
"""Files that nobody will take, kept for whoever looks into it."""


class SpoolFull(OSError):
    """The spool has grown to its limit, or the disk has too little space left."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much the spool may take."""

    max_bytes: int
    """Of all that waits in it."""
    min_free_bytes: int
    """That stay free on its disk."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A segment that waits to be handed over."""

    name: str
    """Of its file."""
    request: recording_pb2.PutSegmentRequest
    """What is handed over."""


class Spool:
    """The folder, and what may be done with it."""

    def __init__(self, folder: Path, *, room: Room) -> None:
        self._folder = folder
        self._room = room
        self.used_bytes = 0
        """Taken by segments that wait."""

    def open(self) -> list[CallKey]:
        """What an earlier process left, oldest first."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = list(self._calls())
        self.used_bytes = sum(
            path.stat().st_size for path in self._folder.rglob(f"*{SEGMENT_SUFFIX}")
        )
        return sorted(found, key=lambda call: call.call_id)

    def log_of(self, call: CallKey) -> CallLog:
        """A recording's log, as far as it is whole."""
        try:
            data = (self._path(call) / LOG).read_bytes()
        except FileNotFoundError:
            data = b""
        return CallLog(record for record, _ in whole_records(data))

    def is_finished(self, call: CallKey) -> bool:
        """Whether its manifest was written, and can be read."""
        return self.manifest(call) is not None

    def begin(self, call: CallKey) -> None:
        """Makes a recording's folder."""
        self._path(call).mkdir(mode=0o700, parents=True, exist_ok=True)

    def check_room(self, more_bytes: int) -> None:
        """SpoolFull when so many bytes more have no room."""
        if self.used_bytes + more_bytes > self._room.max_bytes:
            raise SpoolFull(f"the spool has {self.used_bytes} bytes")
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < self._room.min_free_bytes + more_bytes:
            raise SpoolFull("too little space is left on the disk")

    def room_bytes(self) -> int:
        """How much more would have room now; 0 or less: nothing."""
        free = 0
        with contextlib.suppress(OSError):
            disk = os.statvfs(self._folder)
            free = disk.f_bavail * disk.f_frsize - self._room.min_free_bytes
        return min(free, self._room.max_bytes - self.used_bytes)

    def add_segment(
        self, call: CallKey, request: recording_pb2.PutSegmentRequest, record: bytes
    ) -> None:
        """Keeps a segment and its place in the log: both or, with OSError, neither."""
        data = request.SerializeToString()
        self.check_room(len(data))
        path = self._path(call) / _segment_name(request)
        _write_whole(path, data)
        try:
            self.add_record(call, record)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        self.used_bytes += len(data)

    def add_record(self, call: CallKey, record: bytes) -> None:
        """Appends to a recording's log; OSError leaves it as it was."""
        path = self._path(call) / LOG
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(handle).st_size
            try:
                written = os.write(handle, record)
                if written < len(record):
                    raise SpoolFull("the disk took half a record")
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)

    def finish(self, call: CallKey) -> None:
        """Writes the manifest that follows from the log."""
        manifest = self.log_of(call).manifest()
        _write_whole(self._path(call) / MANIFEST, manifest.SerializeToString())

    def close_lost(self, call: CallKey, *, at_ms: int) -> None:
        """Finishes what a gateway left that died at that instant."""
        self._mend_log(call)
        for record in self.log_of(call).closing(at_ms=at_ms):
            self.add_record(call, record)
        self.finish(call)

    def note_lost(self, call: CallKey, record: bytes) -> None:
        """A segment of it will never be stored; its manifest says so, written already or not."""
        self.add_record(call, record)
        if self.is_finished(call):
            self.finish(call)

    def has_segments(self, call: CallKey) -> bool:
        """Whether any segment of it waits, readable or not."""
        return any(_is_segment(each.name) for each in os.scandir(self._path(call)))

    def waiting(self, call: CallKey, *, limit: int) -> list[Waiting]:
        """The recording's next segments, in their order.

        One that cannot be read, since the machine failed as it was written, is lost.
        """
        folder = self._path(call)
        if not folder.is_dir():
            return []
        found: list[Waiting] = []
        for name in sorted(each.name for each in os.scandir(folder) if _is_segment(each.name)):
            if len(found) == limit:
                break
            request = _read_segment(folder / name)
            if request is None:
                self._lose_segment(call, name)
            else:
                found.append(Waiting(name, request))
        return found

    def manifest(self, call: CallKey) -> recording_pb2.Manifest | None:
        """A finished recording's manifest; None while it goes on, or is gone, or cannot be read.

        The last is as if it had never been written: who takes over closes the recording again.
        """
        try:
            data = (self._path(call) / MANIFEST).read_bytes()
            found = recording_pb2.Manifest.FromString(data)
        except (FileNotFoundError, DecodeError):
            return None
        return found if found.call_id else None

    def forget(self, call: CallKey, names: Iterable[str]) -> None:
        """Segments that were handed over."""
        for name in names:
            path = self._path(call) / name
            self.used_bytes -= path.stat().st_size
            path.unlink()

    def remove(self, call: CallKey) -> None:
        """A recording that was handed over whole."""
        folder = self._path(call)
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # the tenant may have others
            folder.parent.rmdir()

    def set_aside(self, call: CallKey) -> None:
        """A manifest that will never be taken: kept for whoever looks into it, not for ever."""
        path = self._path(call) / MANIFEST
        path.replace(self._aside() / f"{quote(call.call_id, safe='')}.manifest")
        self.remove(call)

    def _lose_segment(self, call: CallKey, name: str) -> None:
        log.error("segment cannot be read", tenant=call.tenant_id, call=call.call_id, segment=name)
        track_id, _, number = name.removesuffix(SEGMENT_SUFFIX).rpartition(".")
        if number.isdecimal():
            self.note_lost(call, call_log.lost(track_id, int(number)))
        path = self._path(call) / name
        size = path.stat().st_size
        path.replace(self._aside() / f"{quote(call.call_id, safe='')}.{name}.unreadable")
        self.used_bytes -= size

    def _aside(self) -> Path:
        """Where one more file has room that nobody will take."""
        aside = self._folder / "refused"
        aside.mkdir(mode=0o700, exist_ok=True)
        kept = sorted(each.name for each in os.scandir(aside))
        for old in kept[: max(0, len(kept) - MAX_REFUSED + 1)]:
            (aside / old).unlink(missing_ok=True)
        return aside

    def _mend_log(self, call: CallKey) -> None:
        """Takes off what was cut short: after it nothing that is added could be read."""
        path = self._path(call) / LOG
        ends = [end for _, end in whole_records(path.read_bytes())]
        os.truncate(path, ends[-1] if ends else 0)

    def _calls(self) -> Iterator[CallKey]:
        for tenant in self._folder.iterdir():
            if tenant.name.startswith("t-") and tenant.is_dir():
                for call in tenant.iterdir():
                    yield CallKey(unquote(tenant.name[2:]), unquote(call.name[2:]))

    def _path(self, call: CallKey) -> Path:
        # A name from outside is no path: nothing in it may climb out of the folder.
        tenant, name = quote(call.tenant_id, safe=""), quote(call.call_id, safe="")
        return self._folder / f"t-{tenant}" / f"c-{name}"


def _is_segment(name: str) -> bool:
    return name.endswith(SEGMENT_SUFFIX)


def _segment_name(request: recording_pb2.PutSegmentRequest) -> str:
    return f"{request.track_id}.{request.number:08d}{SEGMENT_SUFFIX}"


def _read_segment(path: Path) -> recording_pb2.PutSegmentRequest | None:
    """What was written under that name; None when it is not whole."""
    try:
        request = recording_pb2.PutSegmentRequest.FromString(path.read_bytes())
    except DecodeError:
        return None
    return request if _segment_name(request) == path.name else None


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    try:
        temporary.write_bytes(data)
        temporary.chmod(0o600)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
