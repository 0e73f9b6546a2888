"""Where programs that are not ours are kept once they were downloaded or built: for each user."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from services.chassis import durable


def cache_folder() -> Path:
    """Of this user; `$XDG_CACHE_HOME` (XDG Base Directory Specification) or `~/.cache`."""
    said = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(said) if said else Path.home() / ".cache") / "carillon" / "parts"


def kept(name: str, version: str, make: Callable[[Path], None], *, how_long: str) -> Path:
    """The folder of one version of a part, made by `make` when it is not there yet.

    `make` fills an empty folder; what it raises leaves nothing behind. When two processes ask at
    once, one makes it and the other waits. `how_long` tells whoever waits, for example "10 s".
    It blocks: ask in a thread.
    """
    folder = cache_folder() / f"{name}-{version}"
    if folder.is_dir():
        return folder
    durable.make_folder(folder.parent)
    with _turn(folder.with_name(f"{folder.name}.lock")):
        if folder.is_dir():
            return folder
        sys.stderr.write(f"[+] Installing {name} {version} (once, about {how_long})\n")
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{name}-"))
        try:
            make(unfinished)
            unfinished.chmod(0o755)
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return folder


@contextmanager
def _turn(lock: Path) -> Iterator[None]:
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
