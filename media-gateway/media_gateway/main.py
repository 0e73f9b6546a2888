"""The gateway's wiring, and its command.

Exit status: 0 after a drain, 1 when it could not start, 2 for a wrong setting.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path

import uvloop
from grpc import aio

from media_gateway import readings, rpc_trying
from media_gateway.adapters.browser_media import LentPorts
from media_gateway.adapters.call_shell import Surroundings
from media_gateway.adapters.call_signalling import Trunk
from media_gateway.adapters.call_spans import CallSpans
from media_gateway.adapters.fact_stream import FactStream
from media_gateway.adapters.prompts import PromptShelf, apology
from media_gateway.adapters.sip_endpoint import SipEndpoint
from media_gateway.adapters.switchboard import Admission, Switchboard
from media_gateway.announcing import Announcing
from media_gateway.core.policy import OutboundPolicy, parse_target
from media_gateway.core.state import Limits
from media_gateway.core.turn import Rules
from media_gateway.keeping import Keeping
from media_gateway.listening import Quality
from media_gateway.probe.probes import MAX_PROBES, Probes
from media_gateway.recording.spool import Room
from media_gateway.reports import CallReports
from media_gateway.rtp.engine import MediaEngine
from media_gateway.rtp.port_pool import PortPool
from media_gateway.rtp.sounds import system_sounds
from media_gateway.settings import GatewaySettings
from media_gateway.sip.address import HostPort
from media_gateway.sip.auth import Credentials
from media_gateway.sip.limits import Limits as SipLimits
from media_gateway.testcall.test_calls import MAX_TEST_CALLS, TestCalls
from media_gateway.webrtc.connector import Connector
from media_gateway.webrtc.ice import IceSettings, machine_addresses
from media_gateway.webrtc.model import MAX_ADDRESSES
from protos.edge.v1.edge_pb2 import AnnounceRequest
from protos.gateway.v1.events_pb2 import CallFact
from services.chassis import lifecycle, log
from services.chassis.lifecycle import Service
from services.chassis.metrics import Reading
from services.chassis.request import PLATFORM
from services.chassis.rpc import Face
from services.chassis.settings import ChassisSettings, load
from services.chassis.tasks import Tasks
from services.chassis.world import World
from services.chassis.worlds import open_world

FILES_AT_REST = 1_280
"""The process's own, and as many TCP connections of SIP as are taken."""
FILES_PER_CALL = 12
"""Two sockets for each of two legs, and two for a leg that is rung while another drains; or, for a
browser, one on each of some addresses, twice while it changes its path."""
FILES_FOR_TRYING = MAX_PROBES * MAX_ADDRESSES + 4 * MAX_TEST_CALLS
"""A probe binds as many sockets as a browser; a test caller has SIP by UDP and TCP, and audio."""
SESSIONS_PER_CALL = 4
"""A caller, those who are rung, and sessions that are still ending."""
PRODUCT = "Carillon"
"""What others are told; the version is nobody's business who has not signed in."""

logger = log.get_logger("gateway")


