"""For the tests that run images: podman, and a folder for what runs beside them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from docker.images import TARGETS, name_of
from docker.podman import Podman


@pytest.fixture(scope="module")
def podman() -> Podman:
    podman = Podman()
    missing = [target for target in TARGETS if not podman.has_image(name_of(target))]
    assert not missing, f"no image of {', '.join(missing)}: run make images"
    return podman


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    # Short, for the sockets' sake; and reachable for the database's user.
    folder = Path(tempfile.mkdtemp(prefix="ci-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
