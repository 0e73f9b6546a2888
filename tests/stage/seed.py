"""A tenant to make calls to: a number, a menu, queues, agents; put there by the public API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from protos.acd.v1 import acd_pb2, config_pb2
from protos.ivr.v1 import ivr_pb2
from services import launcher
from services.chassis.rpc import metadata
from tests.stage.house import House

TENANT = "demo"
NUMBER = "+12025550100"
FLOWS = Path(launcher.__file__).resolve().parent
META = metadata(tenant_id=TENANT)


@dataclass(frozen=True, slots=True)
class SeedAgent:
    """An agent with a phone."""

    agent_id: str
    name: str
    endpoint: str
    queues: tuple[str, ...] = ("sales", "support")
    levels: tuple[tuple[str, int], ...] = (("english", 8),)


async def seed_queues(
    carillon: House,
    *,
    wrap_up_ms: int = 4_000,
    ring_timeout_ms: int = 15_000,
    queues: tuple[str, ...] = ("sales", "support"),
) -> None:
    """The queues; an expected wait is announced from the first caller on, labelled assumed."""
    for queue_id in queues:
        queue = config_pb2.QueueConfig(
            queue_id=queue_id,
            name=queue_id.capitalize(),
            ring_timeout_ms=ring_timeout_ms,
            assumed_handle_s=45,
            wrap_up=config_pb2.WrapUpPolicy(mode="timed", max_ms=wrap_up_ms),
        )
        await carillon.acd.PutQueue(acd_pb2.PutQueueRequest(queue=queue), metadata=META)


async def seed_number(
    carillon: House, *, flow: str = "main-menu", number: str = NUMBER, text: str = ""
) -> None:
    """A published flow and the number that leads to it."""
    definition = text or (FLOWS / f"{flow}.json").read_text()
    await carillon.ivr.PutFlow(
        ivr_pb2.PutFlowRequest(flow_id=flow, definition_json=definition), metadata=META
    )
    # Publishing renders the prompts: the first time, that takes a moment.
    await carillon.ivr.PublishFlow(
        ivr_pb2.PublishFlowRequest(flow_id=flow), metadata=META, timeout=60
    )
    await carillon.ivr.PutNumber(
        ivr_pb2.PutNumberRequest(number=ivr_pb2.Number(number=number, flow_id=flow)),
        metadata=META,
    )


async def seed_agent(carillon: House, agent: SeedAgent) -> None:
    """An agent, signed out, whose phone can be reached."""
    config = config_pb2.AgentConfig(
        agent_id=agent.agent_id,
        name=agent.name,
        endpoint=agent.endpoint,
        skills=[config_pb2.SkillLevel(name=name, level=level) for name, level in agent.levels],
        queues=[config_pb2.QueueMembership(queue_id=queue_id) for queue_id in agent.queues],
    )
    await carillon.acd.PutAgent(acd_pb2.PutAgentRequest(agent=config), metadata=META)
    await set_link(carillon, agent.agent_id, "reachable")


async def set_link(carillon: House, agent_id: str, link: str) -> None:
    """What is measured about the way to the agent's phone."""
    await carillon.acd.ReportLink(
        acd_pb2.ReportLinkRequest(agent_id=agent_id, link=link), metadata=META
    )


async def set_presence(carillon: House, agent_id: str, presence: str, reason: str = "") -> None:
    """The agent's intent."""
    await carillon.acd.SetPresence(
        acd_pb2.SetPresenceRequest(agent_id=agent_id, presence=presence, reason=reason),
        metadata=META,
    )


async def occupy(carillon: House, agent_id: str) -> None:
    """The agent is on a call of their own: there, and not free."""
    await carillon.acd.StartAgentLeg(
        acd_pb2.AgentLegRequest(agent_id=agent_id, leg_id="own-call"), metadata=META
    )


async def release(carillon: House, agent_id: str) -> None:
    """That call is over."""
    await carillon.acd.EndAgentLeg(
        acd_pb2.AgentLegRequest(agent_id=agent_id, leg_id="own-call"), metadata=META
    )
