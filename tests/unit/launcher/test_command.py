"""What the launcher's commands say when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.launcher.command import CannotMigrate, migrate_database


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "postgresql://[::1"])
async def test_a_database_that_is_not_there_is_said_in_words(tmp_path: Path, url: str) -> None:
    with pytest.raises(CannotMigrate):
        await migrate_database(url, tmp_path / "database.json")
    assert not (tmp_path / "database.json").exists()
