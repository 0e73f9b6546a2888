from __future__ import annotations

import json
import os
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.chassis.world import local_world
from tests.unit.chassis.echo import over_socket


@pytest.fixture
def var_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run folders that a test makes are made under its own temporary folder."""
    made = tmp_path / "tmp"
    made.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(made))
    return tmp_path / "var"


def test_the_run_folder_is_private_and_recorded(var_dir: Path) -> None:
    world = local_world(var_dir=var_dir)
    assert world.run_dir.stat().st_mode & 0o777 == 0o700
    assert json.loads((var_dir / "run.json").read_text()) == {"run_dir": str(world.run_dir)}
    assert local_world(var_dir=var_dir).run_dir == world.run_dir


def test_two_installations_do_not_share_a_run_folder(var_dir: Path) -> None:
    assert local_world(var_dir=var_dir).run_dir != local_world(var_dir=var_dir / "other").run_dir


def test_a_given_run_folder_is_made_private(var_dir: Path, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir(mode=0o755)
    assert local_world(var_dir=var_dir, run_dir=given).run_dir == given
    assert given.stat().st_mode & 0o777 == 0o700
    assert not (var_dir / "run.json").exists()


def opened(folder: Path) -> None:
    folder.chmod(0o755)


def removed(folder: Path) -> None:
    folder.rmdir()


def replaced_by_file(folder: Path) -> None:
    folder.rmdir()
    folder.touch(mode=0o700)


def replaced_by_link(folder: Path) -> None:
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


@pytest.mark.parametrize("change", [opened, removed, replaced_by_file, replaced_by_link])
def test_a_recorded_folder_that_is_not_as_we_left_it_is_not_believed(
    var_dir: Path, change: Callable[[Path], None]
) -> None:
    before = local_world(var_dir=var_dir).run_dir
    change(before)
    after = local_world(var_dir=var_dir).run_dir
    assert after != before
    assert after.stat().st_mode & 0o777 == 0o700
    assert local_world(var_dir=var_dir).run_dir == after


def test_somebody_elses_folder_is_not_believed(
    var_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = local_world(var_dir=var_dir).run_dir
    somebody = before.stat().st_uid + 1
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: somebody)
        after = local_world(var_dir=var_dir).run_dir
    assert after != before


@pytest.mark.parametrize("record", ["", "{", "[]", "null", '{"run_dir": 7}', '{"other": "x"}'])
def test_a_damaged_record_is_replaced(var_dir: Path, record: str) -> None:
    var_dir.mkdir()
    (var_dir / "run.json").write_text(record)
    made = local_world(var_dir=var_dir).run_dir
    assert local_world(var_dir=var_dir).run_dir == made


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns so often that they meet in the middle of things."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_who_starts_together_finds_one_folder(var_dir: Path, hurried: None) -> None:
    together = threading.Barrier(8)

    def begin(installation: int) -> Path:
        together.wait()
        return local_world(var_dir=var_dir / str(installation)).run_dir

    with ThreadPoolExecutor(8) as pool:
        for installation in range(10):
            found = [pool.submit(begin, installation) for _ in range(8)]
            assert len({each.result() for each in found}) == 1


async def test_a_dialled_channel_is_kept_until_the_world_closes(
    var_dir: Path, run_dir: Path
) -> None:
    world = local_world(var_dir=var_dir, run_dir=run_dir)
    async with over_socket(run_dir):
        channel = world.dial("echo")
        assert world.dial("echo") is channel
        await channel.channel_ready()
        await world.close()
        assert world.dial("echo") is not channel
        await world.close()


def test_ids_are_new_and_sort_by_time(var_dir: Path) -> None:
    world = local_world(var_dir=var_dir)
    made = [world.new_id() for _ in range(100)]
    assert len(set(made)) == 100
    assert {uuid.UUID(each).version for each in made} == {7}
    assert [each[:13] for each in made] == sorted(each[:13] for each in made)


async def test_blobs_live_in_the_installations_data(var_dir: Path) -> None:
    world = local_world(var_dir=var_dir)
    key = await world.blobs.put(b"kept")
    assert (var_dir / "blobs" / key[:2] / key).read_bytes() == b"kept"
    assert world.name == "local"
