"""Where all replicas keep segments in one place, they need the same keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.chassis.key_file import KeyFileUnusable
from services.chassis.objects import MemoryObjects
from services.chassis.world import World, local_world
from services.recording.main import USE, build
from tests.stage.s3 import write_key


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[World]:
    """A world with storage for all replicas, and without a database."""
    kept = {USE: MemoryObjects()}
    world = local_world(var_dir=tmp_path / "var", run_dir=tmp_path / "run")
    yield replace(world, database=lambda _: None, objects=kept.__getitem__)
    await world.close()


async def test_a_replica_makes_no_key_of_its_own(shared: World) -> None:
    with pytest.raises(KeyFileUnusable, match="set CARILLON_RECORDING_KEY_FILE"):
        await build(shared).start()
    assert not (shared.var_dir / "recording").exists()


async def test_a_replica_takes_the_keys_that_it_is_given(
    shared: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARILLON_RECORDING_KEY_FILE", str(write_key(tmp_path / "keys")))
    service = build(shared)
    await service.start()
    assert service.faces()
    await service.stop()
    assert not (shared.var_dir / "recording").exists()
