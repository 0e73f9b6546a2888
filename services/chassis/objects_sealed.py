"""Objects that only those can read who have the private keys.

The same sealing as that of recorded segments (`sealing`): each object has a random key of its own,
which is wrapped for the present key pair; both are bound to the object's name. What is stored is
one line of JSON with the wrapped key, and after the line's end the sealed bytes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.objects import Objects, limited
from services.chassis.sealing import (
    KeyPair,
    SealBroken,
    SealedKey,
    generate_key,
    open_object,
    seal_key,
    seal_object,
    unseal_key,
)


@dataclass(frozen=True, slots=True)
class SealedObjects:
    """Objects of another store, sealed on their way there. `get` raises SealBroken, too."""

    inner: Objects
    """Where the sealed bytes are."""
    pairs: Sequence[KeyPair]
    """What they may be sealed for; what is written from now on is sealed for the last."""

    async def put(self, name: str, data: bytes) -> None:
        """See `Objects.put`."""
        sealed = await asyncio.to_thread(seal, limited(data), name=name, pair=self.pairs[-1])
        await self.inner.put(name, sealed)

    async def get(self, name: str) -> bytes:
        """See `Objects.get`; SealBroken when it was changed, or is another's."""
        stored = await self.inner.get(name)
        return await asyncio.to_thread(unseal, stored, name=name, pairs=self.pairs)

    async def has(self, name: str) -> bool:
        """See `Objects.has`."""
        return await self.inner.has(name)


def seal(data: bytes, *, name: str, pair: KeyPair) -> bytes:
    """The bytes as they are stored."""
    key = generate_key()
    wrapped = seal_key(key, public_key=pair.public_key, call_id=name)
    line = json.dumps(
        {
            "key_id": wrapped.key_id,
            "ephemeral_public_key": wrapped.ephemeral_public_key.hex(),
            "wrapped_key": wrapped.wrapped.hex(),
        }
    )
    return line.encode() + b"\n" + seal_object(key, data, name=name)


def is_sealed(stored: bytes) -> bool:
    """Whether it begins as what `seal` gives does."""
    return stored.startswith(b'{"key_id": ')


def unseal(stored: bytes, *, name: str, pairs: Sequence[KeyPair]) -> bytes:
    """What `seal` was given; SealBroken."""
    line, _, sealed = stored.partition(b"\n")
    try:
        head = json.loads(line)
        wrapped = SealedKey(
            key_id=head["key_id"],
            ephemeral_public_key=bytes.fromhex(head["ephemeral_public_key"]),
            wrapped=bytes.fromhex(head["wrapped_key"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SealBroken(f"{name}: it is not sealed: {error}") from None
    for pair in pairs:
        if pair.key_id == wrapped.key_id:
            key = unseal_key(wrapped, private_key=pair.private_key, call_id=name)
            return open_object(key, sealed, name=name)
    raise SealBroken(f"{name}: there is no private key {str(wrapped.key_id)[:40]}")
