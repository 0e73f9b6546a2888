"""Sealed segments as objects: one folder per call, one per track in it.

The names are the same in a directory and in a bucket, so that a copy of a bucket can be read, and
verified, as a directory. Names come from outside, so each is escaped and prefixed before it becomes
part of an object's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from services.chassis.ids import CallId, TenantId
from services.chassis.objects import (
    DirectoryObjects,
    NoSuchObject,
    Objects,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
)
from services.chassis.sealing import SealBroken
from services.recording.model.errors import (
    RecordingDiskFull,
    SegmentDamaged,
    SegmentsUnavailable,
)
from services.recording.segments import SegmentPlace

SUMMARY = "recording.json"


class StoredSegments:
    """Segments in a store of objects."""

    def __init__(self, objects: Objects, *, summaries: Objects | None = None) -> None:
        """`summaries`: the same store, where what closes a call is sealed on its way there.

        It tells who spoke with whom; segments come sealed.
        """
        self._objects = objects
        self._summaries = summaries or objects

    async def put(self, place: SegmentPlace, data: bytes) -> None:
        """See `SegmentFiles.put`."""
        with _named():
            await self._objects.put(segment_name(place), data)

    async def get(self, place: SegmentPlace) -> bytes:
        """See `SegmentFiles.get`."""
        try:
            with _named():
                return await self._objects.get(segment_name(place))
        except NoSuchObject:
            raise SegmentDamaged(f"{place.name} is gone") from None

    async def close_call(self, tenant_id: TenantId, call_id: CallId, summary: bytes) -> None:
        """See `SegmentFiles.close_call`."""
        with _named():
            await self._summaries.put(summary_name(tenant_id, call_id), summary)

    async def summary(self, tenant_id: TenantId, call_id: CallId) -> bytes | None:
        """See `SegmentFiles.summary`."""
        try:
            with _named():
                return await self._summaries.get(summary_name(tenant_id, call_id))
        except NoSuchObject:
            return None
        except SealBroken as error:
            raise SegmentDamaged(f"{SUMMARY} cannot be opened: {error}") from None


class DirectorySegments(StoredSegments):
    """Segments below a folder; what is written is synced before it is acknowledged."""

    def __init__(self, folder: Path) -> None:
        self._files = DirectoryObjects(folder)
        super().__init__(self._files)
        self._folder = folder

    def tenants(self) -> list[TenantId]:
        """Whose segments are here."""
        names = (path.name for path in self._folder.glob("_*"))
        return [TenantId(unquote(name[1:])) for name in sorted(names)]

    def call_folder(self, tenant_id: TenantId, call_id: CallId) -> Path:
        """Where everything of a call is."""
        return self._files.path(_call(tenant_id, call_id))

    def path(self, place: SegmentPlace) -> Path:
        """The file of a segment."""
        return self._files.path(segment_name(place))


def segment_name(place: SegmentPlace) -> str:
    """The name of a segment."""
    folder = f"{_call(place.tenant_id, place.call_id)}/{_safe(place.track_id)}"
    return f"{folder}/{place.number:06d}.{place.sha256}.sealed"


def summary_name(tenant_id: TenantId, call_id: CallId) -> str:
    """The name of what closes a call."""
    return f"{_call(tenant_id, call_id)}/{SUMMARY}"


def _call(tenant_id: TenantId, call_id: CallId) -> str:
    """256 folders of a tenant's share its calls."""
    return f"{_safe(tenant_id)}/{_safe(call_id[-2:])}/{_safe(call_id)}"


def _safe(name: str) -> str:
    """A name as one part of an object's: never empty, `.` or `..`, never with a slash in it."""
    return "_" + quote(name[:128], safe="+")


@contextmanager
def _named() -> Iterator[None]:
    """Storage that is full or away, as gateways know it: they keep what they have, and ask again.

    A refusal is an outage, too: what is recorded meanwhile is kept until the storage is mended.
    """
    try:
        yield
    except StorageFull as error:
        raise RecordingDiskFull(str(error)) from None
    except (StorageUnavailable, StorageRefused) as error:
        raise SegmentsUnavailable(str(error)) from error
