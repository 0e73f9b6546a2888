"""The tree as the house's rules see it."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("acd", "ivr", "recording", "crm", "analytics", "portal")
PURE_ROOMS = (
    "services/acd/core",
    "services/acd/model",
    "services/ivr/core",
    "services/ivr/model",
    "services/recording/core",
    "services/recording/model",
    "services/crm/core",
    "services/crm/model.py",
    "services/analytics/core",
    "services/analytics/model",
    "services/portal/core",
    "services/portal/model",
    "services/chassis/core.py",
    "services/chassis/errors.py",
    "services/chassis/ids.py",
    "services/chassis/trace.py",
    "media-gateway/media_gateway/core",
    "media-gateway/media_gateway/model.py",
    "media-gateway/media_gateway/sip",
    "media-gateway/media_gateway/webrtc/sdp.py",
    "media-gateway/media_gateway/webrtc/sdp_answer.py",
)


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is or would be in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def is_generated(path: Path) -> bool:
    return "_pb2" in path.name


def written_python() -> list[Path]:
    """The Python that people write."""
    return [path for path in tracked() if path.suffix == ".py" and not is_generated(path)]


def pure_files() -> list[Path]:
    """Every file of the pure rooms."""
    rooms = [ROOT / room for room in PURE_ROOMS]
    return [
        path
        for path in written_python()
        if any(path == room or room in path.parents for room in rooms)
    ]
