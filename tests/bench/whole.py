"""A whole cluster on this machine for a benchmark, with agents and a crowd of callers."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protos.acd.v1 import acd_pb2, config_pb2
from services.__main__ import NAMES
from services.chassis.rpc import metadata
from services.launcher.cluster import Cluster
from services.launcher.doctor.scraping import read
from services.launcher.folder import Running
from tests.bench import spent
from tests.bench.crowd import Crowd
from tests.bench.spent import Held
from tests.cluster.stage import Stage
from tests.stage.tenants import Tenant, tenant_of

NUMBER: Final = "+12025550180"
WRAP_UP_MS: Final = 500


@dataclass(frozen=True, slots=True)
class Whole:
    """It runs, with a tenant whose agents are ready."""

    stage: Stage
    tenant: Tenant
    crowd: Crowd

    @property
    def pids(self) -> dict[str, int]:
        """Of each process, the other parts' and the crowd's among them."""
        cluster = self.stage.cluster
        assert cluster.postgres is not None
        assert cluster.postgres.pid is not None
        return {
            **{name: program.pid for name, program in cluster.programs.items()},
            **{name: part.child.pid for name, part in cluster.parts.items()},
            "PostgreSQL": cluster.postgres.pid,
            "crowd": self.crowd.pid,
        }

    def cpu_s(self) -> dict[str, float]:
        """Processor time so far, by process."""
        return {name: spent.cpu_s(pid) for name, pid in self.pids.items()}

    def held(self) -> dict[str, Held]:
        """What each holds now."""
        return {name: spent.held(pid) for name, pid in self.pids.items()}

    async def shown(self) -> dict[str, str]:
        """The metrics of each of Carillon's processes, as Prometheus reads them."""
        found = {}
        for name, member in self.stage.replicas.members.items():
            page = await read(f"http://127.0.0.1:{member.ports['metrics']}")
            assert page is not None, f"{name} shows no metrics"
            found[name] = page.text
        return found

    async def agents(self, port: int, count: int) -> None:
        """So many with phones of the crowd, ready."""
        acd, meta = self.stage.acd, metadata(tenant_id=self.tenant.tenant_id)
        for number in range(count):
            agent = f"agent-{number}"
            config = config_pb2.AgentConfig(
                agent_id=agent,
                name=f"Agent {number}",
                endpoint=f"sip:{agent}@127.0.0.1:{port}",
                queues=[config_pb2.QueueMembership(queue_id="sales")],
            )
            await acd.PutAgent(acd_pb2.PutAgentRequest(agent=config), metadata=meta)
            await acd.ReportLink(
                acd_pb2.ReportLinkRequest(agent_id=agent, link="reachable"), metadata=meta
            )
            await acd.SetPresence(
                acd_pb2.SetPresenceRequest(agent_id=agent, presence="ready"), metadata=meta
            )


@asynccontextmanager
async def whole(*, agents: int, env: Mapping[str, str] | None = None) -> AsyncIterator[Whole]:
    """A cluster as `make cluster` runs it, from nothing; it goes with the block."""
    async with AsyncExitStack() as stack:
        crowd = stack.enter_context(Crowd())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="carillon-bench-"))
        cluster = Cluster(
            var=Path(folder) / "cluster",
            services=NAMES,
            tell=lambda _: None,
            usual_ports=False,
            keep=False,
            env=env,
        )
        stack.push_async_callback(cluster.stop)
        running: Running = await cluster.start()
        stage = Stage(cluster, running)
        tenant = await stack.enter_async_context(tenant_of(stage, "bench", number=NUMBER))
        for queue in ("sales", "support"):
            await tenant.put_queue(queue, wrap_up={"mode": "timed", "max_ms": WRAP_UP_MS})
        made = Whole(stage, tenant, crowd)
        await made.agents(await crowd.open(), agents)
        yield made
