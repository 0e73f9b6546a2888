"""A cache on a disk: bounded, whole or nothing, there again after a restart."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.disk_cache import DiskCache

KiB = 1024
CHECKSUM_BYTES = 32


def key_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


A, B, C = key_of("a"), key_of("b"), key_of("c")


def cache_in(folder: Path, *, max_bytes: int = 64 * KiB, min_free_bytes: int = 0) -> DiskCache:
    return DiskCache(folder / "cache", max_bytes=max_bytes, min_free_bytes=min_free_bytes)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in (folder / "cache").iterdir()}


def told(cache: DiskCache) -> dict[str, float]:
    return {
        "_".join(
            (each.name.removeprefix("carillon_storage_cache_"), *dict(each.labels).values())
        ): (each.value)
        for each in cache.readings()
    }


def test_what_is_kept_is_read_again_and_nothing_else(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    assert cache.read(A) is None
    cache.keep(A, b"hello")
    assert cache.read(A) == b"hello"
    assert cache.read(B) is None
    cache.drop(A)
    assert cache.read(A) is None
    assert told(cache) == {
        "reads_total_hit": 1,
        "reads_total_miss": 3,
        "reads_total_damaged": 0,
        "bytes": 0,
    }


def test_it_is_there_after_a_restart_and_for_this_user_alone(tmp_path: Path) -> None:
    cache_in(tmp_path).keep(A, b"hello")
    again = cache_in(tmp_path)
    assert again.read(A) == b"hello"
    assert told(again)["bytes"] == CHECKSUM_BYTES + 5
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "cache" / A).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damaged", [b"", b"short", bytes(CHECKSUM_BYTES) + b"other"])
def test_a_damaged_file_is_nothing_and_goes(tmp_path: Path, damaged: bytes) -> None:
    cache = cache_in(tmp_path)
    cache.keep(A, b"hello")
    (tmp_path / "cache" / A).write_bytes(damaged)
    assert cache.read(A) is None
    assert files_in(tmp_path) == set()
    assert told(cache)["reads_total_damaged"] == 1
    cache.keep(A, b"hello")
    assert cache.read(A) == b"hello"


def test_what_was_read_longest_ago_goes_first_also_after_a_restart(tmp_path: Path) -> None:
    cache = cache_in(tmp_path, max_bytes=8 * KiB)
    keys = [key_of(str(number)) for number in range(8)]
    for second, key in enumerate(keys):
        cache.keep(key, bytes(KiB - CHECKSUM_BYTES))
        os.utime(tmp_path / "cache" / key, (second, second))
    cache.read(keys[0])
    again = cache_in(tmp_path, max_bytes=8 * KiB)
    again.keep(A, bytes(KiB - CHECKSUM_BYTES))
    assert files_in(tmp_path) == {A, *keys} - {keys[1]}


def test_what_would_take_too_much_of_it_is_not_kept(tmp_path: Path) -> None:
    cache = cache_in(tmp_path, max_bytes=8 * KiB)
    cache.keep(A, bytes(KiB - CHECKSUM_BYTES + 1))
    assert cache.read(A) is None
    assert not (tmp_path / "cache").exists()


def test_a_full_disk_or_a_folder_that_cannot_be_made_fails_nobody(tmp_path: Path) -> None:
    full = cache_in(tmp_path, min_free_bytes=1 << 60)
    full.keep(A, b"hello")
    assert full.read(A) is None
    assert files_in(tmp_path) == set()
    (tmp_path / "file").write_text("")
    nowhere = cache_in(tmp_path / "file")
    nowhere.keep(A, b"hello")
    assert nowhere.read(A) is None


def test_what_another_process_took_away_is_nothing(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    cache.keep(A, b"hello")
    (tmp_path / "cache" / A).unlink()
    assert cache.read(A) is None
    assert told(cache)["bytes"] == 0


def test_leftovers_of_a_crash_are_removed_and_strangers_left_out(tmp_path: Path) -> None:
    cache_in(tmp_path).keep(A, b"hello")
    left = tmp_path / "cache" / ".half"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    fresh = tmp_path / "cache" / ".being-written"
    fresh.write_bytes(b"by another")
    assert cache_in(tmp_path).read(A) == b"hello"
    assert files_in(tmp_path) == {A, fresh.name}


@pytest.mark.parametrize("key", ["", "../etc/passwd", "A" * 64, "0" * 63 + "\n"])
def test_only_hashes_are_keys(tmp_path: Path, key: str) -> None:
    cache = cache_in(tmp_path)
    for ask in (cache.read, cache.drop, lambda key: cache.keep(key, b"")):
        with pytest.raises(ValueError, match="no SHA-256"):
            ask(key)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["keep", "read", "drop", "restart"]),
            st.integers(0, 11),
            st.integers(0, 2 * KiB),
        ),
        max_size=60,
    )
)
def test_it_never_takes_more_than_it_may_and_never_lies(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    cache, kept = cache_in(folder, max_bytes=8 * KiB), dict[str, bytes]()
    for what, number, size in steps:
        key = key_of(str(number))
        match what:
            case "keep":
                kept[key] = bytes([number]) * size
                cache.keep(key, kept[key])
            case "read":
                assert cache.read(key) in (None, kept.get(key))
            case "drop":
                cache.drop(key)
                assert cache.read(key) is None
            case _:
                cache = cache_in(folder, max_bytes=8 * KiB)
        if (folder / "cache").exists():
            files = list((folder / "cache").iterdir())
            assert sum(path.stat().st_size for path in files) <= 8 * KiB
