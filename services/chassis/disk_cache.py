"""Bytes that can be had again, kept on this disk so that they need not be: a bounded folder.

Each is kept under the hash of what it stands for, which never means anything else later. A file
begins with the SHA-256 of the rest: what a crash or a bad disk left is thrown away when it is read.
When there is too much, what was read longest ago goes first. All of it blocks: ask in a thread.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from services.chassis.log import get_logger
from services.chassis.metrics import Reading

log = get_logger("storage")

MIN_FREE_BYTES = 512 * 1024 * 1024
"""Nothing is kept on a disk with less room: what cannot be had again needs it."""
LARGEST_SHARE = 8
"""Nothing is kept that would take more than this part of the folder: one eighth."""
LEFTOVER_S = 60.0
"""A file half written so long ago has nobody who writes it."""
_CHECKSUM_BYTES = hashlib.sha256().digest_size
_KEY = re.compile(r"[0-9a-f]{64}")


class DiskCache:
    """One process's folder; another one that uses the same may take files away, and no more."""

    def __init__(
        self, folder: Path, *, max_bytes: int, min_free_bytes: int = MIN_FREE_BYTES
    ) -> None:
        """`max_bytes` of files together; the folder is made when something is kept."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self._sizes: OrderedDict[str, int] | None = None
        self._bytes = 0
        self._reads = {"hit": 0, "miss": 0, "damaged": 0}
        self._told = False
        self._turn = threading.Lock()

    def read(self, key: str) -> bytes | None:
        """What is kept under a key, whole; None: nothing."""
        with self._turn:
            sizes = self._known()
            path = self._folder / _checked(key)
            try:
                stored = path.read_bytes()
                os.utime(path)  # so that the order is known after a restart
            except OSError:
                self._forget(key)
                self._reads["miss"] += 1
                return None
            checksum, data = stored[:_CHECKSUM_BYTES], stored[_CHECKSUM_BYTES:]
            if hashlib.sha256(data).digest() != checksum:
                log.warning("cached file is damaged", file=key)
                self._remove(key)
                self._reads["damaged"] += 1
                return None
            self._note(key, len(stored))
            sizes.move_to_end(key)
            self._reads["hit"] += 1
            return data

    def keep(self, key: str, data: bytes) -> None:
        """Keeps bytes if there is room for them; a disk that fails is told once."""
        size = len(data) + _CHECKSUM_BYTES
        if size * LARGEST_SHARE > self._max_bytes:
            return
        with self._turn:
            sizes = self._known()
            try:
                self._write(_checked(key), hashlib.sha256(data).digest() + data)
            except OSError as error:
                if not self._told:
                    log.warning("nothing is cached on this disk", reason=str(error))
                self._told = True
                return
            self._note(key, size)
            sizes.move_to_end(key)
            while self._bytes > self._max_bytes:
                self._remove(next(iter(sizes)))

    def drop(self, key: str) -> None:
        """Forgets what turned out to be wrong."""
        with self._turn:
            self._known()
            self._remove(_checked(key))

    def readings(self) -> Iterator[Reading]:
        """The values now."""
        text = "Blobs that were looked for on this disk first, by what was found."
        for outcome, count in self._reads.items():
            labels = (("outcome", outcome),)
            yield Reading("carillon_storage_cache_reads_total", text, count, labels, kind="counter")
        yield Reading(
            "carillon_storage_cache_bytes", "Of blobs that are kept on this disk.", self._bytes
        )

    def _known(self) -> OrderedDict[str, int]:
        """Sizes by key, what was read longest ago first, an earlier process's files included."""
        if self._sizes is None:
            self._sizes = OrderedDict()
            for _, key, size in sorted(self._found()):
                self._note(key, size)
        return self._sizes

    def _found(self) -> Iterator[tuple[float, str, int]]:
        if not self._folder.is_dir():
            return
        for entry in os.scandir(self._folder):
            try:
                status = entry.stat(follow_symlinks=False)
                if _KEY.fullmatch(entry.name):
                    yield status.st_mtime, entry.name, status.st_size
                elif time.time() - status.st_mtime > LEFTOVER_S:
                    Path(entry.path).unlink(missing_ok=True)
            except OSError:
                continue  # gone meanwhile, or nobody's that we know

    def _write(self, key: str, stored: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self._folder).free < self._min_free_bytes + len(stored):
            raise OSError(errno.ENOSPC, "the little room that is left is others'", self._folder)
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(stored)
            # Not synced: the checksum tells what a loss of power leaves.
            Path(temporary).replace(self._folder / key)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _note(self, key: str, size: int) -> None:
        self._forget(key)
        assert self._sizes is not None
        self._sizes[key] = size
        self._bytes += size

    def _forget(self, key: str) -> None:
        assert self._sizes is not None
        self._bytes -= self._sizes.pop(key, 0)

    def _remove(self, key: str) -> None:
        self._forget(key)
        try:
            (self._folder / key).unlink(missing_ok=True)
        except OSError as error:
            log.warning("cached file cannot be removed", file=key, reason=str(error))


def _checked(key: str) -> str:
    """The key, if it is a hash; ValueError: the program is at fault."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key[:80]!r} is no SHA-256")
    return key
