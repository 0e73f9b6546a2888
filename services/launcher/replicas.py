"""Every service several times, each in a process of its own, and gateways: one cluster's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grpc import aio

from services.chassis.ports import LOOPBACK, free_ports
from services.chassis.rpc_channel import open_remote
from services.chassis.settings_cluster import PEERS, target_at
from services.chassis.tls import DOMAIN, ServiceTLS
from services.launcher.certificates import Files
from services.launcher.ports import free_rtp_range
from services.launcher.process import Program
from services.launcher.processes import Processes, until_serving

GATEWAY = "gateway"
EDGE = "edge"
MODULES = {GATEWAY: "media_gateway", EDGE: "media_gateway.edge"}
"""Programs of their own; the others are services."""
MORE_PORTS = {"portal": ("http", "public"), GATEWAY: ("sip",)}


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs, and what all of it is told."""

    var: Path
    """The installation's folder; each process has one of its own in it."""
    counts: Mapping[str, int]
    """Processes of each service, of the gateway and of the edge's program."""
    files: Files
    """What processes know each other by."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Settings of every process."""
    service_env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Further settings by service, gateway and edge among them."""
    ports: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Ports that somebody else chose, by process; see `Replica.ports`."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One process."""

    service: str
    """What it is one of."""
    number: int
    """From 1."""
    ports: Mapping[str, int]
    """`grpc` and `metrics` of each; `http` and `public` (integrators' gRPC) of portal; `sip` of a
    gateway."""

    @property
    def name(self) -> str:
        """For example `acd-2`."""
        return f"{self.service}-{self.number}"

    @property
    def address(self) -> str:
        """host:port of its gRPC."""
        return f"{LOOPBACK}:{self.ports['grpc']}"


class Replicas:
    """The processes of one cluster on this machine."""

    def __init__(self, plan: Plan) -> None:
        """Chooses the ports: a process that is started again keeps its own."""
        self._plan = plan
        self.members = {replica.name: replica for replica in _replicas(plan)}
        """By name."""
        self._rtp = free_rtp_range()
        self.programs = {name: self._program(each) for name, each in self.members.items()}
        """By the same name."""
        self._processes = Processes(plan.var, self.programs)
        self._channels: dict[str, aio.Channel] = {}
        self._tls = ServiceTLS(
            authority=plan.files.authority,
            certificate=plan.files.certificate,
            key=plan.files.key,
            domain=DOMAIN,
        )

    def of(self, service: str) -> list[Replica]:
        """The replicas of a service, or the gateways."""
        return [each for each in self.members.values() if each.service == service]

    def channel(self, name: str) -> aio.Channel:
        """The way to one process by its name, or to all of a service by the service's."""
        if name not in self._channels:
            one = self.members.get(name)
            service = one.service if one else name
            target = target_at(one.address) if one else self._target(service)
            self._channels[name] = open_remote(target, service=service, tls=self._tls)
        return self._channels[name]

    async def start(self, name: str) -> None:
        """Starts one process and waits until it serves; NotReady."""
        await self._processes.start(name, lambda: until_serving(self.channel(name)))

    async def stop(self) -> None:
        """Drains everything, the gateways first."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()
        gateways = {each.name for each in self.of(GATEWAY)}
        await self._processes.stop(gateways)
        await self._processes.stop(self.programs.keys() - gateways)

    def logs(self) -> str:
        """The ends of all logs."""
        return self._processes.logs()

    def _target(self, service: str) -> str:
        return "ipv4:" + ",".join(each.address for each in self.of(service))

    def settings(self, name: str) -> dict[str, str]:
        """What one process is told in its environment, passwords included."""
        plan, replica = self._plan, self.members[name]
        peers = {f"CARILLON_PEERS_{each.upper()}": self._target(each) for each in PEERS}
        return {
            "CARILLON_WORLD": "cluster",
            "CARILLON_VAR_DIR": str(plan.var / replica.name),
            "CARILLON_LISTEN": replica.address,
            "CARILLON_ADVERTISED": replica.address,
            "CARILLON_TLS_CA": str(plan.files.authority),
            "CARILLON_TLS_CERT": str(plan.files.certificate),
            "CARILLON_TLS_KEY": str(plan.files.key),
            "CARILLON_METRICS_PORT": str(replica.ports["metrics"]),
            **peers,
            **plan.env,
            **self._own_env(replica),
            **plan.service_env.get(replica.service, {}),
        }

    def _program(self, replica: Replica) -> Program:
        service = replica.service
        return Program(
            module=MODULES.get(service, "services"),
            args=() if service in MODULES else (service,),
            env=self.settings(replica.name),
            log=self._plan.var / "log" / f"{replica.name}.log",
        )

    def _own_env(self, replica: Replica) -> dict[str, str]:
        """What tells a process apart from the others of its kind."""
        if replica.service == "portal":
            return {
                "CARILLON_PORTAL_HTTP_PORT": str(replica.ports["http"]),
                "CARILLON_PORTAL_GRPC_PORT": str(replica.ports["public"]),
            }
        if replica.service != GATEWAY:
            return {}
        first, last = self._rtp
        each = (last - first + 1) // self._plan.counts[GATEWAY]
        own = first + (replica.number - 1) * each
        return {
            "CARILLON_GATEWAY_GATEWAY_ID": f"g{replica.number}",
            "CARILLON_GATEWAY_EDGES": json.dumps([target_at(e.address) for e in self.of(EDGE)]),
            "CARILLON_GATEWAY_SIP_PORT": str(replica.ports["sip"]),
            "CARILLON_GATEWAY_RTP_PORT_FIRST": str(own),
            "CARILLON_GATEWAY_RTP_PORT_LAST": str(own + each - 1),
        }


def _replicas(plan: Plan) -> Iterator[Replica]:
    wanted = [(service, n) for service, count in plan.counts.items() for n in range(1, count + 1)]
    names = {each: ("grpc", "metrics", *MORE_PORTS.get(each, ())) for each in plan.counts}
    ports = iter(free_ports(sum(len(names[service]) for service, _ in wanted)))
    for service, number in wanted:
        own = {name: next(ports) for name in names[service]}
        yield Replica(service, number, {**own, **plan.ports.get(f"{service}-{number}", {})})