class GatewayService:
    """Phones and trunks on one side, flows on the other."""

    def __init__(self, world: World, settings: GatewaySettings) -> None:
        self.name = settings.face
        self._world = world
        self._settings = settings
        self._tasks = Tasks()
        self._keeping = Keeping(
            world,
            folder=world.var_dir / self.name,
            room=Room(
                max_bytes=settings.spool_max_bytes, min_free_bytes=settings.spool_min_free_bytes
            ),
        )
        self._spans = CallSpans()
        self._tally = readings.Tally()
        self._quality = Quality()
        self._facts = FactStream(keep=self._keep)
        self._announcing = Announcing(
            edges=settings.edges, dial=self._way_to_edge, describe=self._announcement
        )
        self._switchboard = Switchboard(
            rules=_rules(settings),
            admission=_admission(settings, is_edge=self._announcing.is_edge),
        )
        self._endpoint = SipEndpoint(
            clock=world.clock,
            random_bits=world.random_bits,
            on_event=self._switchboard.receive,
            user_agent=PRODUCT,
            name=settings.gateway_id,
        )
        self._reports = CallReports(
            calls=lambda: (shell.call for shell in self._switchboard.calls(PLATFORM)),
            dial=world.dial,
            clock=world.clock,
            gateway=self._address,
            incarnation=self._keeping.incarnation,
        )
        self._probes = Probes(clock_ms=world.clock.monotonic_ms, random_bits=world.random_bits)
        self._test_calls = TestCalls(
            switchboard=self._switchboard,
            facts=self._facts,
            untaken_s=settings.test_call_untaken_ms / 1_000,
        )
        self._engine: MediaEngine | None = None
        self._connector: Connector | None = None
        self._told = False

    @property
    def sip_address(self) -> HostPort:
        """Where SIP is received, once started."""
        return self._endpoint.local

    def faces(self) -> list[Face]:
        """The one face of the gateway."""
        return [
            rpc_trying.face(
                switchboard=self._switchboard,
                facts=self._facts,
                probes=self._probes,
                test_calls=self._test_calls,
            )
        ]

    async def start(self) -> None:
        """Binds the SIP port and tells where; SipPortTaken says what to set."""
        settings, world = self._settings, self._world
        lost = await self._keeping.start()
        self._reports.expect(call.tenant_id for call in lost)
        media_host = settings.media_host or settings.sip_host
        # UTC, finer than whole milliseconds: jitter is measured in fractions of one.
        anchor_ms = world.clock.now_ms() - world.clock.monotonic_ms()
        sounds = {**system_sounds(), "apology": apology()}
        self._engine = MediaEngine(
            loop=asyncio.get_running_loop(),
            host=media_host,
            ports=PortPool(first=settings.rtp_port_first, last=settings.rtp_port_last),
            clock_ms=lambda: anchor_ms + world.clock.monotonic_ms(),
            random_bits=world.random_bits,
            sounds=sounds,
            strict=settings.strict_media,
            media_timeout_ms=settings.media_timeout_ms,
            on_closed=self._quality.see,
        )
        self._connector = Connector(
            IceSettings(
                addresses=settings.browser_addresses or machine_addresses(),
                ports=LentPorts(self._engine),
                silence_ms=settings.webrtc_silence_ms,
                clock_ms=world.clock.monotonic_ms,
            )
        )
        around = Surroundings(
            clock=world.clock,
            new_id=world.new_id,
            random_bits=world.random_bits,
            endpoint=self._endpoint,
            trunk=_trunk(settings),
            way_out=self._announcing.way_out,
            engine=self._engine,
            connector=self._connector,
            media_host=settings.media_advertised or media_host,
            shelf=PromptShelf(
                blobs=world.blobs, system=sounds, max_bytes=settings.prompt_cache_bytes
            ),
            facts=self._facts,
            recorder=self._keeping.recorder,
            dial=world.dial,
            gateway_address=self._address,
            tasks=self._tasks,
        )
        self._switchboard.open(around)
        await self._endpoint.open(
            host=settings.sip_host,
            port=settings.sip_port,
            advertised=settings.sip_advertised,
            limits=SipLimits(sessions=SESSIONS_PER_CALL * settings.max_calls),
        )
        self._probes.open(self._connector)
        self._test_calls.open(around, sip_host=settings.sip_host, media_host=media_host)
        self._tasks.start(self._reports.run(), "call reports")
        _tell_where(self._record, self._endpoint.local)
        self._told = True
        # Before it serves: its first call may be one outside.
        await self._announcing.announce()
        self._tasks.start(self._announcing.run(), "announcements")
        logger.info("taking calls", sip=str(self._endpoint.local), pid=os.getpid())

    async def drain(self) -> None:
        """Refuses new calls and waits for the live ones to finish."""
        self._switchboard.drain()
        self._test_calls.drain()
        self._probes.drain()
        await self._announcing.announce()
        await self._switchboard.finish(self._settings.drain_limit_s)

    async def stop(self) -> None:
        """Ends what is left and releases sockets and tasks."""
        await self._test_calls.close()
        await self._probes.close()
        await self._switchboard.end_all()
        await self._tasks.close()
        await self._announcing.leave()
        await self._endpoint.close()
        await self._keeping.close()
        if self._connector is not None:
            await self._connector.close()
        if self._engine is not None:
            await self._engine.close()
        if self._told:
            self._record.unlink(missing_ok=True)

    def loaded(self) -> bool:
        """Whether new calls get 503 for want of room."""
        return len(self._switchboard) >= self._settings.max_calls

    def readings(self) -> Iterable[Reading]:
        """What Prometheus is shown of this gateway."""
        yield from readings.of_calls(self._switchboard, self._tally)
        yield from readings.of_sip(self._endpoint)
        yield from readings.of_edges(self._settings.edges, self._announcing.answering)
        if self._engine is not None:
            yield from readings.of_media(self._engine)
        yield from self._quality.readings()
        yield from self._keeping.readings()
        yield from self._probes.readings()
        yield from self._test_calls.readings()

    def _keep(self, fact: CallFact) -> None:
        self._keeping.journal.publish(fact)
        self._spans.see(fact)
        self._tally.see(fact)

    def _announcement(self) -> AnnounceRequest:
        return AnnounceRequest(
            gateway_id=self._settings.gateway_id,
            incarnation=self._keeping.incarnation,
            sip_address=str(self._endpoint.local),
            state=self._switchboard.state,
            calls=len(self._switchboard),
        )

    def _way_to_edge(self, edge: str) -> aio.Channel:
        world = self._world
        return world.dial_at("edge", edge) if ":" in edge else world.dial(edge)

    @property
    def _address(self) -> str:
        """Where this gateway's own face is."""
        return self._world.advertised(self.name)

    @property
    def _record(self) -> Path:
        return self._world.run_dir / f"{self.name}.json"


