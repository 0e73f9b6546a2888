from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from services.launcher.parts import __main__ as parts
from services.launcher.parts import cache
from services.launcher.parts.daemon import PartMissing


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "carillon" / "parts"


def make(folder: Path) -> None:
    (folder / "made").write_text("once")
    with (folder.parent / "times").open("a") as times:
        times.write("x")


def ask(_: int) -> str:
    return str(cache.kept("thing", "1.2", make, how_long="no time"))


def test_a_part_is_made_once_and_found_afterwards(home: Path) -> None:
    first = cache.kept("thing", "1.2", make, how_long="no time")
    assert first == home / "thing-1.2"
    assert (first / "made").read_text() == "once"
    assert cache.kept("thing", "1.2", make, how_long="no time") == first
    assert (home / "times").read_text() == "x"


def test_another_version_is_another_part(home: Path) -> None:
    cache.kept("thing", "1.2", make, how_long="no time")
    assert cache.kept("thing", "1.3", make, how_long="no time") == home / "thing-1.3"


def test_what_fails_leaves_nothing_and_is_tried_again(home: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise PartMissing("no network")

    with pytest.raises(PartMissing):
        cache.kept("thing", "1.2", fail, how_long="no time")
    assert [path.name for path in home.iterdir()] == ["thing-1.2.lock"]
    assert (cache.kept("thing", "1.2", make, how_long="no time") / "made").exists()


def test_processes_that_ask_at_once_make_it_once(home: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        asked = pool.map(ask, range(4))
    assert asked == [str(home / "thing-1.2")] * 4
    assert (home / "times").read_text() == "x"


def test_a_part_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert parts.main(["zookeeper"]) == 2
    assert "no part zookeeper; there are" in capsys.readouterr().err


def test_a_missing_part_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> Path:
        raise PartMissing("Install it.")

    monkeypatch.setitem(parts.PARTS, "gone", missing)
    assert parts.main(["gone"]) == 1
    assert capsys.readouterr().err == "Install it.\n"
