"""portal's wiring."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable

from grpc import aio
from grpc_health.v1 import health_pb2

from services.chassis.lifecycle import Service
from services.chassis.log import get_logger
from services.chassis.metrics import Reading
from services.chassis.rpc import Face
from services.chassis.settings import load
from services.chassis.world import World
from services.portal import feed, http_app, readings, rpc
from services.portal.access import Registry
from services.portal.desk import Desks
from services.portal.desk_customers import Customers
from services.portal.desk_gateways import Gateways
from services.portal.desk_links import Links
from services.portal.desk_policy import DeskPolicy
from services.portal.desk_queues import QueueNames
from services.portal.desk_tenants import Tenants
from services.portal.desk_ways import Ways
from services.portal.edge import Edge
from services.portal.feed_boards import Boards
from services.portal.feed_connection import Parts
from services.portal.feed_softphones import Softphones
from services.portal.figures import Figures
from services.portal.grpc_edge import GrpcEdge
from services.portal.http_server import HttpServer, bound, bound_to_all
from services.portal.people import People, build_people
from services.portal.proxies import TrustedProxies, Unproxied, networks_of
from services.portal.rpc_desk import Desk
from services.portal.settings import PortalSettings
from services.portal.tls import Certificate, OverTls, certificate_in

log = get_logger("portal")

PORTS_FILE = "portal.json"
"""In the run folder: where portal listens, for those who start it with port 0."""
SELF_CHECK_LIMIT_S = 1.0
DRAIN_LIMIT_S = 8.0
"""How long pages may take to leave."""


class PortalService:
    """The way in for people and programs: REST, gRPC, the WebSocket, and who may use them."""

    name = "portal"

    def __init__(self, *, world: World, settings: PortalSettings, people: People) -> None:
        self._world = world
        self._settings = settings
        self._people = people
        self._registry = Registry()
        self._figures = Figures()
        self._edge = Edge(
            people=people.identity, dial=world.dial, clock=world.clock, figures=self._figures
        )
        self._gateways = Gateways(dial=world.dial, dial_at=world.dial_at)
        self._links = Links(dial=world.dial, clock=world.clock)
        self._boards = Boards(dial=world.dial)
        customers = Customers(dial=world.dial)
        queues = QueueNames(dial=world.dial, clock=world.clock)
        policy = DeskPolicy(dial=world.dial, clock=world.clock)
        desks = Desks(
            dial=world.dial,
            customers=customers,
            gateways=self._gateways,
            queues=queues,
            policy=policy,
        )
        self._desk = Desk(
            dial=world.dial,
            desks=desks,
            customers=customers,
            gateways=self._gateways,
            queues=queues,
            tenants=Tenants(dial=world.dial, clock=world.clock),
            policy=policy,
            ways=Ways(settings=settings, clock=world.clock),
        )
        parts = Parts(
            people=people.identity,
            desks=desks,
            boards=self._boards,
            links=self._links,
            clock=world.clock,
            followed_by=feed.followed_by(self._registry),
        )
        self._softphones = Softphones(
            links=self._links, database=world.database(self.name), new_id=world.new_id
        )
        self._feed = feed.Feed(
            parts=parts, random_bits=world.random_bits, softphones=self._softphones
        )
        self._http: HttpServer | None = None
        self._grpc: GrpcEdge | None = None
        self._leaving = False

    def faces(self) -> list[Face]:
        """People and the agent's desk."""
        return rpc.faces(people=self._people, desk=self._desk)

    async def start(self) -> None:
        """Makes the first administrator where there is none, and opens the edges.

        Raises BadTlsFiles, PortInUse.
        """
        # Before anything else: files that cannot be used are a reason not to start.
        certificate = self._certificate()
        await self._people.start()
        self._softphones.start()
        if self._world.name == "simulated":
            return  # nothing listens on the network there
        settings = self._settings
        http = bound_to_all(
            hosts=settings.http_hosts,
            port=settings.http_port,
            setting="CARILLON_PORTAL_HTTP_PORT",
            fallback=settings.port_fallback,
        )
        app = http_app.application(
            edge=self._edge,
            registry=self._registry,
            words=http_app.described(self._registry),
            feed=self._feed,
            unready=self._unready,
            figures=self._figures,
        )
        proxies = TrustedProxies(networks_of(settings.trusted_proxies))
        self._http = HttpServer(
            app=Unproxied(app=OverTls(app, certificate) if certificate else app, proxies=proxies),
            listening=http,
            tls=certificate.context if certificate else None,
        )
        self._http.start()
        # gRPC opens its sockets itself: this finds a port that nobody has, and says whose it is.
        with bound(
            host=settings.bind,
            port=settings.grpc_port,
            setting="CARILLON_PORTAL_GRPC_PORT",
            fallback=settings.port_fallback,
        ) as free:
            grpc_port = int(free.getsockname()[1])
        self._grpc = GrpcEdge(edge=self._edge, registry=self._registry, proxies=proxies)
        await self._grpc.start(_address(settings.bind, grpc_port))
        self._tell_ports(http=int(http[0].getsockname()[1]), grpc=grpc_port)

    async def drain(self) -> None:
        """Sends every page elsewhere; requests in progress go on."""
        self._leaving = True
        if self._grpc is not None:
            await self._grpc.leave()
        try:
            async with asyncio.timeout(DRAIN_LIMIT_S):
                await self._feed.drain()
        except TimeoutError:
            log.warning("pages did not leave", left=len(self._feed))

    async def stop(self) -> None:
        """Closes the edges, then what is behind them."""
        if self._grpc is not None:
            await self._grpc.stop()
        if self._http is not None:
            await self._http.stop()
        await self._edge.close()
        (self._world.run_dir / PORTS_FILE).unlink(missing_ok=True)
        await self._softphones.close()
        await self._boards.close()
        await self._links.close()
        await self._people.stop()

    def readings(self) -> Iterable[Reading]:
        """What portal shows of itself."""
        return readings.of(
            self._figures,
            pages=len(self._feed),
            softphones=len(self._links),
            trail=self._people.trail,
            publisher=self._people.publisher,
        )

    def _certificate(self) -> Certificate | None:
        """What HTTPS is served with; None: HTTP without it. BadTlsFiles."""
        settings = self._settings
        if not settings.tls_cert:
            return None
        return certificate_in(
            cert=settings.tls_cert, key=settings.tls_key, authority=settings.tls_ca
        )

    async def _unready(self) -> str:
        """Why no work can be taken: this process leaves, or its own socket does not answer."""
        if self._leaving:
            return "leaving"
        check = self._world.dial(self.name).unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=SELF_CHECK_LIMIT_S)
        except aio.AioRpcError:
            return "starting"
        return "" if answer.status == health_pb2.HealthCheckResponse.SERVING else "leaving"

    def _tell_ports(self, *, http: int, grpc: int) -> None:
        settings = self._settings
        told = {
            "bind": settings.bind,
            "scheme": "https" if settings.tls_cert else "http",
            "http": http,
            "grpc": grpc,
            "pid": os.getpid(),
        }
        path = self._world.run_dir / PORTS_FILE
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(told))
        temporary.replace(path)
        log.info("portal listens", **told)


def build(world: World) -> Service:
    """The way in, in a world."""
    settings = load(PortalSettings)
    return PortalService(world=world, settings=settings, people=build_people(world, settings))


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
