"""What administrators decide: queues, agents, and the tenant's defaults."""

from __future__ import annotations

from dataclasses import dataclass

from services.acd.model.words import (
    AgentCondition,
    AgentId,
    Channel,
    Comparison,
    ExprKind,
    Outcome,
    PlanEnd,
    QueueId,
    SkipIf,
    Strategy,
    WrapUpMode,
)


@dataclass(frozen=True, slots=True)
class SkillExpr:
    """A condition on agents, as a tree."""

    kind: ExprKind
    """Which of the other fields mean something."""
    name: str = ""
    """Skill or attribute name."""
    comparison: Comparison = Comparison.GE
    """How `level` or `value` is compared."""
    level: int = 1
    """Skill level compared with, 1-10."""
    value: str = ""
    """Attribute value, or the agent id of an `agent` node."""
    of: tuple[SkillExpr, ...] = ()
    """Parts of `and`, `or` (one or more) and `not` (exactly one)."""


ANY_AGENT = SkillExpr(kind=ExprKind.ANY)


@dataclass(frozen=True, slots=True)
class PlanStep:
    """Whom a contact accepts, and for how long before the next step."""

    expr: SkillExpr
    """Who may take it during this step."""
    for_s: int
    """How long the step lasts, in seconds."""
    skip_if: SkipIf = SkipIf.NEVER
    """When the step is passed over as it would begin."""
    replaces: bool = False
    """True: candidates of earlier steps do not stay candidates."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The relaxation of a contact's demands."""

    steps: tuple[PlanStep, ...] = ()
    """Taken in order; none: `end` holds from the start."""
    end: PlanEnd = PlanEnd.ANY
    """After the last step: any agent of the queue, leave for another queue, or stay as it is."""
    overflow_queue: QueueId | None = None
    """Where `overflow` sends the contact."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """How waiting contacts of one queue are ordered: integers only."""

    priority_weight: int = 60_000
    """Points for each level of priority; the default makes a level worth a minute of waiting."""
    accel: int = 1
    """Points for each millisecond of waiting; above 0 no contact starves."""
    wait_cap_ms: int = 14_400_000
    """Waiting beyond this gains no more points."""
    return_credit: int = 0
    """Points a contact gains each time a reservation of it fails through no fault of its own."""


@dataclass(frozen=True, slots=True)
class EmptyRule:
    """When a queue counts as having no agents."""

    absent: tuple[AgentCondition, ...] = (
        AgentCondition.SIGNED_OUT,
        AgentCondition.ON_BREAK,
        AgentCondition.UNREACHABLE,
    )
    """An agent in one of these conditions is not there; nobody there: the queue is empty."""


@dataclass(frozen=True, slots=True)
class WrapUpPolicy:
    """How an agent finishes a contact's work."""

    mode: WrapUpMode = WrapUpMode.TIMED
    """none: at once ready; optional: the agent leaves it; timed: early exit; forced: to the end."""
    min_ms: int = 0
    """No exit before this."""
    max_ms: int = 30_000
    """Ends by itself after this, extensions apart."""
    extensions: int = 0
    """How many times the agent may ask for more."""
    extension_ms: int = 0
    """How much each extension adds."""
    code_required: bool = False
    """The agent cannot leave without a code."""
    code_ends: bool = False
    """Giving a code leaves wrap-up, as soon as leaving is allowed."""
    default_code: str = ""
    """Recorded when time runs out without a code."""


@dataclass(frozen=True, slots=True)
class RingRule:
    """What follows an outcome of ringing an agent."""

    outcome: Outcome
    """The outcome it is about."""
    rest_ms: int = 0
    """The agent is not reserved for so long."""
    exclude_ms: int = 0
    """This contact does not come back to this agent for so long."""
    strike: bool = False
    """Counts towards taking the agent out of service."""


