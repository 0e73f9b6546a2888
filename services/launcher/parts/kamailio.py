"""Kamailio as Carillon's SIP edge, on this machine."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from services.launcher.parts.daemon import Daemon, PartMissing
from services.launcher.ports import LOOPBACK
from services.launcher.process import ROOT, Child

RUN = ROOT / "media-gateway" / "kamailio" / "run"
ANSWER_WITHIN_S = 0.5
TRUNKS_GROUP = 1
"""Of the addresses in Kamailio's list."""


class Kamailio(Daemon):
    """The edge with the committed configuration; gateways' announcements are another program's."""

    ready_within_s: ClassVar[float] = 30.0

    def __init__(
        self,
        *,
        folder: Path,
        port: int,
        host: str = LOOPBACK,
        trunks: Mapping[str, str] | None = None,
        flood: int = 1_000_000,
        workers: int = 2,
        memory_mb: int = 1_024,
    ) -> None:
        """`folder` holds the gateways' list and the socket that feeds it.

        `trunks`: names by numeric address. `flood`: requests that another address may send in two
        seconds; as good as any number, because on one machine all have one address.
        """
        self.folder = folder
        """What the feeding program is told, too."""
        self.host = host
        """Where SIP is received."""
        self.port = port
        """By UDP and TCP."""
        self._trunks = dict(trunks or {})
        self.environment: Mapping[str, str] = {
            "CARILLON_EDGE_HOST": host,
            "CARILLON_EDGE_PORT": str(port),
            "CARILLON_EDGE_DIR": str(folder),
            "CARILLON_EDGE_FLOOD": str(flood),
            "CARILLON_EDGE_WORKERS": str(workers),
            "CARILLON_EDGE_MEMORY_MB": str(memory_mb),
        }
        """What the feeding program (`python -m media_gateway.edge`) is told, too."""
        self._child = Child(
            name="Kamailio",
            command=(str(RUN),),
            env={"PATH": search_path(), **self.environment},
            log=folder / "kamailio.log",
        )

    @property
    def child(self) -> Child:
        """Its process."""
        return self._child

    def prepare(self) -> None:
        """Writes the trunks; PartMissing says what to install."""
        find_kamailio()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = (f"{TRUNKS_GROUP} {host} 32 0 {name}\n" for host, name in self._trunks.items())
        (self.folder / "trunks.list").write_text("".join(lines))

    async def answers(self) -> bool:
        """Whether OPTIONS is answered, be it that no gateway is there yet."""
        loop = asyncio.get_running_loop()
        asked = _Question(loop.create_future())
        transport, _ = await loop.create_datagram_endpoint(
            lambda: asked, remote_addr=(self.host, self.port)
        )
        try:
            own = transport.get_extra_info("sockname")
            transport.sendto(_options(own[0], own[1], f"{self.host}:{self.port}"))
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return (await asked.answer).startswith(b"SIP/2.0 ")
        except (TimeoutError, OSError):
            return False
        finally:
            transport.close()


class _Question(asyncio.DatagramProtocol):
    def __init__(self, answer: asyncio.Future[bytes]) -> None:
        self.answer = answer

    def datagram_received(self, data: bytes, _addr: tuple[str | int, ...]) -> None:
        if not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


def find_kamailio() -> Path:
    """Kamailio on PATH; PartMissing says what to install."""
    found = shutil.which("kamailio", path=search_path())
    if found is None:
        raise PartMissing(
            "Kamailio is not installed: apt-get install kamailio kamailio-tls-modules"
        )
    return Path(found)


def search_path() -> str:
    """Debian keeps servers where only an administrator looks."""
    return os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def _options(host: str, port: int, edge: str) -> bytes:
    token = secrets.token_hex(8)
    return (
        f"OPTIONS sip:{edge} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{token};rport\r\n"
        "Max-Forwards: 1\r\n"
        f"From: <sip:ready@{host}:{port}>;tag={token}\r\n"
        f"To: <sip:{edge}>\r\n"
        f"Call-ID: {token}\r\n"
        "CSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
