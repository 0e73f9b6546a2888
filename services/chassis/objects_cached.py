"""Objects of another store that never change, as far as they are on this disk."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.chassis.disk_cache import DiskCache
from services.chassis.objects import Objects


@dataclass(frozen=True, slots=True)
class CachedObjects:
    """Reads through a cache, as they are stored: what is sealed there is sealed here, too.

    The last part of a name is a SHA-256 that says what the object is. Only `get` asks the cache:
    whether an object is in the store, the store alone can say.
    """

    inner: Objects
    """Where they are."""
    cache: DiskCache
    """Where those that were read are, as well."""

    async def put(self, name: str, data: bytes) -> None:
        """See `Objects.put`."""
        await self.inner.put(name, data)

    async def get(self, name: str) -> bytes:
        """See `Objects.get`."""
        key = key_of(name)
        kept = await asyncio.to_thread(self.cache.read, key)
        if kept is None:
            kept = await self.inner.get(name)
            await asyncio.to_thread(self.cache.keep, key, kept)
        return kept

    async def has(self, name: str) -> bool:
        """See `Objects.has`."""
        return await self.inner.has(name)

    async def drop(self, name: str) -> None:
        """Forgets what turned out not to be what its name says."""
        await asyncio.to_thread(self.cache.drop, key_of(name))


def key_of(name: str) -> str:
    """What an object with such a name is cached under."""
    return name.rpartition("/")[2]
