"""A TURN server (RFC 8656) as a child process, for tests: pion's, which Go builds in seconds.

Like coturn with `use-auth-secret` it knows a secret, and lets in whoever proves by it that portal
named them (services/portal/core/ice.py). It relays by UDP.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import struct
from pathlib import Path
from typing import ClassVar

from services.launcher.parts import golang
from services.launcher.parts.daemon import Daemon
from services.launcher.ports import LOOPBACK, free_port
from services.launcher.process import Child

NAME = "lt-cred-turn-rest"
VERSION = "v4.1.4"
MODULE = f"github.com/pion/turn/v4/examples/turn-server/{NAME}"
OLDEST_GO = (1, 24)
LOOK_TIMEOUT_S = 0.5
_MAGIC = 0x2112A442
_BINDING = 1


def ready() -> Path:
    """The program, built by Go where it is not there yet; PartMissing, PartFailed."""
    return golang.built(
        NAME,
        MODULE,
        VERSION,
        oldest_go=OLDEST_GO,
        wants="A TURN server tries the browsers' way through one.",
    )


class TurnServer(Daemon):
    """One server for this machine's browsers. Its sockets are open on all addresses."""

    ready_within_s: ClassVar[float] = 30.0

    def __init__(self, folder: Path, *, program: Path, secret: str = "") -> None:
        """`folder` is for its log; `program` is what `ready` gave; `secret` empty: one is made."""
        self.secret = secret or secrets.token_urlsafe(24)
        """What portal is told, too."""
        self.port = free_port()
        """Of UDP."""
        self.log = folder / "turn.log"
        """With a line for everybody whom it lets in."""
        self._folder = folder
        self._child = Child(
            name="turn",
            command=(
                str(program),
                f"-public-ip={LOOPBACK}",
                f"-port={self.port}",
                f"-authSecret={self.secret}",
                "-realm=carillon",
            ),
            env={"PATH": os.environ.get("PATH", "")},
            log=self.log,
            cwd=folder,
        )

    @property
    def child(self) -> Child:
        """Its process."""
        return self._child

    @property
    def url(self) -> str:
        """Where browsers find it."""
        return f"turn:{LOOPBACK}:{self.port}?transport=udp"

    def prepare(self) -> None:
        """Makes its folder."""
        self._folder.mkdir(parents=True, exist_ok=True)

    async def answers(self) -> bool:
        """Whether it says where a question came from (STUN, RFC 8489)."""
        return await asyncio.to_thread(self._answers)

    def _answers(self) -> bool:
        transaction = secrets.token_bytes(12)
        question = struct.pack("!HHI", _BINDING, 0, _MAGIC) + transaction
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(LOOK_TIMEOUT_S)
            try:
                asking.connect((LOOPBACK, self.port))
                asking.send(question)
                return asking.recv(1_500)[8:20] == transaction
            except OSError:
                return False
