"""docker/compose.yaml as it stands, with this machine's programs in place of images not ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docker.images import name_of
from docker.podman import Podman
from services.chassis.tls import DOMAIN, ServiceTLS
from services.launcher.folder import Running
from tests.deploy.compose import compose, image_of
from tests.stage.contained import Contained
from tests.stage.containers import HARDENED

GRPC, METRICS = 7000, 9464
ONCE = ("secrets", "migrations", "bucket")
GATEWAYS = ("gateway-1", "gateway-2")
EDGES = ("edge", "kamailio")
"""The second has the first in its network: it goes last."""


class Composed(Contained):
    """An installation for the demo's call: everything of Carillon's runs as the file says."""

    def __init__(self, var: Path, podman: Podman, tell: Callable[[str], None]) -> None:
        """`var` is for the parts that run beside the containers."""
        said = compose()
        self._services: dict[str, dict[str, Any]] = said["services"]
        (self._network,) = said["networks"]["inside"]["ipam"]["config"]
        host = self._network["subnet"].replace(".0/24", ".1")
        super().__init__(var, podman, tell, host=host)

    @property
    def replicas(self) -> list[str]:
        """Carillon's own that go on running."""
        ours = (name for name, said in self._services.items() if image_of(said))
        return [name for name in ours if name not in ONCE]

    async def start(self) -> Running:
        """Starts everything and seeds the demo tenant; PodmanFailed."""
        await self.bridge(self._network["subnet"], f"--ip-range={self._network['ip_range']}")
        for volume in ("secrets", "parts", "edge", "gateway-1", "gateway-2"):
            await self.run("volume", "create", f"{self.mark}-{volume}")
            self.stack.push_async_callback(self.run, "volume", "rm", "-f", f"{self.mark}-{volume}")
        self._tell("Making secrets in a container")
        await self._once("secrets")
        secrets = await self._mounted("secrets")
        await self._up("kamailio")  # the first on the bridge, which is there from now on
        self._tell("Starting PostgreSQL, Kafka and MinIO")
        await self._parts(
            postgres_word=(secrets / "postgres-password").read_text().strip(),
            s3_word=(secrets / "s3-secret-key").read_text().strip(),
        )
        self._tell("Migrating, and making the bucket, in containers")
        await self._once("migrations")
        await self._once("bucket")
        self._tell("Starting containers")
        for name in self.replicas:
            if name != "kamailio":
                await self._up(name)
        replicas = [name for name in self.replicas if name != "kamailio"]
        urls = [f"http://{await self.address_of(name)}:{METRICS}/readyz" for name in replicas]
        await asyncio.gather(*map(self._ready, replicas, urls))
        tls = ServiceTLS(
            authority=secrets / "tls" / "ca.crt",
            certificate=secrets / "tls" / "server.crt",
            key=secrets / "tls" / "server.key",
            domain=DOMAIN,
        )
        gateways = [f"{await self.address_of(name)}:{GRPC}" for name in GATEWAYS]
        self._open_channels(gateways, tls)
        return await self._seeded(
            portal=await self.address_of("portal-1"),
            edge=await self.address_of("kamailio"),
            word=(secrets / "bootstrap-password").read_text().strip(),
        )

    async def stop(self) -> None:
        """Drains and removes everything that was made."""
        for channel in self._channels:
            await channel.close()
        try:
            await self.end(*GATEWAYS, *EDGES)
            await self.end(*self.replicas)
        finally:
            await self.stack.aclose()

    async def address_of(self, name: str) -> str:
        """Where a container is on the bridge."""
        mode = self._services[name].get("network_mode", "")
        name = mode.removeprefix("service:") or name
        networks = (await self.inspected(name))["NetworkSettings"]["Networks"]
        return str(networks[self.mark]["IPAddress"])

    async def _up(self, name: str) -> None:
        await self.launch(name, *self._told(name))

    async def _once(self, name: str) -> None:
        """Runs a container to its end."""
        await self.run("run", "--rm", *HARDENED, *self._told(name))

    def _told(self, name: str) -> list[str]:
        """A service of the file as podman's options, image and arguments."""
        said = self._services[name]
        options = [f"--env={k}={v}" for k, v in said.get("environment", {}).items()]
        options += [f"--volume={self.mark}-{each}" for each in said.get("volumes", ())]
        if "entrypoint" in said:
            options.append(f"--entrypoint={json.dumps(said['entrypoint'])}")
        if "mem_limit" in said:
            options.append(f"--memory={said['mem_limit']}")
        mode = said.get("network_mode", "")
        if mode.startswith("service:"):
            options.append(f"--network=container:{self.id_of(mode.partition(':')[2])}")
        elif mode:
            options.append(f"--network={mode}")
        else:
            options += self._on_the_bridge(name, said.get("networks", []))
        return [*options, name_of(image_of(said)), *said.get("command", ())]

    def _on_the_bridge(self, name: str, networks: Any) -> list[str]:
        inside = networks.get("inside") or {} if isinstance(networks, dict) else {}
        aliases = [name, *inside.get("aliases", ())]
        options = [f"--network={self.mark}", *(f"--network-alias={each}" for each in aliases)]
        if "ipv4_address" in inside:
            options.append(f"--ip={inside['ipv4_address']}")
        parts = (part for part, said in self._services.items() if not image_of(said))
        return [*options, *(f"--add-host={part}:{self._host}" for part in parts)]

    async def _mounted(self, volume: str) -> Path:
        said = await self.run("volume", "inspect", f"{self.mark}-{volume}")
        return Path(json.loads(said)[0]["Mountpoint"])
