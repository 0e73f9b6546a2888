"""`make images`: builds Carillon's images, and says what they take.

CARILLON_BASE_IMAGE names the base, for example docker.io/library/python:3.12-slim-bookworm; without
it one is made on this machine. CARILLON_REGISTRIES names a file with the way to registries of one's
own (docker/outside.sh).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from docker.foundation import local_base
from docker.podman import Podman, make_ready, tell
from docker.supply import ROOT
from services.chassis.errors import CarillonError

TARGETS = ("services", "gateway", "edge")
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT")


def version() -> str:
    """Carillon's, as pyproject.toml says it."""
    said: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return said


def name_of(target: str) -> str:
    """An image's name in the store of this machine."""
    return f"localhost/carillon/{target}:{version()}"


def build(podman: Podman, target: str, *, base: str) -> None:
    """Builds one image, telling on this terminal what it does; PodmanFailed."""
    tell(f"Building {name_of(target)}")
    podman.shown(
        "build",
        "--quiet",
        "--format=docker",  # OCI's has no health check
        "--layers",
        "--network=host",
        f"--file={ROOT / 'docker' / 'Dockerfile'}",
        f"--target={target}",
        f"--tag={name_of(target)}",
        f"--build-arg=BASE={base}",
        f"--build-arg=VERSION={version()}",
        f"--build-arg=REVISION={_revision()}",
        *_secrets(),
        str(ROOT),
    )


def _secrets() -> list[str]:
    """The way to registries, where it is not the public one."""
    found = []
    certificates = next((os.environ[name] for name in CERTIFICATES if os.environ.get(name)), None)
    if certificates and Path(certificates).is_file():
        found.append(f"--secret=id=certificates,src={certificates}")
    registries = os.environ.get("CARILLON_REGISTRIES")
    if registries:
        found.append(f"--secret=id=registries,src={registries}")
    return found


def _revision() -> str:
    done = subprocess.run(  # noqa: S603 (git, with words of ours)
        ["git", "-C", str(ROOT), "rev-parse", "HEAD"],  # noqa: S607 (found on PATH)
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds all, or those named."""
    wanted = tuple(sys.argv[1:] if arguments is None else arguments) or TARGETS
    try:
        make_ready()
        podman = Podman()
        base = os.environ.get("CARILLON_BASE_IMAGE") or local_base(podman)
        for target in wanted:
            build(podman, target, base=base)
        under = podman.size_mb(base)
        for target in wanted:
            size = podman.size_mb(name_of(target))
            tell(f"{name_of(target)}: {size:.0f} MB, {size - under:.0f} MB of it above its base")
    except CarillonError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