def build(world: World, settings: GatewaySettings | None = None) -> Service:
    """The gateway in a world; its settings from the environment unless given."""
    return GatewayService(world, settings or load(GatewaySettings))


def main() -> None:
    """The `carillon-gateway` command."""
    chassis, settings = load(ChassisSettings), load(GatewaySettings)
    log.configure(level=chassis.log_level, as_json=chassis.log_json)
    _allow_files(settings.max_calls)

    async def serve() -> int:
        world = open_world(chassis)
        return await lifecycle.run(
            [build(world, settings)],
            world,
            # A gateway drains for as long as its own limit says: calls are not cut off before it.
            drain_timeout_s=max(chassis.drain_timeout_s, settings.drain_limit_s + 10.0),
            telemetry=lifecycle.Telemetry.as_set(chassis, metrics_port=settings.metrics_port),
        )

    raise SystemExit(lifecycle.status_of(uvloop.run, serve()))


def _allow_files(max_calls: int) -> None:
    """Raises this process's limit of open files to what so many calls take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_AT_REST + FILES_FOR_TRYING + FILES_PER_CALL * max_calls
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    granted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    if granted < wanted:
        logger.warning("too few open files for max_calls", wanted=wanted, granted=granted)


def _rules(settings: GatewaySettings) -> Rules:
    return Rules(
        limits=Limits(
            agent_response_ms=settings.agent_no_response_ms,
            unattended_ms=settings.flow_patience_ms,
            rejoin_ms=settings.rejoin_ms,
        ),
        policy=OutboundPolicy(
            networks=settings.networks,
            hosts=settings.hosts,
            dial_patterns=settings.dial_allow,
            outbound_proxy=settings.outbound_proxy,
        ),
    )


def _admission(settings: GatewaySettings, *, is_edge: Callable[[HostPort], bool]) -> Admission:
    named = frozenset(str(ip_address(text)) for text in settings.trusted_edges)
    return Admission(
        max_calls=settings.max_calls,
        retry_after_s=settings.retry_after_s,
        is_trusted=lambda source: source.host in named or is_edge(source),
    )


def _trunk(settings: GatewaySettings) -> Trunk:
    proxy = None
    if settings.outbound_proxy:
        target = parse_target(f"sip:{settings.outbound_proxy}")
        proxy = HostPort(target.host, target.port)
    credentials = None
    if settings.outbound_user:
        password = settings.outbound_password.get_secret_value()
        credentials = Credentials(settings.outbound_user, password)
    return Trunk(credentials=credentials, proxy=proxy, retry_after_s=settings.retry_after_s)


def _tell_where(record: Path, sip: HostPort) -> None:
    """Writes where SIP is received for those who start a gateway with port 0."""
    temporary = record.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps({"sip": str(sip), "pid": os.getpid()}))
    temporary.replace(record)
