"""Programs that Go builds from their source, at one version."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from services.launcher.parts import building, cache
from services.launcher.parts.daemon import PartMissing


def built(name: str, package: str, version: str, *, oldest_go: tuple[int, int], wants: str) -> Path:
    """The program of a Go package, built when it is not there yet: some minutes, once.

    `name` is what the program is called, `wants` a sentence on who wants it, for whoever has no Go.
    PartMissing, PartFailed. It blocks: ask in a thread.
    """

    def build(into: Path) -> None:
        go = shutil.which("go")
        if go is None or _version_of(go) < oldest_go:
            oldest = ".".join(map(str, oldest_go))
            raise PartMissing(f"{wants} It is built by Go {oldest} or newer, which is not here.")
        command = (go, "install", "-trimpath", "-ldflags=-s -w", f"{package}@{version}")
        building.build(command, what=f"{name} {version}", cwd=into, env={"GOBIN": str(into)})

    return cache.kept(name, version, build, how_long="4 minutes") / name


def _version_of(go: str) -> tuple[int, ...]:
    told = subprocess.run(  # noqa: S603 (the program that PATH names)
        (go, "env", "GOVERSION"), capture_output=True, text=True, check=False
    ).stdout
    match = re.match(r"go(\d+)\.(\d+)", told)
    return tuple(int(each) for each in match.groups()) if match else (0,)
