"""Flows as files of one directory: for one machine, and safe against being killed at any moment.

A version is a file that is written once; what changes is replaced by a rename. Names come from
outside, so each is escaped and prefixed before it becomes part of a path.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from services.chassis.ids import TenantId
from services.ivr.store import (
    MAX_VERSIONS,
    NoSuchFlow,
    NoSuchNumber,
    NumberTaken,
    Route,
    StoreDamaged,
    StoredFlow,
    StoredNumber,
    TooManyVersions,
    told,
)

T = TypeVar("T")
_PUBLISHED = "published.json"


class DirectoryFlowStore:
    """Flows, numbers and the prompt index below a folder that one process writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writing = asyncio.Lock()

    async def put_flow(
        self, tenant_id: TenantId, flow_id: str, definition_json: str, now_ms: int
    ) -> StoredFlow:
        """See `FlowStore.put_flow`."""

        def put() -> StoredFlow:
            folder = self._flow_folder(tenant_id, flow_id)
            newest = max(_versions(folder), default=0)
            if newest:
                known = self._flow(tenant_id, flow_id, newest)
                if known.definition_json == definition_json:
                    return known
            if newest >= MAX_VERSIONS:
                raise TooManyVersions(flow_id)
            path = folder / f"{newest + 1}.json"
            _write(path, {"created_at_ms": now_ms, "definition_json": definition_json})
            return self._flow(tenant_id, flow_id, newest + 1)

        return await self._change(put)

    async def publish_flow(self, tenant_id: TenantId, flow_id: str, version: int) -> StoredFlow:
        """See `FlowStore.publish_flow`."""

        def publish() -> StoredFlow:
            folder = self._flow_folder(tenant_id, flow_id)
            flow = self._flow(tenant_id, flow_id, version or max(_versions(folder), default=0))
            _write(folder / _PUBLISHED, {"version": flow.version})
            return replace(flow, published=True)

        return await self._change(publish)

    async def get_flow(self, tenant_id: TenantId, flow_id: str, version: int) -> StoredFlow:
        """See `FlowStore.get_flow`."""

        def get() -> StoredFlow:
            wanted = version or self._published(tenant_id, flow_id)
            if not wanted:
                raise NoSuchFlow(told(flow_id, version))
            return self._flow(tenant_id, flow_id, wanted)

        return await asyncio.to_thread(get)

    async def newest_flow(self, tenant_id: TenantId, flow_id: str) -> StoredFlow:
        """See `FlowStore.newest_flow`."""

        def newest() -> StoredFlow:
            versions = _versions(self._flow_folder(tenant_id, flow_id))
            return self._flow(tenant_id, flow_id, max(versions, default=0))

        return await asyncio.to_thread(newest)

    async def list_flows(self, tenant_id: TenantId, after: str, size: int) -> list[StoredFlow]:
        """See `FlowStore.list_flows`."""
        ids = await asyncio.to_thread(
            lambda: sorted(_names(self._tenant_folder(tenant_id) / "flows"))
        )
        wanted = [flow_id for flow_id in ids if flow_id > after][:size]
        return [
            replace(await self.newest_flow(tenant_id, flow_id), definition_json="")
            for flow_id in wanted
        ]

    async def put_number(self, tenant_id: TenantId, number: StoredNumber) -> StoredNumber:
        """See `FlowStore.put_number`."""
        await self.get_flow(tenant_id, number.flow_id, 0)

        def put() -> StoredNumber:
            path = self._number_path(number.trunk, number.number)
            known = _read(path)
            if known is not None and known["tenant_id"] != tenant_id:
                raise NumberTaken(f"{number.number} on {number.trunk}")
            _write(path, {"tenant_id": tenant_id, "flow_id": number.flow_id})
            return number

        return await self._change(put)

    async def remove_number(self, tenant_id: TenantId, trunk: str, number: str) -> None:
        """See `FlowStore.remove_number`."""

        def remove() -> None:
            path = self._number_path(trunk, number)
            known = _read(path)
            if known is None or known["tenant_id"] != tenant_id:
                raise NoSuchNumber(f"{number} on {trunk}")
            path.unlink()
            _sync(path.parent)

        await self._change(remove)

    async def list_numbers(
        self, tenant_id: TenantId, after: tuple[str, str], size: int
    ) -> list[StoredNumber]:
        """See `FlowStore.list_numbers`."""

        def all_of_tenant() -> list[StoredNumber]:
            numbers = []
            for trunk in _names(self._folder / "numbers"):
                for name in _names(self._folder / "numbers" / _safe(trunk)):
                    known = _read(self._number_path(trunk, name))
                    if known is not None and known["tenant_id"] == tenant_id:
                        numbers.append(StoredNumber(name, trunk, known["flow_id"]))
            return sorted(numbers, key=lambda row: (row.number, row.trunk))

        rows = await asyncio.to_thread(all_of_tenant)
        return [row for row in rows if (row.number, row.trunk) > after][:size]

    async def resolve_number(self, trunk: str, number: str) -> Route:
        """See `FlowStore.resolve_number`."""
        known = await asyncio.to_thread(_read, self._number_path(trunk, number))
        if known is None:
            raise NoSuchNumber(f"{number} on {trunk}")
        return Route(TenantId(known["tenant_id"]), known["flow_id"])

    async def prompt(self, key: str) -> str:
        """See `FlowStore.prompt`."""
        known = await asyncio.to_thread(_read, self._prompt_path(key))
        return "" if known is None else str(known["sha256"])

    async def keep_prompt(self, key: str, sha256: str) -> None:
        """See `FlowStore.keep_prompt`."""
        await asyncio.to_thread(_write, self._prompt_path(key), {"sha256": sha256})

    async def _change(self, change: Callable[[], T]) -> T:
        async with self._writing:
            return await asyncio.to_thread(change)

    def _flow(self, tenant_id: TenantId, flow_id: str, version: int) -> StoredFlow:
        known = _read(self._flow_folder(tenant_id, flow_id) / f"{version}.json")
        if known is None:
            raise NoSuchFlow(told(flow_id, version) if version else flow_id)
        return StoredFlow(
            flow_id=flow_id,
            version=version,
            definition_json=known["definition_json"],
            created_at_ms=known["created_at_ms"],
            published=self._published(tenant_id, flow_id) == version,
        )

    def _published(self, tenant_id: TenantId, flow_id: str) -> int:
        known = _read(self._flow_folder(tenant_id, flow_id) / _PUBLISHED)
        return 0 if known is None else int(known["version"])

    def _tenant_folder(self, tenant_id: TenantId) -> Path:
        return self._folder / "tenants" / _safe(tenant_id)

    def _flow_folder(self, tenant_id: TenantId, flow_id: str) -> Path:
        return self._tenant_folder(tenant_id) / "flows" / _safe(flow_id)

    def _number_path(self, trunk: str, number: str) -> Path:
        return self._folder / "numbers" / _safe(trunk) / _safe(number)

    def _prompt_path(self, key: str) -> Path:
        return self._folder / "prompts" / _safe(key[:2]) / _safe(key)


def _safe(name: str) -> str:
    """A name as one part of a path: never empty, `.` or `..`, never with a slash in it."""
    return "-" + quote(name[:128], safe="+")


def _names(folder: Path) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            if path.name.startswith("-"):
                yield unquote(path.name[1:])


def _versions(folder: Path) -> Iterator[int]:
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            if path.stem.isdecimal():
                yield int(path.stem)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        raise StoreDamaged(f"{path}: {error}") from error
    if isinstance(value, dict):
        return value
    raise StoreDamaged(f"{path} holds no object")


def _write(path: Path, value: dict[str, Any]) -> None:
    """Replaces a file whole: a reader, or a reader after a crash, sees the old or the new one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