DEFAULT_RING_RULES: tuple[RingRule, ...] = (
    RingRule(outcome=Outcome.UNDELIVERED, rest_ms=2_000),
    RingRule(outcome=Outcome.NO_ANSWER, rest_ms=5_000, strike=True),
    RingRule(outcome=Outcome.REJECT, rest_ms=10_000),
    RingRule(outcome=Outcome.BUSY, rest_ms=60_000),
    RingRule(outcome=Outcome.UNREACHABLE),
    RingRule(outcome=Outcome.CALLER_GONE),
    RingRule(outcome=Outcome.CONNECT_FAILED, rest_ms=2_000),
)


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """One queue. Putting it again changes rules and destroys no runtime state."""

    queue_id: QueueId
    """Its id."""
    name: str = ""
    """What people call it."""
    open: bool = True
    """False: whoever arrives is turned away as `closed`; those waiting are still served."""
    max_waiting: int = 1_000
    """Contacts in the queue at most, reserved ones included."""
    max_wait_ms: int | None = None
    """A contact that waits longer leaves as `timeout`."""
    ring_timeout_ms: int = 20_000
    """How long an agent's endpoint rings."""
    strategies: tuple[str, ...] = (Strategy.LONGEST_IDLE,)
    """Names of `Strategy`, most important first; `random` only as the last."""
    scoring: Scoring = Scoring()
    """How its contacts are ordered."""
    plan: Plan = Plan()
    """For contacts that bring no plan."""
    join_when_empty: EmptyRule | None = None
    """Set: an arrival at an empty queue is turned away as `refused_no_agents`."""
    leave_when_empty: EmptyRule | None = None
    """Set: while the queue is empty, those waiting leave as `refused_no_agents`."""
    wrap_up: WrapUpPolicy | None = None
    """None: the tenant's."""
    ring_rules: tuple[RingRule, ...] = ()
    """Replace the tenant's, outcome by outcome."""
    assumed_handle_s: int | None = None
    """Handle time used for expected waits below `min_sample`; None: nothing is announced then."""
    min_sample: int = 20
    """Handled contacts needed before expected waits rest on measurement."""
    announce_rise_s: int = 60
    """An announced wait rises only by more than this."""
    service_level_percent: int | None = None
    """The service level that counts as good, 1 to 100; None: the tenant's."""


@dataclass(frozen=True, slots=True)
class SkillLevel:
    """One skill of an agent."""

    name: str
    """The skill."""
    level: int
    """1 (beginner) to 10 (expert)."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A named text."""

    name: str
    """Its name."""
    value: str
    """Its text."""


@dataclass(frozen=True, slots=True)
class QueueMembership:
    """An agent's part in a queue."""

    queue_id: QueueId
    """The queue served."""
    weight: int = 100
    """Multiplies the scores of this queue's contacts when the agent serves several, 1-1000."""
    position: int = 0
    """Place in `top_down`, smallest first."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many contacts of a channel an agent takes at once."""

    channel: Channel
    """The channel."""
    limit: int
    """At most so many."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """One agent. Putting it again changes rules and destroys no runtime state."""

    agent_id: AgentId
    """The user's id."""
    name: str = ""
    """What people call the agent."""
    endpoint: str = ""
    """URI of what the agent answers on."""
    skills: tuple[SkillLevel, ...] = ()
    """What the agent can do, each skill once."""
    attributes: tuple[Attribute, ...] = ()
    """Site, language, team ..., each name once."""
    queues: tuple[QueueMembership, ...] = ()
    """Queues served, each once."""
    capacities: tuple[Capacity, ...] = (Capacity(channel=Channel.VOICE, limit=1),)
    """Channels served, each once; a channel not named is not served."""


@dataclass(frozen=True, slots=True)
class Memberships:
    """An agent's queues."""

    agent_id: AgentId
    """The agent."""
    queues: tuple[QueueMembership, ...] = ()
    """Queues served, each once; none is allowed."""


@dataclass(frozen=True, slots=True)
class Skills:
    """An agent's skills."""

    agent_id: AgentId
    """The agent."""
    skills: tuple[SkillLevel, ...] = ()
    """What the agent can do, each skill once."""


@dataclass(frozen=True, slots=True)
class ChannelBlock:
    """Work on one channel that keeps an agent from contacts of others."""

    channel: Channel
    """While the agent has work on this ..."""
    blocks: tuple[Channel, ...]
    """... no contact of these is routed there."""


@dataclass(frozen=True, slots=True)
class RonaRule:
    """When an agent who does not answer is taken out of service (ring on no answer)."""

    limit: int = 2
    """Strikes that do it."""
    window_ms: int = 1_800_000
    """Strikes older than this no longer count."""


@dataclass(frozen=True, slots=True)
class TenantDefaults:
    """What holds where a queue says nothing."""

    wrap_up: WrapUpPolicy = WrapUpPolicy()
    """For queues without a policy."""
    ring_rules: tuple[RingRule, ...] = ()
    """Replace the platform's, outcome by outcome."""
    rona: RonaRule = RonaRule()
    """When not answering takes an agent out of service."""
    blocks: tuple[ChannelBlock, ...] = (
        ChannelBlock(channel=Channel.VOICE, blocks=(Channel.CHAT, Channel.EMAIL, Channel.TASK)),
    )
    """Which channel's work keeps away which other channels' contacts."""
    break_resets_idle: bool = False
    """True: coming back from a break starts the idle time anew."""
    delivery_ms: int = 3_000
    """An endpoint has so long to confirm that it rings."""
    connect_ms: int = 3_000
    """From acceptance to bridged media."""
    detach_grace_ms: int = 30_000
    """A contact whose flow is lost keeps its place for so long."""
    service_level_percent: int = 80
    """The service level that counts as good, 1 to 100, for queues that say nothing of it."""
