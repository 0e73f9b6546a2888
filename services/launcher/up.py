"""`make up`: a whole call centre on this machine, kept running until Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from grpc import aio

from services.launcher.certificates import Files, certify
from services.launcher.database import OwnDatabase
from services.launcher.folder import POSTGRES, Folder, Running
from services.launcher.keeping import Keeper
from services.launcher.machine import GATEWAY, Layout, Machine
from services.launcher.network import Lan
from services.launcher.ports import LOOPBACK, free_port, is_free
from services.launcher.process import Program

DATABASE = "carillon"
USUAL = {"sip": 5060, "http": 8080, "grpc": 8081}
NAMES_OF = {"sip": "SIP", "http": "The portal", "grpc": "gRPC"}
WEBRTC_ADDRESSES = "CARILLON_GATEWAY_WEBRTC_ADDRESSES"
OUTBOUND_PROXY, DIAL_ALLOW = "CARILLON_GATEWAY_OUTBOUND_PROXY", "CARILLON_GATEWAY_DIAL_ALLOW"
OUTSIDE = f"{LOOPBACK}:5070"
"""Where calls to numbers outside go: whoever wants to take them starts a SIP phone there."""
FICTIONAL = ("+120255501*",)
"""Numbers that nobody has: North America keeps 555-01xx for stories."""


class Up:
    """An installation with its database, from start to stop."""

    def __init__(
        self,
        *,
        var: Path,
        services: tuple[str, ...],
        tell: Callable[[str], None],
        usual_ports: bool = True,
        from_nothing: bool = False,
        lan: Lan | None = None,
    ) -> None:
        """`tell` takes one line of progress at a time; `usual_ports`: 5060, 8080, 8081 if free.

        `from_nothing`: what an earlier run kept is removed. `lan`: browsers of that network may
        come, by HTTPS; else those of this machine only.
        """
        self._folder = Folder(var)
        self.var = self._folder.path
        """The installation's folder."""
        self._services = services
        self._tell = tell
        self._usual = usual_ports
        self._from_nothing = from_nothing
        self._lan = lan
        self._certified: Files | None = None
        self._stack = AsyncExitStack()
        self._keeper = Keeper(tell)
        self.machine: Machine | None = None
        """Its processes, once started."""

    @property
    def programs(self) -> Mapping[str, Program]:
        """Carillon's own processes, by name."""
        assert self.machine is not None
        return self.machine.programs

    def gateways(self) -> list[aio.Channel]:
        """The ways to the gateways."""
        assert self.machine is not None
        return [self.machine.channel(GATEWAY)]

    async def start(self) -> Running:
        """Starts everything, and seeds the demo tenant the first time; a named error says why not.

        Ports in use are said and replaced. What a killed predecessor left is ended first.
        """
        await self._folder.take(self._stack, from_nothing=self._from_nothing, tell=self._tell)
        postgres = OwnDatabase(self.var / POSTGRES)
        self._tell("Starting PostgreSQL")
        self._stack.push_async_callback(postgres.stop)
        await postgres.start()
        address = await postgres.database(DATABASE)
        address.write(self.var / "database.json")
        if self._lan is not None:
            self._certified = await asyncio.to_thread(
                certify, self.var / "tls", host=self._lan.host, names=self._lan.names
            )
        ports = self._ports()
        self.machine = Machine(
            Layout(
                var=self.var,
                groups={"services": self._services},
                sip_port=ports["sip"],
                http_port=ports["http"],
                grpc_port=ports["grpc"],
                env={"CARILLON_DRAIN_TIMEOUT_S": "5", **self._network_env()},
                gateway_env={
                    "CARILLON_GATEWAY_DRAIN_LIMIT_S": "5",
                    **self._media_env(),
                    **outside_env(os.environ),
                },
            )
        )
        self._stack.push_async_callback(self.machine.stop)
        self._tell(f"Starting services ({', '.join(self._services)}) and media gateway")
        await asyncio.gather(*(self.machine.start(name) for name in self.machine.programs))
        running = await self._seeded()
        self._folder.remember(running, asked_ports=ports)
        for name, program in self.machine.programs.items():
            self._keeper.keep(name, ended=program.ended, start=partial(self.machine.start, name))
        self._keeper.keep("PostgreSQL", ended=postgres.ended, start=postgres.start)
        return running

    async def stop(self) -> None:
        """Drains and stops everything; what is in the database stays."""
        await self._keeper.close()
        await self._stack.aclose()
        if self.machine is not None:
            # Sockets that nobody listens on any more; the next start makes a folder anew.
            shutil.rmtree(self.machine.run_dir, ignore_errors=True)

    def _network_env(self) -> dict[str, str]:
        """Browsers of the network, too: what programs ask by gRPC has no TLS, and stays here."""
        if self._lan is None or self._certified is None:
            return {}
        return {
            "CARILLON_PORTAL_HTTP_BIND": ",".join(self._hosts),
            "CARILLON_PORTAL_TLS_CERT": str(self._certified.certificate),
            "CARILLON_PORTAL_TLS_KEY": str(self._certified.key),
            "CARILLON_PORTAL_TLS_CA": str(self._certified.authority),
        }

    def _media_env(self) -> dict[str, str]:
        """Their audio comes to the same address, unless others were named."""
        if self._lan is None or WEBRTC_ADDRESSES in os.environ:
            return {}
        return {WEBRTC_ADDRESSES: json.dumps([self._lan.address, LOOPBACK])}

    @property
    def _hosts(self) -> tuple[str, ...]:
        """The addresses that browsers reach the portal at."""
        own = (self._lan.address,) if self._lan else ()
        return tuple(dict.fromkeys((LOOPBACK, *own)))

    def _ports(self) -> dict[str, int]:
        if not self._usual:
            return {**dict.fromkeys(USUAL, 0), "http": free_port(self._hosts)}
        ports = {}
        for name, usual in USUAL.items():
            hosts = self._hosts if name == "http" else (LOOPBACK,)
            ports[name] = usual if is_free(usual, hosts) else free_port(hosts)
            if ports[name] != usual:
                self._tell(f"Port {usual} is in use: {NAMES_OF[name]} is at {ports[name]} instead.")
        return ports

    async def _seeded(self) -> Running:
        assert self.machine is not None
        told = self.machine.told("portal")
        certified = self._certified
        scheme = "https" if certified else "http"
        shown = self._lan.address if self._lan else LOOPBACK
        return Running(
            portal=f"{scheme}://{shown}:{told['http']}",
            grpc=f"{LOOPBACK}:{told['grpc']}",
            sip=f"{LOOPBACK}:{self.machine.sip_port}",
            seeded=await self._folder.seeded(
                f"{scheme}://{LOOPBACK}:{told['http']}",
                authority=certified.authority if certified else None,
                tell=self._tell,
            ),
            fingerprint=certified.fingerprint if certified else "",
        )


def outside_env(given: Mapping[str, str]) -> dict[str, str]:
    """Lets fictional numbers be dialled, at this machine alone, where nothing else was set."""
    if OUTBOUND_PROXY in given or DIAL_ALLOW in given:
        return {}
    return {OUTBOUND_PROXY: OUTSIDE, DIAL_ALLOW: json.dumps(FICTIONAL)}


async def until_stopped() -> None:
    """Until SIGINT (Ctrl-C) or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
