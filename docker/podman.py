"""Podman with a store and settings of its own: what the machine keeps for others is not touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind

DEBIAN = (
    *("podman", "buildah", "runc", "catatonit", "netavark", "aardvark-dns", "iptables"),
    *("debootstrap", "iproute2"),
)
"""Debian's packages with everything that building and running images takes."""
PROGRAMS = ("podman", "buildah", "runc", "debootstrap", "iptables", "ip", "unshare")
BROUGHT = ("/usr/lib/podman/netavark", "/usr/lib/podman/aardvark-dns")
FILES = 20_000


class ImagesNeed(CarillonError):
    """Something that building images takes is missing; the text says what to do."""

    code: ClassVar[str] = "images-need"
    kind: ClassVar[Kind] = Kind.INVALID


class PodmanFailed(CarillonError):
    """A command of podman's failed; the text has what it said."""

    code: ClassVar[str] = "podman-failed"
    kind: ClassVar[Kind] = Kind.INTERNAL


def cache() -> Path:
    """Where bases and images are kept between runs: a folder of this user's."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "carillon" / "images"


def make_ready() -> None:
    """Sees that all programs are there; installs Debian's packages when it may; ImagesNeed."""
    if os.geteuid() != 0:
        raise ImagesNeed("building images takes root here: sudo make images")
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    missing += [path for path in BROUGHT if not Path(path).exists()]
    if not missing:
        return
    command = f"apt-get install --no-install-recommends {' '.join(DEBIAN)}"
    if shutil.which("apt-get") is None:
        raise ImagesNeed(f"{', '.join(missing)} missing; on Debian: {command}")
    tell(f"Installing {' '.join(DEBIAN)}")
    for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *DEBIAN]):
        done = subprocess.run(  # noqa: S603 (Debian's own, with words of ours)
            ["apt-get", *step],  # noqa: S607 (the same)
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise ImagesNeed(f"installing failed; run: apt-get update && {command}\n{done.stderr}")


def tell(line: str) -> None:
    """A line of progress."""
    sys.stderr.write(f"[+] {line}\n")
    sys.stderr.flush()


class Podman:
    """Podman on a store of Carillon's own, in whichever network namespace this process is in."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` keeps images, and the settings that podman is given."""
        self.folder = (folder or cache()).absolute()
        """What it keeps."""
        self._env = self._configured()

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        limit_s: float | None = None,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """What a command says; `env` is added to its environment. PodmanFailed."""
        try:
            done = subprocess.run(  # noqa: S603 (podman, with words of ours)
                ["podman", *arguments],  # noqa: S607 (found on PATH by make_ready)
                env={**self._env, **(env or {})},
                input=stdin,
                capture_output=True,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PodmanFailed(f"podman {_short(arguments)} took longer than {limit_s} s") from None
        if done.returncode != 0:
            said = (done.stderr + done.stdout).decode(errors="replace").strip()
            raise PodmanFailed(f"podman {_short(arguments)}: {said[-4_000:]}")
        return done.stdout.decode(errors="replace").strip()

    def shown(self, *arguments: str) -> None:
        """The same, with what it says on this terminal as it comes."""
        done = subprocess.run(["podman", *arguments], env=self._env, check=False)  # noqa: S603, S607 (the same)
        if done.returncode != 0:
            raise PodmanFailed(f"podman {_short(arguments)} failed; it said why above")

    def logs(self, container: str, *, lines: int) -> str:
        """The end of what a container said, on both of its streams."""
        done = subprocess.run(  # noqa: S603 (podman, with words of ours)
            ["podman", "logs", f"--tail={lines}", container],  # noqa: S607 (the same)
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.stdout.decode(errors="replace").strip()

    def has_image(self, name: str) -> bool:
        """Whether the store has it."""
        try:
            self.run("image", "exists", name)
        except PodmanFailed:
            return False
        return True

    def size_mb(self, name: str) -> float:
        """What an image takes unpacked, with its base, in MB of 10^6."""
        return int(self.run("image", "inspect", "--format", "{{.Size}}", name)) / 1e6

    @property
    def env(self) -> Mapping[str, str]:
        """What a process that starts podman by itself needs."""
        return self._env

    def _configured(self) -> dict[str, str]:
        """Writes settings that work without cgroups v2 and without the right to raise limits."""
        settings = self.folder / "settings"
        networks = settings / "networks"
        networks.mkdir(parents=True, exist_ok=True)
        (settings / "containers.conf").write_text(
            "[containers]\n"
            f'default_ulimits = ["nofile={FILES}:{FILES}", "nproc={FILES}:{FILES}"]\n'
            "[engine]\n"
            'runtime = "runc"\n'
            'cgroup_manager = "cgroupfs"\n'
            'events_logger = "file"\n'
            "[network]\n"
            'network_backend = "netavark"\n'
            f'network_config_dir = "{networks}"\n'
        )
        (settings / "storage.conf").write_text(
            "[storage]\n"
            'driver = "overlay"\n'
            f'graphroot = "{self.folder / "store"}"\n'
            f'runroot = "/run/carillon-images-{os.getuid()}"\n'
        )
        return {
            **os.environ,
            "CONTAINERS_CONF": str(settings / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(settings / "storage.conf"),
            # Health is asked when somebody asks for it: there need not be a systemd.
            "DISABLE_HC_SYSTEMD": "true",
        }


def _short(arguments: Sequence[str]) -> str:
    return " ".join(arguments[:3])
