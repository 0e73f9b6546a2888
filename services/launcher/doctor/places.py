"""Where an installation is: found in its folder, and in what was named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from services.chassis.database import DatabaseAddress, NoDatabase
from services.chassis.rpc import open_channel
from services.launcher.doctor.keeping import PostgresBacklog
from services.launcher.doctor.model import Limits, Place

GATEWAY = "gateway"
KEPT = "doctor.json"
"""Only its owner can read it: there are passwords in it."""


def in_folder(var: Path, names: Sequence[str], stack: AsyncExitStack) -> Place:
    """An installation of this machine; the stack closes what is opened to look at it."""
    run = _read(var / "run.json")
    run_dir = Path(str(run.get("run_dir", var)))
    processes = (*names, GATEWAY) if run else ()
    channels = {name: open_channel(run_dir / f"{name}.sock") for name in processes}
    for channel in channels.values():
        stack.push_async_callback(channel.close)
    try:
        database = DatabaseAddress.read(var / "database.json")
    except NoDatabase:
        database = None
    portal = _read(run_dir / "portal.json")
    tls = [f"127.0.0.1:{portal['http']}"] if portal.get("scheme") == "https" else []
    files = (var / "tls" / "ca.crt",)
    return Place(
        sip=str(_read(run_dir / "gateway.json").get("sip", run.get("sip", ""))),
        number=str(run.get("number", "")),
        services=channels,
        database=database,
        backlog=PostgresBacklog(database) if database else None,
        tls=tuple(tls),
        certificates=tuple(path for path in files if path.exists()),
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """What `make cluster` keeps for a doctor in its folder; nothing of all else."""

    env: Mapping[str, str]
    """The settings of one of its processes."""
    metrics: tuple[str, ...] = ()
    """`host:port` of those that show metrics."""
    sip: str = ""
    """`host:port` of the edge."""
    number: str = ""
    """The demo tenant's."""

    def over(self, place: Place) -> Place:
        """The place with what is kept."""
        return replace(
            place,
            sip=self.sip or place.sip,
            number=self.number or place.number,
            metrics=(*place.metrics, *(f"http://{each}" for each in self.metrics)),
        )


def kept(var: Path) -> Kept:
    """What is kept in a folder; nothing, where that is not a cluster's."""
    said, run = _read(var / KEPT), _read(var / "run.json")
    if not said:
        return Kept({})
    return Kept(
        env=said["env"],
        metrics=tuple(said["metrics"]),
        sip=str(run.get("sip", "")),
        number=str(run.get("number", "")),
    )


@dataclass(frozen=True, slots=True)
class Named:
    """What whoever asks has named; it counts more than what is found."""

    sip: str = ""
    """`host:port`; empty: as found."""
    number: str = ""
    """Of the probe call; empty: as found."""
    metrics: tuple[str, ...] = ()
    """`host:port` of processes that show metrics."""
    tls: tuple[str, ...] = ()
    """`host:port` of what is served by TLS, beside what is found."""
    certificates: tuple[Path, ...] = ()
    """Files, beside those that are found."""
    limits: Limits = field(default_factory=Limits)
    """From where on something is wrong."""

    def over(self, place: Place) -> Place:
        """The place with what was named."""
        return replace(
            place,
            sip=self.sip or place.sip,
            number=self.number or place.number,
            metrics=(
                *place.metrics,
                *(f"http://{urlsplit(_url(each)).netloc}" for each in self.metrics),
            ),
            tls=(*place.tls, *self.tls),
            certificates=(*place.certificates, *self.certificates),
            limits=self.limits,
        )


def _url(address: str) -> str:
    return address if "://" in address else f"http://{address}"


def _read(path: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return said
