from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import pytest

from services.launcher.parts import __main__ as parts
from services.launcher.parts import building, cache, golang, minio
from services.launcher.parts.daemon import PartFailed, PartMissing


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


def test_a_build_that_fails_shows_the_end_of_what_it_said(tmp_path: Path) -> None:
    script = "import sys; print('x' * 9000 + 'the end'); sys.exit(3)"
    with pytest.raises(PartFailed, match=r"building a thing failed:\nx{4000,4096}the end") as told:
        building.build((sys.executable, "-c", script), what="a thing", cwd=tmp_path)
    assert len(str(told.value)) < 5_000


def test_a_build_that_takes_long_is_told_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(building, "TOLD_EACH_S", 0.05)
    monkeypatch.setattr(building, "LIMIT_S", 0.1)
    with pytest.raises(PartFailed, match="did not end within"):
        building.build(("sleep", "60"), what="a thing", cwd=tmp_path)
    assert "still building a thing" in capsys.readouterr().err


def test_go_gets_what_it_is_told_and_the_program_is_kept(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _go(tmp_path, monkeypatch, 'echo "$@" > "$GOBIN/thing"')
    program = golang.built("thing", "example.org/thing", "v1", oldest_go=(1, 24), wants="We do.")
    assert program == home / "thing-v1" / "thing"
    assert program.read_text() == "install -trimpath -ldflags=-s -w example.org/thing@v1\n"


@pytest.mark.parametrize("version", ["go1.19.8", "devel", None])
def test_without_a_go_that_is_new_enough_it_is_told_who_wants_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    if version:
        _go(tmp_path, monkeypatch, "exit 1", version=version)
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PartMissing, match=r"We want it. It is built by Go 1.24 or newer"):
        golang.built("thing", "example.org/thing", "v1", oldest_go=(1, 24), wants="We want it.")


def test_a_minio_that_is_named_is_taken_if_it_is_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "minio"
    monkeypatch.setenv("CARILLON_MINIO", str(program))
    with pytest.raises(PartMissing, match=f"CARILLON_MINIO names {program}"):
        minio.ready()
    program.touch(mode=0o700)
    assert minio.ready() == program


def _go(
    folder: Path, monkeypatch: pytest.MonkeyPatch, install: str, *, version: str = "go1.24.1"
) -> None:
    """A Go that does what it is told to, before all others on PATH."""
    program = folder / "bin" / "go"
    program.parent.mkdir()
    script = f'#!/bin/sh\n[ "$1" = env ] && {{ echo {version}; exit; }}\n{install}\n'
    program.write_text(script)
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
