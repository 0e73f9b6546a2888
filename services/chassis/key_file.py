"""Private keys in a file: one per line in hex, the present one last."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind
from services.chassis.sealing import KeyPair, key_pair_of

MAX_KEYS = 100


class KeyFileUnusable(CarillonError):
    """The file with the private keys cannot be read, or others can read it."""

    code: ClassVar[str] = "key-file-unusable"
    kind: ClassVar[Kind] = Kind.PRECONDITION


def read_pairs(path: Path, *, setting: str) -> list[KeyPair]:
    """The pairs in a file that a setting names, at least one, the present one last.

    Raises KeyFileUnusable when it is not there, is wrong, or can be read by everybody.
    """
    try:
        return _pairs(path)
    except KeyFileUnusable as error:
        raise KeyFileUnusable(f"{error}; set {setting}") from None


def _pairs(path: Path) -> list[KeyPair]:
    try:
        if path.stat().st_mode & 0o007:
            raise KeyFileUnusable(f"{path} can be read by others: chmod 600")
        lines = path.read_text(encoding="ascii").split()
        pairs = [key_pair_of(bytes.fromhex(line)) for line in lines]
    except (OSError, ValueError) as error:
        raise KeyFileUnusable(f"{path}: {error}") from None
    if not 0 < len(pairs) <= MAX_KEYS:
        raise KeyFileUnusable(f"{path} has {len(pairs)} keys, needs 1 to {MAX_KEYS}")
    return pairs
