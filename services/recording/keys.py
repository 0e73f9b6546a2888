"""The private keys of this service, and the opening of what was sealed for them."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from pathlib import Path

from services.chassis.durable import sync_folder
from services.chassis.key_file import read_pairs
from services.chassis.sealing import (
    KeyPair,
    SealedKey,
    generate_key_pair,
    open_segment,
    unseal_key,
)
from services.recording.model.errors import BadSegment, NoSuchSealingKey
from services.recording.segments import SealedSegment

MAX_OPEN_CALLS = 1_000
"""Calls whose keys are remembered unwrapped; unwrapping costs as much as opening a segment."""


class KeyRing:
    """Keys that segments may be sealed for; the last one is what gateways are given."""

    def __init__(self, pairs: list[KeyPair]) -> None:
        """At least one pair, oldest first."""
        self._pairs = {pair.key_id: pair for pair in pairs}
        self._present = pairs[-1]
        self._unwrapped: OrderedDict[tuple[str, SealedKey], bytes] = OrderedDict()

    @property
    def pairs(self) -> list[KeyPair]:
        """All of them, oldest first."""
        return list(self._pairs.values())

    @property
    def present(self) -> KeyPair:
        """What is sealed from now on is sealed for this pair."""
        return self._present

    def open(self, segment: SealedSegment) -> bytes:
        """The serialised cleartext, checked against its hash.

        Raises SealBroken, NoSuchSealingKey, or BadSegment when the hash is another's.
        """
        clear = open_segment(
            self._call_key(segment),
            segment.sealed,
            call_id=segment.call_id,
            track_id=segment.track_id,
            number=segment.number,
        )
        if hashlib.sha256(clear).hexdigest() != segment.sha256:
            raise BadSegment("it does not hash to what it says")
        return clear

    def _call_key(self, segment: SealedSegment) -> bytes:
        known = self._unwrapped.get((segment.call_id, segment.key))
        if known is not None:
            self._unwrapped.move_to_end((segment.call_id, segment.key))
            return known
        pair = self._pairs.get(segment.key.key_id)
        if pair is None:
            raise NoSuchSealingKey(f"no private key {segment.key.key_id[:40]}")
        key = unseal_key(segment.key, private_key=pair.private_key, call_id=segment.call_id)
        self._unwrapped[segment.call_id, segment.key] = key
        if len(self._unwrapped) > MAX_OPEN_CALLS:
            self._unwrapped.popitem(last=False)
        return key


def read_keys(path: Path) -> KeyRing:
    """The keys in a file: one private key per line in hex, the present one last.

    Raises KeyFileUnusable when it is not there, is wrong, or can be read by everybody.
    """
    return KeyRing(read_pairs(path, setting="CARILLON_RECORDING_KEY_FILE"))


def ensure_keys(path: Path) -> KeyRing:
    """The keys in a file, made with one new key when there is none yet."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _write_new(path, generate_key_pair())
    return read_keys(path)


def _write_new(path: Path, pair: KeyPair) -> None:
    """Writes it whole and durably; if another process was first, its key stays."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(pair.private_key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    sync_folder(path.parent)
