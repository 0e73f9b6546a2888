"""What the launcher's commands say."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.launcher.command import CannotMigrate, migrate_database, plain_console, say
from services.launcher.folder import Running
from services.launcher.seed import Seeded


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "postgresql://[::1"])
async def test_a_database_that_is_not_there_is_said_in_words(tmp_path: Path, url: str) -> None:
    with pytest.raises(CannotMigrate):
        await migrate_database(url, tmp_path / "database.json")
    assert not (tmp_path / "database.json").exists()


async def test_a_folder_without_a_services_password_is_said_in_words(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    with pytest.raises(CannotMigrate, match="the password of acd"):
        await migrate_database(url, tmp_path / "database.json", tmp_path)
    (tmp_path / "acd").write_text("\n")
    with pytest.raises(CannotMigrate, match="acd is empty"):
        await migrate_database(url, tmp_path / "database.json", tmp_path)


def test_what_is_up_is_said_to_the_letter(capsys: pytest.CaptureFixture[str]) -> None:
    """Terminals know pictures by names, `:ab:` and `:cd:` among them, and markup in brackets."""
    running = Running(
        portal="https://192.0.2.7:8443",
        grpc="192.0.2.7:8081",
        sip="192.0.2.7:5060",
        seeded=Seeded(tenant="demo", number="+12025550100", passwords={"anna": "-_x"}),
        fingerprint="12:AB:34:CD:56",
    )
    say(plain_console(), running, Path("here/[bold]/var"))
    said = capsys.readouterr().out
    assert "\n12:AB:34:CD:56\n" in said
    assert "here/[bold]/var/bootstrap.json" in said
