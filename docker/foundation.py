"""A base like `python:3.12-slim-bookworm`, made on this machine where no registry is reachable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from docker.podman import ImagesNeed, Podman, PodmanFailed, tell

DEBIAN = "localhost/carillon/debian:bookworm-slim"
PYTHON = "localhost/carillon/python:3.12-slim-bookworm"
PACKAGES = (
    *("ca-certificates", "libbz2-1.0", "libcrypt1", "libexpat1", "libffi8", "liblzma5"),
    *("libncursesw6", "libreadline8", "libsqlite3-0", "libssl3", "libuuid1", "netbase"),
    *("tzdata", "zlib1g"),
)
"""What CPython's modules are linked with."""
NOT_NEEDED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")
CLEARED = ("var/cache/apt", "var/lib/apt/lists")
PATH = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
OLDEST = (3, 11)


def local_base(podman: Podman) -> str:
    """The name of a base made here: Debian's smallest system, with a Python; ImagesNeed."""
    if podman.has_image(PYTHON):
        return PYTHON
    python = relocatable_python()
    with tempfile.TemporaryDirectory(prefix="carillon-base-", dir=podman.folder) as folder:
        root = Path(folder) / "root"
        tell("Making a base of Debian's packages (a minute, once)")
        _bootstrap(root)
        _import(podman, root, DEBIAN, 'CMD ["bash"]')
        tell(f"Adding the Python at {python}")
        _add_python(python, root)
        _import(podman, root, PYTHON, 'CMD ["python3"]')
    return PYTHON


def relocatable_python() -> Path:
    """The folder of a CPython that works from another place, 3.12 before others; ImagesNeed.

    CARILLON_IMAGES_PYTHON names one. Debian's own is none: its files are spread over /usr.
    """
    named = os.environ.get("CARILLON_IMAGES_PYTHON")
    if named:
        candidates: Iterable[Path] = (Path(named),)
    else:
        versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
        candidates = (
            *sorted(versions.glob("3.12.*"), reverse=True),
            Path(sys.base_prefix),
            *sorted(versions.glob("3.1[134].*"), reverse=True),
        )
    for folder in candidates:
        if folder != Path("/usr") and _works_elsewhere(folder):
            return folder
    raise ImagesNeed(
        "no CPython was found that works from another folder: name one by CARILLON_IMAGES_PYTHON "
        "(pyenv and python-build-standalone make such), or a base image by CARILLON_BASE_IMAGE"
    )


def _works_elsewhere(folder: Path) -> bool:
    libraries = sorted(folder.glob("lib/python3.*/os.py"))
    program = folder / "bin" / "python3"
    if not libraries or not program.exists():
        return False
    version = tuple(int(part) for part in libraries[-1].parent.name[6:].split("."))
    return version >= OLDEST


def _bootstrap(root: Path) -> None:
    packages = f"--include={','.join(PACKAGES)}"
    done = subprocess.run(  # noqa: S603 (debootstrap, with words of ours)
        ["debootstrap", "--variant=minbase", packages, "bookworm", str(root)],  # noqa: S607 (found by make_ready)
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ImagesNeed(
            "debootstrap could not fetch Debian's packages; it takes a mirror of Debian's, or name "
            f"a base image by CARILLON_BASE_IMAGE\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}"
        )
    for place in (*NOT_NEEDED, *CLEARED):
        for each in (root / place).iterdir() if (root / place).is_dir() else ():
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()


def _add_python(python: Path, root: Path) -> None:
    """Copies it to /usr/local as the public image has it, without what only building needs."""
    target = root / "usr" / "local"
    left_out = shutil.ignore_patterns(
        "site-packages",
        "test",
        "tests",
        "__pycache__",
        "*.a",
        "idlelib",
        "tkinter",
        "turtledemo",
        "_tkinter*",
        "config-3*",
    )
    libraries = max(python.glob("lib/python3.*/os.py")).parent
    shutil.copytree(libraries, target / "lib" / libraries.name, symlinks=True, ignore=left_out)
    (target / "lib" / libraries.name / "site-packages").mkdir()
    for shared in python.glob("lib/libpython3*.so*"):
        shutil.copy2(shared, target / "lib" / shared.name, follow_symlinks=False)
    name = libraries.name
    shutil.copy2((python / "bin" / name).resolve(), target / "bin" / name)
    for link in ("python3", "python"):
        (target / "bin" / link).symlink_to(name)
    for command in (["ldconfig"], ["/usr/local/bin/python3", "-m", "ensurepip"]):
        subprocess.run(  # noqa: S603 (of the folder that was just made)
            ["chroot", str(root), *command],  # noqa: S607 (coreutils')
            env={"PATH": PATH.partition("=")[2], "LC_ALL": "C.UTF-8"},
            capture_output=True,
            check=True,
        )


def _import(podman: Podman, root: Path, name: str, command: str) -> None:
    pack = subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)  # noqa: S603, S607 (ours)
    done = subprocess.run(  # noqa: S603 (podman, with words of ours)
        ["podman", "import", "-q", "--change", f"ENV {PATH}", "--change", command, "-", name],  # noqa: S607 (found on PATH)
        env=podman.env,
        stdin=pack.stdout,
        capture_output=True,
        text=True,
        check=False,
    )
    if pack.wait() != 0 or done.returncode != 0:
        raise PodmanFailed(f"podman import {name}: {done.stderr}")
