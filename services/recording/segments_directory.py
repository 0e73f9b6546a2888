"""Sealed segments as files: one folder per call, one per track in it.

Names come from outside, so each is escaped and prefixed before it becomes part of a path.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from services.chassis import durable
from services.chassis.ids import CallId, TenantId
from services.recording.model.errors import (
    RecordingDiskFull,
    SegmentDamaged,
    SegmentsUnavailable,
)
from services.recording.segments import SegmentPlace

SUMMARY = "recording.json"
_FULL = {errno.ENOSPC, errno.EDQUOT}


class DirectorySegments:
    """Segments below a folder; what is written is synced before it is acknowledged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, place: SegmentPlace, data: bytes) -> None:
        """See `SegmentFiles.put`."""
        await asyncio.to_thread(_write, self.path(place), data)

    async def get(self, place: SegmentPlace) -> bytes:
        """See `SegmentFiles.get`."""
        data = await asyncio.to_thread(_read, self.path(place))
        if data is None:
            raise SegmentDamaged(f"{place.name} is gone")
        return data

    async def close_call(self, tenant_id: TenantId, call_id: CallId, summary: bytes) -> None:
        """See `SegmentFiles.close_call`."""
        path = self.call_folder(tenant_id, call_id) / SUMMARY
        await asyncio.to_thread(_write, path, summary)

    async def summary(self, tenant_id: TenantId, call_id: CallId) -> bytes | None:
        """See `SegmentFiles.summary`."""
        return await asyncio.to_thread(_read, self.call_folder(tenant_id, call_id) / SUMMARY)

    def tenants(self) -> list[TenantId]:
        """Whose segments are here."""
        names = (path.name for path in self._folder.glob("_*"))
        return [TenantId(unquote(name[1:])) for name in sorted(names)]

    def call_folder(self, tenant_id: TenantId, call_id: CallId) -> Path:
        """Where everything of a call is; 256 folders of a tenant's share its calls."""
        return self._folder / _safe(tenant_id) / _safe(call_id[-2:]) / _safe(call_id)

    def path(self, place: SegmentPlace) -> Path:
        """The file of a segment."""
        folder = self.call_folder(place.tenant_id, place.call_id) / _safe(place.track_id)
        return folder / f"{place.number:06d}.{place.sha256}.sealed"


def _safe(name: str) -> str:
    """A name as one part of a path: never empty, `.` or `..`, never with a slash in it."""
    return "_" + quote(name[:128], safe="+")


def _read(path: Path) -> bytes | None:
    with _named():
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def _write(path: Path, data: bytes) -> None:
    with _named():
        durable.replace(path, data)


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise RecordingDiskFull(f"{error.strerror}: {error.filename or 'segments'}") from None
        raise SegmentsUnavailable(str(error)) from error
